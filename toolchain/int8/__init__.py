"""From float weights to the int8 right-hand side, its exact reference, and the proof that both agree."""
