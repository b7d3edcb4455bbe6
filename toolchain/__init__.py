"""TinyLTC: liquid time-constant networks from wrist recordings to a Cortex-M4F image."""

__version__ = "0.1.0"
