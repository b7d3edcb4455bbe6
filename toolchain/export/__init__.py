"""A trained network for other people's tools: ``tinyltc export``, and back: ``tinyltc import``.

``json`` (:mod:`network_json`) holds the whole network and comes back bit for bit. ``onnx`` (:mod:`onnx_graph`) is one
float step with the states as inputs and outputs, run in onnxruntime beside the numpy reference before it is given out
(:mod:`agreement`), and the same quantized by onnxruntime (:mod:`onnx_int8`). onnx and onnxruntime are the extra
``tinyltc[export]`` and imported by the modules ``onnx_*`` alone.
"""
