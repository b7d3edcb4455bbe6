"""Experiments on the recipe: what each part of it buys, measured inside the training people only."""
