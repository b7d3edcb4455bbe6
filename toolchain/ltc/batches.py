"""Batches for training: half windows from rest, half streams that carry their state from chunk to chunk.

Trained on short windows alone, the network fails on long streams, whose states it never saw; hence truncated
back-propagation through time over streams beside the windows. The inputs are IMU codes, as on the device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.board import Imu
from toolchain.errors import ConfigError, DataError
from toolchain.ltc.augment import Varied, vary
from toolchain.ltc.modelspec import ModelSpec
from toolchain.ltc.step import Timing, model_dt, network_input, timing
from toolchain.ltc.targets import targets
from toolchain.ltc.weights import Floats
from toolchain.project import Training
from toolchain.recordings.codes import to_codes
from toolchain.recordings.recording import UNKNOWN, Recording

STRIDE_MARGIN = 1.5
"""So much longer than a training step's nominal time a gap is at least, for stamps with jitter."""


@dataclass(frozen=True)
class Batch:
    """One training step: B chunks of T samples.

    ``x`` (B, T, inputs), ``dt`` (B, T) model time, ``target`` int32 (B, T), ``weight`` (B, T); ``keep`` float32 (B, 1)
    is 1 where the state of the same row in the batch before goes on. A sample with dt 0 and weight 0 is padding.
    """

    x: Floats
    dt: Floats
    target: npt.NDArray[np.int32]
    weight: Floats
    keep: Floats


@dataclass(frozen=True)
class Prepared:
    """One recording as the network sees it: arrays as in Batch without B; ``reset`` bool (T,) before a sample."""

    x: Floats
    dt: Floats
    target: npt.NDArray[np.int32]
    weight: Floats
    reset: npt.NDArray[np.bool_]

    def cut(self, first: int, last: int) -> Prepared:
        """Return the samples ``first`` to ``last`` - 1."""
        part = slice(first, last)
        return Prepared(self.x[part], self.dt[part], self.target[part], self.weight[part], self.reset[part])


def training_stride(spec: ModelSpec, rate_hz: float) -> int:
    """Return which fraction of the samples is trained on, down to ``rate_hz``: no step may be a gap, which resets."""
    return max(1, min(int(spec.rate_hz / rate_hz), int(spec.dt_max_us / (STRIDE_MARGIN * spec.period_us))))


class Preparer:
    """Turns recordings into inputs and targets for one model on one board."""

    def __init__(self, spec: ModelSpec, imu: Imu, background: int, settings: Training) -> None:
        self._spec, self._imu, self._background, self._settings = spec, imu, background, settings
        self.stride = training_stride(spec, settings.rate_hz)
        """Every so many samples one is taken: the network integrates over true time, and long gestures cost less."""
        self.inputs = spec.inputs
        self._mirror = _mirror(spec.classes, background, settings.augmentation.mirror_classes)

    def __call__(self, recording: Recording, random: np.random.Generator | None) -> Prepared:
        """Prepare one recording; ``random`` varies it as :mod:`toolchain.ltc.augment` says, None leaves it as it is."""
        t_us, labels = recording.t_us, recording.labels
        varied: Varied | None = None
        if random is not None:
            # A window of a class that has no mirror image would teach nothing; of a stream that part is unknown.
            may_mirror = recording.kind == "stream" or bool((self._mirror[labels] == UNKNOWN).sum() == 0)
            varied = vary(recording.samples, t_us, random, self._settings.augmentation, may_mirror=may_mirror)
            t_us, labels = varied.t_us, labels[varied.source]
            if varied.mirrored:
                labels = self._mirror[labels]
        # Samples are left out counted from the last one: a window's end is what its score is about.
        taken = np.arange((len(t_us) - 1) % self.stride, len(t_us), self.stride)
        x = self._inputs(recording.samples if varied is None else varied, timing(t_us, self._spec), taken)
        t_us, labels = t_us[taken], labels[taken]
        when = timing(t_us, self._spec)
        target, weight = targets(labels, t_us, self._background, recording.kind == "window", self._settings)
        return Prepared(x, model_dt(when.delta_us, self._spec), target, weight, when.reset)

    def _inputs(self, source: Floats | Varied, whole: Timing, taken: npt.NDArray[np.intp]) -> Floats:
        """Return the inputs at the samples ``taken``: prepared from every sample, as on the device.

        Only those that the preparation looks at are made: for a rate of change each sample and the one before it.
        """
        preparation = self._spec.preparation
        if preparation == "difference":
            rows = np.stack([np.maximum(taken - 1, 0), taken], axis=1)
        else:
            rows = taken[:, None] if preparation == "raw" else np.arange(len(whole.reset))[None]
        # Neighbours share their noise, or a rate of change would hold that of two different samples.
        needed, place = np.unique(rows, return_inverse=True)
        samples = source.at(needed) if isinstance(source, Varied) else source[needed]
        codes = to_codes(samples, self._imu)[place.reshape(rows.shape)]
        made = network_input(codes, Timing(whole.delta_us[rows], whole.reset[rows], 0), self._spec)
        return made[0][taken] if preparation == "high_pass" else made[:, -1]


