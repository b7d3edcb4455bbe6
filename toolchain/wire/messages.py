"""Messages: what the payload of a frame says, in both directions, bit for bit as docs/SPEC.md, 5, gives it.

Every body is a dataclass with its ``KIND``; :func:`encode` and :func:`decode` turn it into a payload and back.
Fields carry the units of the specification: microseconds, cycles, codes, logit steps * 256.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import astuple, dataclass
from enum import IntEnum, IntFlag
from typing import ClassVar

from toolchain.wire.frames import PAYLOAD_MAX, PAYLOAD_MIN

PROTOCOL_VERSION = 1
MESSAGE_VERSION = 1
"""Of every kind but HEALTH."""
HEALTH_VERSION = 3
"""Version 1, which older firmware sends, ended with dwt_moves."""
SAMPLES_MAX = 9
OUTPUTS_MAX = 32
LOG_TEXT_MAX = PAYLOAD_MAX - PAYLOAD_MIN - 1
PING_MAX = 32

_HEADER = struct.Struct("<BBHQ")
_HELLO = struct.Struct("<BBBB24s16s32sIIHHHH")
_SAMPLE_HEAD = struct.Struct("<IB")
_SAMPLE = struct.Struct("<I6h")
_STEP = struct.Struct("<IIBBiIB")
_DECISION = struct.Struct("<IBiQ")
_TIMING = struct.Struct("<II5III")
_HEALTH = struct.Struct("<17I")
_OLDER_HEALTH = {1: struct.Struct("<12I"), 2: struct.Struct("<14I")}
_ACK = struct.Struct("<HB")
_FIRMWARE = struct.Struct("<I32s")


class UnknownMessageError(ValueError):
    """The kind, or the version of that kind, is not in this specification."""


class BadBodyError(ValueError):
    """The body's length or a value does not fit its kind."""


class AckStatus(IntEnum):
    """How the device answered a request."""

    DONE = 0
    UNKNOWN_KIND = 1
    BAD_BODY = 2
    NOT_NOW = 3


class Stream(IntFlag):
    """Messages that the device sends on its own when SET_STREAMS asked for them."""

    NONE = 0
    SAMPLE = 1
    STEP = 2
    TIMING = 4


@dataclass(frozen=True, slots=True)
class Hello:
    """Who the device is. ``model_status`` and ``imu_status`` are 0 when they run."""

    KIND: ClassVar[int] = 1
    protocol: int
    model_status: int
    engine: int
    imu_status: int
    board: str
    firmware: str
    model_sha256: bytes
    clock_hz: int
    rate_mhz: int
    inputs: int
    outputs: int
    states: int
    engine_ram: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Up to nine samples; sample i was taken ``before_us[i]`` before the frame's time and read ``codes[i]``."""

    KIND: ClassVar[int] = 2
    index: int
    before_us: tuple[int, ...]
    codes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the network, with the CRC-32 of the float32 state bits after it."""

    KIND: ClassVar[int] = 3
    index: int
    delta_us: int
    reset: bool
    fired: bool
    winner: int
    margin: int
    state_crc: int
    y: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """A command: class ``winner`` fired on the sample stamped ``stamp_us``."""

    KIND: ClassVar[int] = 4
    index: int
    winner: int
    margin: int
    stamp_us: int


@dataclass(frozen=True, slots=True)
class Timing:
    """Where one sample's time went. ``cycles``: prepare, right-hand side, solver, decision, transmit set-up."""

    KIND: ClassVar[int] = 5
    index: int
    burst_us: int
    cycles: tuple[int, int, int, int, int]
    decision_us: int
    command_us: int
    """Data-ready to the command's last bit; 0: no command."""


@dataclass(frozen=True, slots=True)
class Health:
    """Counters of everything that should stay 0, and a few that should not."""

    KIND: ClassVar[int] = 6
    samples: int
    overruns: int
    lost_samples: int
    imu_faults: int
    imu_restarts: int
    dropped_commands: int
    dropped_others: int
    gap_resets: int
    received_bad: int
    engine_errors: int
    stack_unused: int
    dwt_moves: int
    stuck: int = 0
    odd_gravity: int = 0
    odd_axes: int = 0
    time_back: int = 0
    state_faults: int = 0


@dataclass(frozen=True, slots=True)
class Log:
    """A line for a person; severity 0 info, 1 warning, 2 error."""

    KIND: ClassVar[int] = 7
    severity: int
    text: str


