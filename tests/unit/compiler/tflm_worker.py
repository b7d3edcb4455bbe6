"""Run TensorFlow Lite Micro in a process of its own: on a graph it does not take, it aborts the whole process."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np


class Tflm:
    """The interpreter behind a pipe. It is started at the first model and again after it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, tflite: bytes, cases: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
        """Return the outputs for each case; fails the test with what the interpreter said when it refuses."""
        if self._process is None:
            command = [sys.executable, __file__]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump((tflite, cases), self._process.stdin)
        self._process.stdin.flush()
        try:
            answer = pickle.load(self._process.stdout)
        except EOFError:
            answer = f"the process ended with {self._process.wait()}"
            self.close()
        assert not isinstance(answer, str), f"TFLM does not take this graph, the strategy must not make it: {answer}"
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()
            self._process = None


def _run(tflite: bytes, cases: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    from toolchain.int8.flatbuffer import read_tflite
    from toolchain.int8.tflm import interpreter

    model = read_tflite(tflite)
    engine = interpreter(tflite, 4 * 1024 * 1024)
    results = []
    for case in cases:
        for position, array in enumerate(case):
            engine.set_input(array, position)
        engine.invoke()
        outputs = [np.array(engine.get_output(position)) for position in range(len(model.outputs))]
        results.append(
            [array.reshape(model.tensors[index].shape) for array, index in zip(outputs, model.outputs, strict=True)]
        )
    return results


def _serve() -> None:
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer: object = _run(*request)
        except Exception as reason:
            answer = repr(reason)
        pickle.dump(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve()
