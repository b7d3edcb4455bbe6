"""Losses, true rate and jitter of a recording, from its stamps and, where it has them, the device's sample indices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

IRREGULAR = 0.1
"""Where a tenth of the steps lie farther from the median than this fraction of it, stamps are irregular by nature."""
_LONG = 1.5
"""A step of more than so many periods is a loss."""


@dataclass(frozen=True)
class Loss:
    """``count`` samples are missing before row ``row``, at ``seconds`` of the recording.

    ``where``: ``link`` (the device sent them: their indices are missing), ``device`` (never read from the sensor: the
    stamps jump, the indices do not), ``stamps`` (a file without indices: told by the stamps alone).
    """

    row: int
    seconds: float
    count: int
    where: Literal["link", "device", "stamps"]


@dataclass(frozen=True)
class Timing:
    """``rate_hz``: of the sensor, lost samples counted in; ``jitter_us``: root mean square and largest distance of a
    stamp from the even grid through its neighbours; ``regular``: whether losses can be told from the stamps."""

    rate_hz: float
    jitter_us: tuple[float, float]
    losses: tuple[Loss, ...]
    regular: bool

    @property
    def lost(self) -> int:
        """Samples that are missing."""
        return sum(loss.count for loss in self.losses)


def timing(
    t_us: npt.NDArray[np.int64],
    index: npt.NDArray[np.int64] | None = None,
    around: tuple[int | None, int | None] = (None, None),
) -> Timing:
    """Measure stamps int64 (T,) in microseconds by the clock that made them; ``index`` int64 (T,): the device's count.

    ``around``: the indices of the samples that came just before the first and just after the last, where known: what
    is missing in between is lost at this recording's edge (row 0, row T).

    The rate is the slope of a least-squares line through sample number against time, losses counted in as numbers.
    """
    if len(t_us) < 3:
        return Timing(0.0, (0.0, 0.0), (), False)
    step = np.diff(t_us)
    counted = np.ones(len(step), np.int64) if index is None else np.diff(index)
    period = float(np.median(step / counted))
    away = np.abs(step / counted - period) > IRREGULAR * period
    regular = bool(away.mean() <= 0.1)
    passed = np.maximum(np.rint(step / period).astype(np.int64), 1)
    passed[step <= _LONG * period] = 1
    in_link = counted - 1
    unread = np.maximum(passed - counted, 0) if regular else np.zeros_like(counted)
    t_s = (t_us - t_us[0]) * 1e-6
    losses: list[Loss] = []
    for where, missing in (("link", in_link), ("stamps" if index is None else "device", unread)):
        for i in np.flatnonzero(missing > 0).tolist():
            losses.append(Loss(i + 1, float(t_s[i + 1]), int(missing[i]), where))  # type: ignore[arg-type]
    if index is not None:
        before, after = around
        if before is not None and index[0] - before > 1:
            losses.append(Loss(0, 0.0, int(index[0] - before) - 1, "link"))
        if after is not None and after - index[-1] > 1:
            losses.append(Loss(len(t_us), float(t_s[-1]), int(after - index[-1]) - 1, "link"))
    number = np.concatenate([[0], np.cumsum(counted + unread)]).astype(np.float64)
    slope = np.polyfit(number, t_s * 1e6, 1)[0]
    off = (step - (counted + unread) * slope) / np.sqrt(2.0)
    jitter = (float(np.sqrt(np.mean(off**2))), float(np.abs(off).max()))
    return Timing(1e6 / float(slope), jitter, tuple(sorted(losses, key=lambda loss: loss.row)), regular)


def drift_ppm(
    device_us: npt.NDArray[np.int64], host_us: npt.NDArray[np.int64], bins: int = 16
) -> tuple[float, float] | None:
    """Return how much faster the host's clock runs than the device's, in parts per million, and how sure that is.

    Delays on the way only ever add, so of each of ``bins`` stretches of time the quickest arrival counts; a line
    through them gives the drift, its standard error the doubt. None for less than ten seconds.
    """
    if len(device_us) < 4 * bins or device_us[-1] - device_us[0] < 10_000_000:
        return None
    late = (host_us - device_us).astype(np.float64)
    edges = np.linspace(float(device_us[0]), float(device_us[-1]) + 1, bins + 1)
    which = np.searchsorted(edges, device_us, side="right") - 1
    best = [int(np.flatnonzero(which == b)[np.argmin(late[which == b])]) for b in range(bins) if (which == b).any()]
    if len(best) < 4:
        return None
    t, y = device_us[best].astype(np.float64), late[best]
    t -= t.mean()
    slope = float((t * y).sum() / (t * t).sum())
    rest = y - y.mean() - slope * t
    error = float(np.sqrt((rest**2).sum() / (len(best) - 2) / (t * t).sum()))
    return slope * 1e6, error * 1e6
