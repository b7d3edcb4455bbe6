"""What a healthy device says, and the model that it claims to run."""

from __future__ import annotations

import hashlib

from toolchain.wire.messages import Ack, AckStatus, Body, GetHealth, GetHello, Health, Hello, Message

IMAGE = b"a model image" + hashlib.sha256(b"a model image").digest()
HELLO = Hello(1, 0, 0, 0, "fake", "0.1.0", IMAGE[-32:], 64_000_000, 208_000, 6, 5, 128, 1000)
CLASSES = ["none", "swipe_left", "swipe_right", "tap", "rotate"]
HEALTH = Health(*[0] * 14)


def obey(request: Message, hello: Hello = HELLO) -> list[Body]:
    """Answer as a healthy device does."""
    match request.body:
        case GetHello():
            return [hello]
        case GetHealth():
            return [HEALTH]
        case _:
            return [Ack(request.sequence, AckStatus.DONE)]