@dataclass(frozen=True, slots=True)
class Ack:
    """The answer to the request with sequence number ``answered``."""

    KIND: ClassVar[int] = 8
    answered: int
    status: AckStatus


@dataclass(frozen=True, slots=True)
class Firmware:
    """What the firmware in flash is: its size and the SHA-256 of it, model image not included."""

    KIND: ClassVar[int] = 9
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class GetHello:
    """Asks for HELLO."""

    KIND: ClassVar[int] = 64


@dataclass(frozen=True, slots=True)
class GetHealth:
    """Asks for HEALTH."""

    KIND: ClassVar[int] = 65


@dataclass(frozen=True, slots=True)
class SetStreams:
    """Chooses what the device sends on its own; answered by ACK."""

    KIND: ClassVar[int] = 66
    mask: Stream


@dataclass(frozen=True, slots=True)
class Ping:
    """Up to 32 bytes that the device ignores; answered by ACK."""

    KIND: ClassVar[int] = 67
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class GetFirmware:
    """Asks for FIRMWARE, which comes when the device has hashed itself between its samples."""

    KIND: ClassVar[int] = 68


Request = GetHello | GetHealth | SetStreams | Ping | GetFirmware
Body = Hello | Sample | Step | Decision | Timing | Health | Log | Ack | Firmware | Request

COMMAND_KINDS = frozenset({Decision.KIND, Ack.KIND})
"""Kinds whose frames overtake others in the device's queue."""


@dataclass(frozen=True, slots=True)
class Message:
    """A body with its header: sequence number (16 bits) and device time in microseconds."""

    sequence: int
    time_us: int
    body: Body


def _pack(body: Body) -> bytes:
    match body:
        case Hello():
            board, firmware = body.board.encode(), body.firmware.encode()
            fields = (body.protocol, body.model_status, body.engine, body.imu_status, board, firmware)
            tail = (body.clock_hz, body.rate_mhz, body.inputs, body.outputs, body.states, body.engine_ram)
            return _HELLO.pack(*fields, body.model_sha256, *tail)
        case Sample():
            if not 1 <= len(body.codes) == len(body.before_us) <= SAMPLES_MAX:
                raise ValueError(f"a SAMPLE message holds 1 to {SAMPLES_MAX} samples, not {len(body.codes)}")
            rows = zip(body.before_us, body.codes, strict=True)
            head = _SAMPLE_HEAD.pack(body.index, len(body.codes))
            return head + b"".join(_SAMPLE.pack(before, *codes) for before, codes in rows)
        case Step():
            flags = body.reset | body.fired << 1
            fixed = (body.index, body.delta_us, flags, body.winner, body.margin, body.state_crc, len(body.y))
            return _STEP.pack(*fixed) + struct.pack(f"<{len(body.y)}b", *body.y)
        case Decision():
            return _DECISION.pack(body.index, body.winner, body.margin, body.stamp_us)
        case Timing():
            return _TIMING.pack(body.index, body.burst_us, *body.cycles, body.decision_us, body.command_us)
        case Health():
            return _HEALTH.pack(*astuple(body))
        case Log():
            return bytes([body.severity]) + body.text.encode()
        case Ack():
            return _ACK.pack(body.answered, body.status)
        case SetStreams():
            return bytes([body.mask])
        case Ping():
            return body.data
        case Firmware():
            return _FIRMWARE.pack(body.size, body.sha256)
        case GetHello() | GetHealth() | GetFirmware():
            return b""


def _version(kind: int) -> int:
    return HEALTH_VERSION if kind == Health.KIND else MESSAGE_VERSION


def encode(body: Body, sequence: int = 0, time_us: int = 0) -> bytes:
    """Return the payload of a message.

    Raises struct.error or ValueError for a field beyond its type (a bug of the caller).
    """
    payload = _HEADER.pack(body.KIND, _version(body.KIND), sequence, time_us) + _pack(body)
    if len(payload) > PAYLOAD_MAX:
        raise ValueError(f"{type(body).__name__} would take {len(payload)} bytes, more than {PAYLOAD_MAX}")
    return payload


def _text(field: bytes) -> str:
    return field.split(b"\x00", 1)[0].decode(errors="replace")


def _hello(body: bytes) -> Hello:
    protocol, model, engine, imu, board, firmware, sha256, *numbers = _HELLO.unpack(body)
    return Hello(protocol, model, engine, imu, _text(board), _text(firmware), sha256, *numbers)


