"""Model images: built and parsed byte for byte (docs/SPEC.md, 4). ``firmware/core/model.c`` reads the same bytes.

:func:`parse` checks what the firmware checks, in the same order, and gives the same status, so that an image that
passes here runs there.
"""

from __future__ import annotations

import enum
import hashlib
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.codegen.topology import ALIGNMENT, KINDS, MAX_LAYERS, TABLE_ENTRIES, Topology, aligned
from toolchain.errors import ModelError
from toolchain.ltc.modelspec import DecisionSpec
from toolchain.ltc.solvers import COUNTED_UP_TO
from toolchain.ltc.step import RATE_STEPS, RATE_ZERO

MAGIC = b"TLTCMDL1"
FORMAT_VERSION = 3
HASH_BYTES = 32
MAX_SECTIONS = 16
MAX_LABEL_BYTES = 31
PADDING = b"\xff"
HEADER = struct.Struct("<8sHHI8sHHHH8HfffIIffIf44s")
SECTION = struct.Struct("<4sII")
DECISION = struct.Struct("<iIIII")
"""Followed by the threshold of every output, i32."""
SMOOTHING_LIMIT = 1 << 20
TIME_LIMIT = 1 << 30
DT_MAX_US_LIMIT = 1 << 24
MULTIPLIER_MAX = 32767
RATE_UNIT_MIN, RATE_UNIT_MAX = np.float32(2.0**-63), np.float32(1.0)


class Status(enum.IntEnum):
    """``tl_model_status`` of firmware/core/model.h."""

    OK = 0
    ERASED = 1
    MAGIC = 2
    VERSION = 3
    SIZE = 4
    HASH = 5
    TOPOLOGY = 6
    SECTION = 7
    FIELD = 8
    BOARD = 9


class ImageError(ModelError):
    """A model image that the firmware would refuse with ``status``."""

    def __init__(self, status: Status, what: str) -> None:
        self.status = status
        super().__init__(f"The model image is unusable ({status.name}): {what}.", "Make it again: `tinyltc generate`.")


@dataclass(frozen=True, eq=False)
class ModelImage:
    """What a model image holds.

    ``multipliers`` int32 (inputs,); ``rate_table`` float32 (rate tables, 256), 1/tau in 1/model time, whole
    multiples of ``rate_unit``; ``acc_lsb`` in m/s²
    and ``gyro_lsb`` in rad/s per code; ``dt_per_us`` in model time per microsecond; ``kernels`` and ``tflite`` are the
    sections KERN and TFLT, None where the image has none.
    """

    topology: Topology
    rate_hz: float
    inv_scale: float
    dt_per_us: float
    dt_max_us: int
    period_us: int
    acc_lsb: float
    gyro_lsb: float
    multipliers: npt.NDArray[np.int32]
    rate_unit: float
    rate_table: npt.NDArray[np.float32]
    decision: DecisionSpec
    labels: tuple[str, ...]
    kernels: bytes | None = None
    tflite: bytes | None = None


def build(image: ModelImage) -> bytes:
    """Return the image's bytes; raises ModelError for what :func:`parse` would refuse."""
    decision = image.decision
    sections = [
        (b"PREP", image.multipliers.astype("<i4").tobytes()),
        (b"TAUR", (image.rate_table / np.float32(image.rate_unit) - RATE_ZERO).astype("<i2").tobytes()),
        (
            b"DECI",
            DECISION.pack(
                decision.background,
                decision.smoothing_us,
                decision.confirm_us,
                decision.holdoff_us,
                decision.warmup_us,
            )
            + struct.pack(f"<{image.topology.outputs}i", *decision.thresholds(image.topology.outputs)),
        ),
        (b"LABL", b"".join(label.encode() + b"\0" for label in image.labels)),
    ]
    sections += [(tag, data) for tag, data in ((b"KERN", image.kernels), (b"TFLT", image.tflite)) if data is not None]

    table, body = b"", b""
    start = HEADER.size + SECTION.size * len(sections)
    for tag, data in sections:
        body = body.ljust(aligned(start + len(body)) - start, PADDING)
        table += SECTION.pack(tag, start + len(body), len(data))
        body += data
    body = body.ljust(aligned(start + len(body)) - start, PADDING)
    total = start + len(body) + HASH_BYTES

    topology = image.topology
    units = (*topology.units, *(0,) * (MAX_LAYERS - topology.layers))
    header = HEADER.pack(
        MAGIC,
        FORMAT_VERSION,
        HEADER.size,
        total,
        topology.hash,
        topology.inputs,
        topology.layers,
        topology.outputs,
        KINDS[topology.kind],
        *units,
        image.rate_hz,
        image.inv_scale,
        image.dt_per_us,
        image.dt_max_us,
        image.period_us,
        image.acc_lsb,
        image.gyro_lsb,
        len(sections),
        image.rate_unit,
        bytes(44),
    )
    data = seal(header + table + body)
    parse(data, topology, image.acc_lsb, image.gyro_lsb)
    return data


