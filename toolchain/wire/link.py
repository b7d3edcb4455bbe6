"""The link to a device over any port that pyserial opens: a device path, a pty, ``socket://``, ``loop://``."""

from __future__ import annotations

import errno
import queue
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

import serial
from serial.tools import list_ports

from toolchain.errors import LinkError
from toolchain.wire.answers import ANSWER, is_stale, refusal
from toolchain.wire.capture import Capture, Counters
from toolchain.wire.frames import encode_frame
from toolchain.wire.messages import (
    PROTOCOL_VERSION,
    Ack,
    Body,
    Firmware,
    GetFirmware,
    GetHealth,
    GetHello,
    Health,
    Hello,
    Message,
    Ping,
    Request,
    SetStreams,
    Stream,
    encode,
)

BAUD = 1_000_000
QUEUE_MESSAGES = 1 << 16
"""Unread messages kept; more are dropped and counted in :attr:`Link.unread`."""
_POLL_S = 0.02
_Answer = TypeVar("_Answer", Hello, Health, Firmware, Ack)


def _open_port(url: str, baud: int) -> Any:
    try:
        return serial.serial_for_url(url, baudrate=baud, timeout=_POLL_S, write_timeout=1.0, exclusive=True)
    except (serial.SerialException, OSError) as reason:
        if reason.errno == errno.ENOENT:
            known = ", ".join(sorted(port.device for port in list_ports.comports())) or "none"
            raise LinkError(f"There is no serial port '{url}'.", f"Ports here: {known}.") from None
        if reason.errno == errno.EACCES:
            hint = "Join the group that owns it (`sudo usermod -aG dialout $USER`) and log in again."
            raise LinkError(f"You may not open the serial port '{url}'.", hint) from None
        if reason.errno in (errno.EBUSY, errno.EAGAIN):
            raise LinkError(f"The serial port '{url}' is in use.", "Close the program that holds it.") from None
        raise LinkError(f"The serial port '{url}' cannot be opened ({reason}).", "Check its name.") from None
    except ValueError as reason:
        raise LinkError(f"'{url}' is not a serial port ({reason}).", "Give a device path or a pyserial URL.") from None


