"""Which message answers which request: the same for a real port and for bytes captured at an emulated pin."""

from __future__ import annotations

from collections.abc import Container

from toolchain.wire.messages import (
    Ack,
    AckStatus,
    Body,
    Firmware,
    GetFirmware,
    GetHealth,
    GetHello,
    Health,
    Hello,
    Ping,
    SetStreams,
)

ANSWER: dict[type[Body], type[Body]] = {
    GetHello: Hello,
    GetHealth: Health,
    GetFirmware: Firmware,
    SetStreams: Ack,
    Ping: Ack,
}
"""The type of the answer, by the type of the request."""


def is_stale(answer: Body, tried: Container[int]) -> bool:
    """Tell whether ``answer`` is an ACK of another request than those sent with the sequence numbers ``tried``."""
    return isinstance(answer, Ack) and answer.answered not in tried


def refusal(answer: Body) -> str:
    """Return why the device refused, in words; empty when it did what was asked."""
    if not isinstance(answer, Ack) or answer.status is AckStatus.DONE:
        return ""
    return answer.status.name.lower().replace("_", " ")
