"""The liquid time-constant network: training in Keras, the numpy reference of its step, and its scores.

``modelspec``, ``weights``, ``step``, ``decision`` and ``evaluate`` need numpy only; TensorFlow is imported by
``scan``, ``cell``, ``model`` and the training loop alone (through ``tf``).
"""
