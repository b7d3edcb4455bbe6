"""The parts of the recipe, each as the change of the project file that takes it away (or tries another)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolchain.errors import ConfigError
from toolchain.files import validated
from toolchain.project import Project


@dataclass(frozen=True)
class Part:
    """``change`` is merged into the project; ``about`` says what it asks."""

    name: str
    about: str
    change: dict[str, Any]


def _training(**changes: Any) -> dict[str, Any]:
    return {"training": changes}


def _augmentation(**changes: Any) -> dict[str, Any]:
    return _training(augmentation=changes)


MIRROR = {
    "swipe_left": "swipe_right",
    "circle_clk": "circle_cclk",
    "swipe_up": "swipe_up",
    "swipe_down": "swipe_down",
}
_STILL = {
    "roll_degrees": 0.0,
    "tilt_degrees": 0.0,
    "half_turns": 0.0,
    "speed": 1.0,
    "gain": 0.0,
    "amplitude": 0.0,
    "bias": (0.0, 0.0),
    "noise": (0.0, 0.0),
    "clipped": 0.0,
}
PARTS = (
    Part("recipe", "the recipe as datasets/grwd/tinyltc.toml has it", {}),
    Part("raw", "inputs as they are, without their rate of change", {"model": {"preparation": "raw"}}),
    Part("high_pass", "inputs without their mean: no gravity", {"model": {"preparation": "high_pass"}}),
    Part("chunk_2s", "gradients through 2 s instead of 3 s", _training(chunk_s=2.0)),
    Part("late_motion", "late motion weighs as background, hold of 0.25 s", _training(motion_weight=1.0, hold_s=0.25)),
    Part("no_augmentation", "recordings as they are", _augmentation(**_STILL)),
    Part("no_rotation", "no turn of the strap", _augmentation(roll_degrees=0.0, tilt_degrees=0.0, half_turns=0.0)),
    Part("no_half_turns", "nobody wears the strap the other way round", _augmentation(half_turns=0.0)),
    Part("no_speed", "no stretch of time", _augmentation(speed=1.0)),
    Part(
        "no_sensor",
        "no gain, amplitude, bias, noise, clipping",
        _augmentation(gain=0.0, amplitude=0.0, bias=(0.0, 0.0), noise=(0.0, 0.0), clipped=0.0),
    ),
    Part(
        "stronger",
        "turns, stretch, gain and amplitude half as large again or more",
        _augmentation(roll_degrees=30.0, tilt_degrees=18.0, speed=1.5, amplitude=0.25, gain=0.1),
    ),
    Part("mirrored", "a third as if on the other hand", _augmentation(mirrored=0.3, mirror_classes=MIRROR)),
    Part("dropped", "a third with up to half of the samples lost", _augmentation(dropped=0.3)),
    Part("no_smoothing", "hard labels", _training(label_smoothing=0.0)),
    Part("no_average", "the last weights, not their average", _training(average=0.0)),
    Part("windows_only", "no stream that carries its state", _training(streams=0.0)),
    Part("unbalanced", "classes as often as they were recorded", _training(balanced=False)),
    Part("weight_decay", "weight decay 0.1", _training(weight_decay=0.1)),
    Part("slow_time", "time_scale 4: longer memory", {"model": {"time_scale": 4.0}}),
    Part("fast_time", "time_scale 20: dt 0.1 per 5 ms", {"model": {"time_scale": 20.0}}),
)


def chosen(names: list[str]) -> list[Part]:
    """Return the parts by name, the recipe first; all without names. Raises ConfigError for an unknown one."""
    known = {part.name: part for part in PARTS}
    for name in names:
        if name not in known:
            raise ConfigError(f"The recipe has no part '{name}'.", f"Parts: {', '.join(known)}.")
    return [part for part in PARTS if not names or part.name in ("recipe", *names)]


def changed(project: Project, part: Part, seed: int) -> Project:
    """Return ``project`` with the part's change and ``seed``, trained on everyone: a fold has no one to spare."""
    value = _merged(project.model_dump(), part.change)
    value = _merged(value, {"training": {"seed": seed, "everyone": True}})
    return validated(Project, value, f"part '{part.name}'")


def _merged(value: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    result = dict(value)
    for key, new in change.items():
        nested = isinstance(new, dict) and isinstance(result.get(key), dict) and key != "mirror_classes"
        result[key] = _merged(result[key], new) if nested else new
    return result
