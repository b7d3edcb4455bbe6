"""Arrays of device.npz that the histograms are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toolchain.errors import ModelError
from toolchain.files import read_npz


@dataclass(frozen=True)
class Traces:
    """Latency, and the time of every stage, at every timed sample, in microseconds."""

    latency_us: npt.NDArray[np.float64] | None = None
    stages_us: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)


def read_traces(path: Path) -> Traces:
    """Read ``latency_all_us`` (N,), ``stages`` (S,) names and ``stages_us`` (M, S); what is not there is left out.

    Raises ModelError for a damaged file.
    """
    if not path.exists():
        return Traces()
    arrays = read_npz(path, ModelError, f"Run `tinyltc run --run {path.parent.name}` again.")
    latency = arrays.get("latency_all_us")
    stages: dict[str, npt.NDArray[np.float64]] = {}
    if "stages" in arrays and "stages_us" in arrays and len(arrays["stages_us"]):
        columns = arrays["stages_us"].astype(np.float64).T
        stages = {str(name): column for name, column in zip(arrays["stages"], columns, strict=True)}
    has_latency = latency is not None and len(latency)
    return Traces(latency.astype(np.float64) if latency is not None and has_latency else None, stages)
