"""A run is a folder ``runs/<name>/``; every stage reads what the stage before it wrote there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import ConfigError, ModelError
from toolchain.files import read_json, validated, write_json
from toolchain.project import Project


@dataclass(frozen=True)
class Run:
    """Paths of one run. Nothing here reads or writes but the project file."""

    path: Path

    @property
    def project_json(self) -> Path:
        """The resolved project file (written by train)."""
        return self.path / "project.json"

    @property
    def data_json(self) -> Path:
        """The data card: set, classes, people per split (written by train)."""
        return self.path / "data.json"

    @property
    def card_json(self) -> Path:
        """The data card as `tinyltc data` shows it; a trained run keeps its own in data.json."""
        return self.path / "card.json"

    @property
    def checkpoint(self) -> Path:
        """The best float weights so far (written during training)."""
        return self.path / "checkpoint.npz"

    @property
    def weights(self) -> Path:
        """The float weights (written by train); keys in docs/SPEC.md."""
        return self.path / "model.npz"

    @property
    def model_json(self) -> Path:
        """The ModelSpec: widths, scales, time, decision (written by train, completed by convert)."""
        return self.path / "model.json"

    @property
    def training_json(self) -> Path:
        """Training history and float scores (written by train)."""
        return self.path / "training.json"

    @property
    def tflite(self) -> Path:
        """The int8 right-hand side (written by convert)."""
        return self.path / "model.tflite"

    @property
    def int8_json(self) -> Path:
        """int8 scores and parity with float and with TFLM (written by convert)."""
        return self.path / "int8.json"

    @property
    def generated(self) -> Path:
        """Generated C (written by generate)."""
        return self.path / "generated"

    @property
    def image(self) -> Path:
        """The model image (written by generate)."""
        return self.path / "model.bin"

    @property
    def firmware(self) -> Path:
        """firmware.elf, firmware.hex, firmware.map and build.json (written by build)."""
        return self.path / "firmware"

    @property
    def device_npz(self) -> Path:
        """Everything that the device said (written by run)."""
        return self.path / "device.npz"

    @property
    def device_json(self) -> Path:
        """Device scores, parity, cycles and latency (written by run)."""
        return self.path / "device.json"

    @property
    def measure_json(self) -> Path:
        """Latency of every stage and the power (written by measure)."""
        return self.path / "measure.json"

    @property
    def report_json(self) -> Path:
        """The report as data (written by report)."""
        return self.path / "report.json"

    @property
    def report_html(self) -> Path:
        """The report to look at (written by report)."""
        return self.path / "report.html"

    def save_project(self, project: Project) -> None:
        """Write project.json."""
        write_json(self.project_json, project.model_dump())

    def project(self) -> Project:
        """Read project.json; raises ModelError when the run was never trained."""
        value = read_json(self.project_json, ModelError, f"Run `tinyltc train --run {self.path.name}` first.")
        return validated(Project, value, self.project_json, ModelError)


def open_run(name: str, root: Path = Path("runs")) -> Run:
    """Return the run called ``name``; it need not exist yet."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise ConfigError(f"'{name}' is not a name for a run.", "Use letters, digits, '.', '_' and '-'.")
    return Run(root / name)
