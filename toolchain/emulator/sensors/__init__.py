"""Sensors that the virtual board carries, one per file."""