def _mirror(classes: Sequence[str], background: int, pairs: dict[str, str]) -> npt.NDArray[np.int16]:
    """Return what each class becomes on the other hand, UNKNOWN (the last entry too) for what has no mirror image."""
    images = pairs | {image: name for name, image in pairs.items()} | {classes[background]: classes[background]}
    for name in images:
        if name not in classes:
            raise ConfigError(
                f"[training.augmentation] mirror_classes names the class '{name}', which is not trained.",
                f"The classes: {', '.join(classes)}.",
            )
    of = [classes.index(images[name]) if name in images else UNKNOWN for name in classes]
    return np.array([*of, UNKNOWN], np.int16)


class _StreamRow:
    """One row of the batch that walks along streams, one chunk at a time."""

    def __init__(self) -> None:
        self._stream: Prepared | None = None
        self._at = 0

    def next_chunk(self, length: int, draw: Callable[[], Prepared], enter: float) -> tuple[Prepared, bool]:
        """Return at most ``length`` samples and whether they go on from the chunk before.

        A chunk ends before a reset. ``draw`` gives a new stream where one ended; the very first is entered at the
        fraction ``enter``, so that the rows do not all change streams at the same step.
        """
        if self._stream is None or self._at >= len(self._stream.dt):
            first = self._stream is None
            self._stream = draw()
            self._at = int(enter * len(self._stream.dt)) if first else 0
            goes_on = False
        else:
            goes_on = not self._stream.reset[self._at]
        end = min(self._at + length, len(self._stream.dt))
        resets = np.flatnonzero(self._stream.reset[self._at + 1 : end])
        if len(resets):
            end = self._at + 1 + int(resets[0])
        chunk = self._stream.cut(self._at, end)
        self._at = end
        return chunk, goes_on


class Batches:
    """An endless, seeded sequence of batches from the recordings of one part of a data set.

    ``settings.batch`` chunks of ``length`` samples: first windows, every class as often as any other (``balanced``) or
    as often as the recordings hold it, then the fraction ``streams`` of streams, likewise. ``varied`` says whether
    recordings are varied. Raises DataError without windows or streams.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        prepare: Preparer,
        background: int,
        *,
        settings: Training,
        length: int,
        seed: int,
        varied: bool,
    ) -> None:
        self._random = np.random.default_rng(seed)
        self._varied = varied
        self._prepare = prepare
        self._rows, self._length = settings.batch, length
        self._balanced = settings.balanced
        self._streams = [recording for recording in recordings if recording.kind == "stream"]
        self._streams_of = _by_class(self._streams, background) if settings.balanced else [self._streams]
        self._windows: dict[int, list[Recording]] = {}
        for recording in recordings:
            if recording.kind == "window":
                self._windows.setdefault(recording.label(background), []).append(recording)
        if not self._streams or not self._windows:
            missing = "windows" if self._streams else "streams"
            raise DataError(f"The recordings hold no {missing}.", "Training needs both windows and streams.")
        self._walkers = [_StreamRow() for _ in range(round(settings.streams * settings.batch))]

    def next_batch(self) -> Batch:
        """Make the next batch."""
        rows, length = self._rows, self._length
        batch = Batch(
            np.zeros((rows, length, self._prepare.inputs), np.float32),
            np.zeros((rows, length), np.float32),
            np.zeros((rows, length), np.int32),
            np.zeros((rows, length), np.float32),
            np.zeros((rows, 1), np.float32),
        )
        windows = rows - len(self._walkers)
        for row in range(windows):
            prepared = self._draw_window()
            starts = np.flatnonzero(prepared.reset)
            first = max(int(starts[-1]) if len(starts) else 0, len(prepared.dt) - length)
            _put(batch, row, prepared.cut(first, len(prepared.dt)), at_end=True)
        for row, walker in enumerate(self._walkers, start=windows):
            chunk, goes_on = walker.next_chunk(length, self._draw_stream, self._random.uniform())
            _put(batch, row, chunk, at_end=False)
            batch.keep[row] = goes_on
        return batch

    def _draw(self, recordings: Sequence[Recording]) -> Prepared:
        recording = recordings[int(self._random.integers(len(recordings)))]
        return self._prepare(recording, self._random if self._varied else None)

    def _draw_window(self) -> Prepared:
        classes = sorted(self._windows)
        if not self._balanced:
            return self._draw([window for name in classes for window in self._windows[name]])
        return self._draw(self._windows[classes[int(self._random.integers(len(classes)))]])

    def _draw_stream(self) -> Prepared:
        return self._draw(self._streams_of[int(self._random.integers(len(self._streams_of)))])


def _by_class(streams: Sequence[Recording], background: int) -> list[list[Recording]]:
    """Return for each class the streams that hold it; for the background those that hold nothing else."""
    groups: dict[int, list[Recording]] = {}
    for stream in streams:
        present = set(np.unique(stream.labels).tolist()) - {background, UNKNOWN}
        for label in present or {background}:
            groups.setdefault(label, []).append(stream)
    return [groups[label] for label in sorted(groups)]


def _put(batch: Batch, row: int, chunk: Prepared, *, at_end: bool) -> None:
    """Copy a chunk into a row; what it does not fill stays padding."""
    length = len(chunk.dt)
    place = slice(-length, None) if at_end else slice(0, length)
    batch.x[row, place] = chunk.x
    batch.dt[row, place] = chunk.dt
    batch.target[row, place] = chunk.target
    batch.weight[row, place] = chunk.weight
