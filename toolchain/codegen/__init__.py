"""Code generation: from a converted run to C for one network shape, and a model image."""