def _sample(body: bytes) -> Sample:
    index, count = _SAMPLE_HEAD.unpack_from(body)
    if not 1 <= count <= SAMPLES_MAX or len(body) != _SAMPLE_HEAD.size + count * _SAMPLE.size:
        raise BadBodyError("the length does not fit the number of samples")
    rows = list(_SAMPLE.iter_unpack(body[_SAMPLE_HEAD.size :]))
    return Sample(index, tuple(row[0] for row in rows), tuple(row[1:] for row in rows))


def _step(body: bytes) -> Step:
    index, delta_us, flags, winner, margin, state_crc, count = _STEP.unpack_from(body)
    if count > OUTPUTS_MAX or len(body) != _STEP.size + count or flags > 3:
        raise BadBodyError("the length does not fit the number of outputs, or a flag is unknown")
    y = struct.unpack_from(f"<{count}b", body, _STEP.size)
    return Step(index, delta_us, bool(flags & 1), bool(flags & 2), winner, margin, state_crc, y)


def _decision(body: bytes) -> Decision:
    return Decision(*_DECISION.unpack(body))


def _timing(body: bytes) -> Timing:
    index, burst_us, c0, c1, c2, c3, c4, decision_us, command_us = _TIMING.unpack(body)
    return Timing(index, burst_us, (c0, c1, c2, c3, c4), decision_us, command_us)


def _health(body: bytes) -> Health:
    return Health(*_HEALTH.unpack(body))


def _log(body: bytes) -> Log:
    if not body or body[0] > 2:
        raise BadBodyError("a LOG message needs a severity of 0, 1 or 2")
    return Log(body[0], body[1:].decode(errors="replace"))


def _ack(body: bytes) -> Ack:
    answered, status = _ACK.unpack(body)
    return Ack(answered, AckStatus(status))


def _firmware(body: bytes) -> Firmware:
    return Firmware(*_FIRMWARE.unpack(body))


def _empty(body: bytes) -> None:
    if body:
        raise BadBodyError("the request has no body")


def _get_hello(body: bytes) -> GetHello:
    _empty(body)
    return GetHello()


def _get_health(body: bytes) -> GetHealth:
    _empty(body)
    return GetHealth()


def _get_firmware(body: bytes) -> GetFirmware:
    _empty(body)
    return GetFirmware()


def _set_streams(body: bytes) -> SetStreams:
    if len(body) != 1 or body[0] > 7:
        raise BadBodyError("SET_STREAMS has one byte with bits 0 to 2")
    return SetStreams(Stream(body[0]))


def _ping(body: bytes) -> Ping:
    if len(body) > PING_MAX:
        raise BadBodyError(f"PING has at most {PING_MAX} bytes")
    return Ping(body)


_DECODERS: dict[int, Callable[[bytes], Body]] = {
    Hello.KIND: _hello,
    Sample.KIND: _sample,
    Step.KIND: _step,
    Decision.KIND: _decision,
    Timing.KIND: _timing,
    Health.KIND: _health,
    Log.KIND: _log,
    Ack.KIND: _ack,
    Firmware.KIND: _firmware,
    GetHello.KIND: _get_hello,
    GetHealth.KIND: _get_health,
    SetStreams.KIND: _set_streams,
    Ping.KIND: _ping,
    GetFirmware.KIND: _get_firmware,
}


def header(payload: bytes) -> tuple[int, int, int, int]:
    """Return kind, version, sequence number and device time (microseconds) of a payload of at least 12 bytes."""
    kind, version, sequence, time_us = _HEADER.unpack_from(payload)
    return kind, version, sequence, time_us


def decode(payload: bytes) -> Message:
    """Read a payload of at least 12 bytes.

    Raises UnknownMessageError for a kind or version that is not in the specification, BadBodyError for a body whose
    length or value does not fit.
    """
    kind, version, sequence, time_us = header(payload)
    older = _OLDER_HEALTH.get(version) if kind == Health.KIND else None
    decoder = _DECODERS.get(kind)
    if decoder is None or (older is None and version != _version(kind)):
        raise UnknownMessageError(f"kind {kind} version {version}")
    body = payload[_HEADER.size :]
    try:
        return Message(sequence, time_us, Health(*older.unpack(body)) if older else decoder(body))
    except (struct.error, ValueError) as reason:
        raise BadBodyError(f"kind {kind}: {reason}") from None