def seal(data: bytes) -> bytes:
    """Append the SHA-256."""
    return data + hashlib.sha256(data).digest()


def check_whole(data: bytes) -> int:
    """Check that an image starts ``data`` and is whole, whatever network it holds; return where its hash begins.

    Raises ImageError for the first of: sizes, magic, format version, SHA-256.
    """
    if len(data) < HEADER.size + HASH_BYTES:
        raise ImageError(Status.SIZE, f"{len(data)} bytes are fewer than a header and a hash")
    magic, version, header_size, total = HEADER.unpack_from(data)[:4]
    if magic != MAGIC:
        if not data.strip(b"\xff"):
            raise ImageError(Status.ERASED, "it holds only 0xFF")
        raise ImageError(Status.MAGIC, "it does not start with TLTCMDL1")
    if version != FORMAT_VERSION:
        raise ImageError(Status.VERSION, f"format version {version}, expected {FORMAT_VERSION}")
    if header_size != HEADER.size or total % 4 or not HEADER.size + HASH_BYTES <= total <= len(data):
        raise ImageError(Status.SIZE, f"header of {header_size} bytes, total of {total}, in a slot of {len(data)}")
    end = total - HASH_BYTES
    if hashlib.sha256(data[:end]).digest() != data[end:total]:
        raise ImageError(Status.HASH, "its SHA-256 differs")
    return int(end)


def parse(data: bytes, topology: Topology, acc_lsb: float, gyro_lsb: float, capacity: int | None = None) -> ModelImage:
    """Check the image at the start of ``data`` and read it; ``capacity``: bytes of the slot (default: all of ``data``).

    ``topology`` is that of the firmware; ``acc_lsb`` (m/s²) and ``gyro_lsb`` (rad/s) are the board's. Raises
    ImageError with the status that the firmware would give.
    """
    end = check_whole(data if capacity is None else data[:capacity])
    fields = HEADER.unpack_from(data)
    if fields[4] != topology.hash:
        raise ImageError(Status.TOPOLOGY, f"it was not made for {topology.string}")
    sections, labels = _sections(data, fields[-3], end, topology)
    return _fields(fields, sections, labels, topology, acc_lsb, gyro_lsb)


def _sections(data: bytes, count: int, end: int, topology: Topology) -> tuple[dict[bytes, bytes], tuple[str, ...]]:
    if not 1 <= count <= MAX_SECTIONS or HEADER.size + SECTION.size * count > end:
        raise ImageError(Status.SECTION, f"{count} sections")
    sections: dict[bytes, bytes] = {}
    free_from = HEADER.size + SECTION.size * count
    for i in range(count):
        tag, offset, size = SECTION.unpack_from(data, HEADER.size + SECTION.size * i)
        if offset % ALIGNMENT or offset < free_from or offset + size > end or tag in sections:
            raise ImageError(Status.SECTION, f"section {tag!r} of {size} bytes at {offset}")
        sections[tag] = data[offset : offset + size]
        free_from = offset + size
    sizes = {
        b"PREP": 4 * topology.inputs,
        b"TAUR": 2 * TABLE_ENTRIES * topology.rate_tables,
        b"DECI": DECISION.size + 4 * topology.outputs,
    }
    if b"KERN" in sections:
        sizes[b"KERN"] = topology.kern_bytes
    for tag, size in sizes.items():
        if len(sections.get(tag, b"")) != size:
            raise ImageError(Status.SECTION, f"section {tag!r} must have {size} bytes")
    if not {b"KERN", b"TFLT"} & sections.keys():
        raise ImageError(Status.SECTION, "neither KERN nor TFLT")
    return sections, _labels(sections.get(b"LABL", b""), topology.outputs)


def _labels(data: bytes, outputs: int) -> tuple[str, ...]:
    *labels, rest = data.split(b"\0")
    if rest or len(labels) != outputs or any(len(label) > MAX_LABEL_BYTES for label in labels):
        raise ImageError(
            Status.SECTION, f"LABL must hold {outputs} NUL-terminated names of at most {MAX_LABEL_BYTES} bytes"
        )
    return tuple(label.decode(errors="replace") for label in labels)


