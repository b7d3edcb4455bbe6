"""Ahead-of-time compiler: from a quantized .tflite to one C header and one C source that need nothing else.

The road inside: :mod:`frontend` reads the flatbuffer into the intermediate representation of :mod:`ir`, the passes of
:mod:`pipeline` rewrite it, :mod:`emit` writes C. :mod:`interpret` says what any of these graphs computes.
"""
