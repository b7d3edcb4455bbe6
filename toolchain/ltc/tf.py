"""The one place that imports TensorFlow and Keras: on the CPU, with the TensorFlow backend, and quiet."""

from __future__ import annotations

import ctypes
import os
import sys

# These must stand before the first import: the libraries read them while they load.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
"""Parameters of glibc's mallopt (malloc.h)."""
_KEPT_BYTES = 1 << 30


def _keep_memory() -> None:
    """Let the C library keep what was freed.

    A training step takes and frees some fifty arrays of megabytes. glibc would get each of them from the kernel and
    give it back, and half of the step would go into clearing pages. Elsewhere than on glibc nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TOP_PAD, 1 << 24)


_keep_memory()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

__all__ = ["keras", "tf"]
