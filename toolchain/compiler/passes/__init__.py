"""The passes: each takes a graph and returns one that computes the same, one change to a file."""