def _decision(data: bytes, outputs: int) -> DecisionSpec:
    background, smoothing, confirm, holdoff, warmup = DECISION.unpack_from(data)
    thresholds = struct.unpack_from(f"<{outputs}i", data, DECISION.size)
    if (
        not -1 <= background < outputs
        or smoothing >= SMOOTHING_LIMIT
        or max(confirm, warmup) >= TIME_LIMIT
        or min(thresholds) < 0
        or max(thresholds) >= 1 << 24
    ):
        raise ImageError(Status.FIELD, "a decision parameter is out of range")
    common = max(sorted(set(thresholds)), key=thresholds.count)
    return DecisionSpec(
        background=background,
        smoothing_us=smoothing,
        confirm_us=confirm,
        holdoff_us=holdoff,
        warmup_us=warmup,
        threshold=common,
        threshold_of={c: value for c, value in enumerate(thresholds) if value != common},
    )


def _fields(
    fields: tuple[object, ...],
    sections: dict[bytes, bytes],
    labels: tuple[str, ...],
    topology: Topology,
    acc_lsb: float,
    gyro_lsb: float,
) -> ModelImage:
    shape = (topology.inputs, topology.layers, topology.outputs, KINDS[topology.kind])
    units = (*topology.units, *(0,) * (MAX_LAYERS - topology.layers))
    if fields[5:9] != shape or fields[9:17] != units or fields[-1] != bytes(44):
        raise ImageError(Status.FIELD, "its shape is not that of its topology, or its reserved bytes are not zero")
    floats = np.array([*fields[17:20], *fields[22:24]], np.float32)
    if not (np.isfinite(floats) & (floats > 0)).all():
        raise ImageError(Status.FIELD, f"rate, scales or LSB are not positive: {floats.tolist()}")
    rate_hz, inv_scale, dt_per_us, image_acc_lsb, image_gyro_lsb = map(float, floats)
    dt_max_us, period_us = fields[20:22]
    assert isinstance(dt_max_us, int)
    assert isinstance(period_us, int)
    if dt_per_us > 1 or not 1 <= dt_max_us < DT_MAX_US_LIMIT or not 1 <= period_us < DT_MAX_US_LIMIT:
        raise ImageError(Status.FIELD, f"dt_per_us {dt_per_us}, dt_max_us {dt_max_us}, period_us {period_us}")
    multipliers = np.frombuffer(sections[b"PREP"], "<i4")
    if (multipliers < 1).any() or (multipliers > MULTIPLIER_MAX).any():
        raise ImageError(Status.FIELD, f"a PREP multiplier lies outside 1..{MULTIPLIER_MAX}")
    assert isinstance(fields[-2], float)
    unit = np.float32(fields[-2])
    if not RATE_UNIT_MIN <= unit <= RATE_UNIT_MAX:
        raise ImageError(Status.FIELD, f"rate_unit {unit} is not within [2^-63, 1]")
    entries = np.frombuffer(sections[b"TAUR"], "<i2").reshape(topology.rate_tables, TABLE_ENTRIES)
    table = (entries.astype(np.float32) + np.float32(RATE_ZERO)) * unit
    longest = np.float32(max(dt_max_us, period_us)) * np.float32(dt_per_us)
    limit = topology.stable_up_to
    with np.errstate(over="ignore"):
        stable = limit is None or bool((longest * table <= np.float32(limit)).all())
        if topology.solver == "semi_implicit":  # its integers must hold whatever an entry may be
            limit = COUNTED_UP_TO
            stable = bool(longest * (unit * np.float32(RATE_STEPS)) <= np.float32(limit))
    if not stable:
        raise ImageError(Status.FIELD, f"dt * r exceeds {limit}, the bound of solver {topology.solver}")
    decision = _decision(sections[b"DECI"], topology.outputs)
    if floats[3].tobytes() != np.float32(acc_lsb).tobytes() or floats[4].tobytes() != np.float32(gyro_lsb).tobytes():
        raise ImageError(Status.BOARD, f"trained for {image_acc_lsb} m/s² and {image_gyro_lsb} rad/s per code")
    return ModelImage(
        topology=topology,
        rate_hz=rate_hz,
        inv_scale=inv_scale,
        dt_per_us=dt_per_us,
        dt_max_us=dt_max_us,
        period_us=period_us,
        acc_lsb=image_acc_lsb,
        gyro_lsb=image_gyro_lsb,
        multipliers=multipliers,
        rate_unit=float(unit),
        rate_table=table,
        decision=decision,
        labels=labels,
        kernels=sections.get(b"KERN"),
        tflite=sections.get(b"TFLT"),
    )
