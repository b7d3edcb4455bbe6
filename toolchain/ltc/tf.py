"""The one place that imports TensorFlow and Keras: on the CPU, with the TensorFlow backend, and quiet."""

from __future__ import annotations

import os

# These must stand before the first import: the libraries read them while they load.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import tensorflow as tf

__all__ = ["keras", "tf"]