class Link:
    """A device on a serial port: a thread reads, messages wait in a queue, requests are answered or raise.

    Requests (:meth:`hello`, :meth:`health`, :meth:`ping`, :meth:`set_streams`) come from one thread at a time.
    When the port disappears, everything that came before stays readable; then :meth:`read` and every request raise.
    """

    def __init__(self, url: str, baud: int = BAUD, tap: Callable[[bytes], None] | None = None) -> None:
        """Open ``url`` for this program alone and start reading; raises LinkError.

        ``tap`` gets every payload with a right CRC in the reading thread as soon as it came, known kind or not; it
        must not raise.
        """
        self.url = url
        self.unread = 0
        """Messages dropped because nobody read them."""
        self._port = _open_port(url, baud)
        self._capture = Capture(tap=tap)
        self._lock = threading.Lock()
        self._messages: queue.Queue[Message] = queue.Queue(QUEUE_MESSAGES)
        self._answers: queue.Queue[Message] = queue.Queue()
        self._expected: type[Body] | None = None
        self._sequence = 0
        self._failure: str | None = None
        self._stop = threading.Event()
        self._reader = threading.Thread(target=self._read_port, name=f"link {url}", daemon=True)
        self._reader.start()

    def __enter__(self) -> Link:
        """Return the link itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the link."""
        self.close()

    def close(self) -> None:
        """Stop reading and close the port; may be called twice."""
        self._stop.set()
        self._reader.join()
        self._port.close()

    @property
    def counters(self) -> Counters:
        """What was received so far."""
        with self._lock:
            return self._capture.counters

    @property
    def failure(self) -> str | None:
        """Why the port is gone, or None."""
        return self._failure

    def _read_port(self) -> None:
        while not self._stop.is_set():
            try:
                data = self._port.read(self._port.in_waiting or 1)
            except (serial.SerialException, OSError) as reason:
                self._failure = str(reason) or type(reason).__name__
                return
            if data:
                self._sort(data)

    def _sort(self, data: bytes) -> None:
        with self._lock:
            messages = self._capture.feed(data)
        for message in messages:
            expected = self._expected
            if expected is not None and isinstance(message.body, expected):
                self._answers.put(message)
                continue
            try:
                self._messages.put_nowait(message)
            except queue.Full:
                self.unread += 1

    def _gone(self) -> LinkError:
        return LinkError(f"The serial port '{self.url}' disappeared ({self._failure}).", "Plug the board in again.")

    def read(self, timeout: float = 0.0) -> Message | None:
        """Return the next message, or None when none came within ``timeout`` seconds.

        Raises LinkError when the port is gone and everything before that was read.
        """
        end = time.monotonic() + timeout
        while True:
            # Asked before the look into the queue: what the reader put before it failed must come out first.
            gone = not self._reader.is_alive()
            left = end - time.monotonic()
            try:
                return self._messages.get(timeout=min(left, 0.05)) if left > 0 else self._messages.get_nowait()
            except queue.Empty:
                if gone and self._failure is not None:
                    raise self._gone() from None
                if gone or left <= 0:
                    return None

    def request(self, body: Request, timeout: float = 0.5, attempts: int = 3) -> Message:
        """Send ``body`` until its answer comes, at most ``attempts`` times, and return the answer.

        An ACK counts only if it answers one of these attempts. Raises LinkError when no answer comes, the device
        refuses, or the port is gone.
        """
        tried: set[int] = set()
        while not self._answers.empty():
            self._answers.get_nowait()
        self._expected = ANSWER[type(body)]
        try:
            for _ in range(attempts):
                tried.add(self._sequence)
                self._send(body)
                answer = self._answer(tried, timeout)
                if answer is not None:
                    return answer
        finally:
            self._expected = None
        raise self._silent(body, attempts)

    def _send(self, body: Request) -> None:
        if self._failure is not None:
            raise self._gone()
        frame = encode_frame(encode(body, self._sequence))
        self._sequence = (self._sequence + 1) & 0xFFFF
        try:
            # The leading delimiter ends whatever noise the device may have read since the last frame.
            self._port.write(b"\x00" + frame)
        except serial.SerialTimeoutException:
            hint = "Reset the board, or look whether another program stopped the port."
            raise LinkError(f"The serial port '{self.url}' takes no bytes.", hint) from None
        except (serial.SerialException, OSError) as reason:
            self._failure = self._failure or str(reason)
            raise self._gone() from None

    def _answer(self, tried: set[int], timeout: float) -> Message | None:
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            try:
                message = self._answers.get(timeout=min(left, 0.05))
            except queue.Empty:
                if self._failure is not None:
                    raise self._gone() from None
                continue
            if is_stale(message.body, tried):
                continue
            if why := refusal(message.body):
                raise LinkError(f"The device on '{self.url}' refused the request ({why}).", "Reset it.")
            return message
        return None

    def _silent(self, body: Request, attempts: int) -> LinkError:
        name, counters = type(body).__name__, self.counters
        if not counters.bytes:
            why = "not one byte came"
            hint = "Is it the right port, is the board powered, does it run TinyLTC firmware?"
        elif not counters.frames:
            why = f"{counters.bytes} bytes came but no whole frame"
            hint = "Is it the right port and baud rate?"
        elif counters.unknown:
            why = f"{counters.unknown} messages were of a kind or version this toolchain does not know"
            hint = "Flash firmware of the same release."
        else:
            why = f"{counters.frames} other frames came"
            hint = "Reset the board and try again."
        return LinkError(f"The device on '{self.url}' did not answer {name} {attempts} times: {why}.", hint)

    def _typed(self, body: Request, kind: type[_Answer], timeout: float, attempts: int) -> _Answer:
        answer = self.request(body, timeout, attempts).body
        assert isinstance(answer, kind)
        return answer

    def hello(self, timeout: float = 0.5, attempts: int = 6) -> Hello:
        """Ask who is there; raises LinkError for silence or another protocol version."""
        hello = self._typed(GetHello(), Hello, timeout, attempts)
        if hello.protocol != PROTOCOL_VERSION:
            what = f"The device on '{self.url}' speaks protocol {hello.protocol}, this toolchain {PROTOCOL_VERSION}."
            raise LinkError(what, "Flash firmware of the same release.")
        return hello

    def health(self, timeout: float = 0.5, attempts: int = 3) -> Health:
        """Ask for the device's counters."""
        return self._typed(GetHealth(), Health, timeout, attempts)

    def firmware(self, timeout: float = 2.0, attempts: int = 2) -> Firmware:
        """Ask which bytes the firmware consists of; it answers when it has hashed them between its samples."""
        return self._typed(GetFirmware(), Firmware, timeout, attempts)

    def ping(self, data: bytes = b"", timeout: float = 0.5, attempts: int = 3) -> float:
        """Send up to 32 bytes; return the seconds until the answer came."""
        start = time.monotonic()
        self._typed(Ping(data), Ack, timeout, attempts)
        return time.monotonic() - start

    def set_streams(self, mask: Stream, timeout: float = 0.5, attempts: int = 3) -> None:
        """Choose what the device sends on its own."""
        self._typed(SetStreams(mask), Ack, timeout, attempts)
