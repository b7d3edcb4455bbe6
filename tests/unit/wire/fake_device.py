"""A device to talk to: the other end of a pty."""

from __future__ import annotations

import os
import threading
import tty
from collections.abc import Callable

from toolchain.wire.frames import FrameDecoder, encode_frame
from toolchain.wire.messages import Ack, AckStatus, Body, Message, Ping, SetStreams, decode, encode


class FakeDevice:
    """The device's end of a pty: a thread that hands every request to ``react`` and sends what it returns."""

    def __init__(self) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave
        self.requests: list[Message] = []
        self.react: Callable[[Message], list[Body]] = self.obey
        self.sequence = 0
        self.time_us = 0
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @staticmethod
    def obey(request: Message) -> list[Body]:
        """Answer ACK requests."""
        return [Ack(request.sequence, AckStatus.DONE)] if isinstance(request.body, SetStreams | Ping) else []

    def send(self, *bodies: Body) -> None:
        """Send messages with the next sequence numbers."""
        for body in bodies:
            with self._lock:
                frame = encode_frame(encode(body, self.sequence, self.time_us))
                self.sequence = (self.sequence + 1) & 0xFFFF
                self.time_us += 1000
            self.write(frame)

    def write(self, data: bytes) -> None:
        """Put bytes on the line."""
        while data:
            data = data[os.write(self._master, data) :]

    def _serve(self) -> None:
        decoder = FrameDecoder()
        while True:
            try:
                data = os.read(self._master, 4096)
            except OSError:
                return
            for payload in decoder.feed(data):
                request = decode(payload)
                if isinstance(request.body, Ping) and request.body.data == b"stop":
                    return
                self.requests.append(request)
                self.send(*self.react(request))

    def disappear(self) -> None:
        """Unplug."""
        if not self._closed:
            self._closed = True
            # The thread sits in a read of the master, which closing would not end: wake it from the other side.
            os.write(self._slave, b"\x00" + encode_frame(encode(Ping(b"stop"))))
            self._thread.join()
            os.close(self._slave)
            os.close(self._master)
