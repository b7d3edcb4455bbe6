"""What a candidate costs on the device: its compiled engine, built and run on a bare virtual core before any training.

Cycles, flash and RAM hang on the shape, the solver and the preparation, not on what the weights are, so a network of
random weights is measured (:mod:`toolchain.bench`), once for each shape: the figures are kept with a digest of the
code that made them.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from toolchain.bench.figures import CYCLES_SOURCE, SIZES_SOURCE, measure
from toolchain.bench.recognizer import recognizer_image
from toolchain.bench.reference_run import write_reference_run
from toolchain.board import Board
from toolchain.build import FIRMWARE
from toolchain.errors import DataError
from toolchain.files import read_json, write_json
from toolchain.search.space import Candidate

_CODE = ("firmware/core/*.[ch]", "firmware/engine/**/*.h", "firmware/bench/*.[chS]", "firmware/platform/flags.toml")
_GENERATOR = ("toolchain/codegen/*.py", "toolchain/codegen/templates/*.j2")


@dataclass(frozen=True)
class Cost:
    """``cycles``: the slowest step, two wait states for every word read from flash. Bytes: engine, reader and model in
    flash; variables and the stack of a step in RAM."""

    cycles: int
    flash_bytes: int
    ram_bytes: int


class Costs:
    """Measures candidates for ``board`` and keeps the figures in ``path``."""

    def __init__(self, path: Path, board: Board, outputs: int) -> None:
        self._path, self._board, self._outputs = path, board, outputs
        self._code = _digest()
        self._known: dict[str, dict[str, Any]] = {}
        if path.exists():
            before = read_json(path, DataError, f"Delete {path}.")
            if before.get("code") == self._code:
                self._known = before["costs"]

    def of(self, one: Candidate) -> Cost:
        """Return the cost of a candidate. Raises MissingToolError without the ARM compiler or Unicorn."""
        widths = ",".join(map(str, one.layers))
        key = f"{self._board.name} {widths} {self._outputs} {one.solver} {one.preparation}"
        if key not in self._known:
            self._known[key] = asdict(self._measured(one))
            source = {"cycles": CYCLES_SOURCE, "bytes": SIZES_SOURCE}
            write_json(self._path, {"source": source, "code": self._code, "costs": self._known})
        return Cost(**self._known[key])

    def _measured(self, one: Candidate) -> Cost:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            run = write_reference_run(
                folder / "network", self._board, one.layers, self._outputs, preparation=one.preparation
            )
            image = recognizer_image(folder / "bench", run, self._board, "compiled", one.solver, solver=one.solver)
            figures = measure(image)
            sizes = figures.sizes
            stack = max(call.stack_bytes for call in figures.steps)
            return Cost(figures.cycles_2ws, sizes.engine + sizes.reader + sizes.model, figures.ram_bytes + stack)


def _digest() -> str:
    root = FIRMWARE.parent
    digest = hashlib.sha256()
    for pattern in (*_CODE, *_GENERATOR):
        for path in sorted(root.glob(pattern)):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
