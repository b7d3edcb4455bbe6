"""A gesture as the world outside sees it: the label of a class, made from a DECISION and the run's model.json."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from toolchain.errors import LinkError, ModelError
from toolchain.ltc.modelspec import load_spec
from toolchain.runs import Run
from toolchain.wire.messages import Decision, Hello

HASH_BYTES = 32
"""The model image ends with its SHA-256 (docs/SPEC.md, 4)."""


@dataclass(frozen=True, slots=True)
class Gesture:
    """One command. ``stamp_us``: device time of the sample that decided it; ``at``: host time (UTC) when it came.

    ``margin``: in int8 logit steps * 256.
    """

    label: str
    winner: int
    margin: int
    index: int
    stamp_us: int
    at: datetime

    def fields(self) -> dict[str, str | int]:
        """Return what a command line or a message may name."""
        return {
            "label": self.label,
            "class": self.winner,
            "margin": self.margin,
            "index": self.index,
            "stamp_us": self.stamp_us,
            "at": self.at.isoformat(timespec="milliseconds"),
        }


FIELDS = ("label", "class", "margin", "index", "stamp_us", "at")
"""Keys of :meth:`Gesture.fields`."""


class Labels:
    """The class names of a run, and the proof that a device runs that very model."""

    def __init__(self, run: Run) -> None:
        """Read model.json and the model image; raises ModelError when the run has none."""
        self._name = run.path.name
        self.classes = tuple(load_spec(run.model_json).classes)
        if not run.image.exists():
            raise ModelError(f"{run.image} does not exist.", f"Run `tinyltc generate --run {self._name}` first.")
        self._hash = run.image.read_bytes()[-HASH_BYTES:]

    def accept(self, hello: Hello) -> None:
        """Raise ModelError for a device whose model does not run or is another one than the run's."""
        flash = f"Flash it: `tinyltc flash --run {self._name}`."
        if hello.model_status:
            raise ModelError(
                f"The device '{hello.board}' refuses its model image (status {hello.model_status}; docs/SPEC.md, 4).",
                flash,
            )
        if hello.model_sha256 != self._hash:
            raise ModelError(
                f"The device '{hello.board}' runs another model than the run '{self._name}', so its class numbers "
                "cannot be named.",
                f"Give its run with --run, or: {flash}",
            )

    def gesture(self, decision: Decision, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Gesture:
        """Name a decision; raises LinkError for a class that the model does not have."""
        if decision.winner >= len(self.classes):
            raise LinkError(
                f"The device decided for class {decision.winner} of {len(self.classes)}.", "Flash the run's firmware."
            )
        label = self.classes[decision.winner]
        return Gesture(label, decision.winner, decision.margin, decision.index, decision.stamp_us, now())
