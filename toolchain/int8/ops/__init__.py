"""The integer arithmetic of TensorFlow Lite Micro's reference kernels, operator by operator, exact, on arrays.

Each module has ``..._parameters``, which derives plain integers and tables from scales, zero points and types as the
operator's Prepare does, and a function that runs the operator on numpy arrays. The C twins are the headers of
``firmware/engine/kernels``; tests/unit/ops proves all three equal to the interpreter.

Where TFLM's C++ leaves the range of int32 the compiled interpreter wraps round, and so does this.
"""
