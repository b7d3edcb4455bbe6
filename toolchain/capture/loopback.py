"""A small web server on 127.0.0.1 for a page of ours: behind a secret path, for nobody but this computer."""

from __future__ import annotations

import json
import queue
import secrets
import threading
import webbrowser
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from toolchain.errors import TinyLtcError

BODY_MAX = 16 << 20
_QUEUE = 64


class Loopback:
    """Serves ``page`` at ``/<secret>/``, events at ``/<secret>/events``, and hands what is posted to ``save``.

    ``save`` returns a sentence, or raises TinyLtcError, whose sentence the page shows. Only 127.0.0.1 is listened on;
    the path is secret and the Host header is checked, so that no other page of the browser can reach it.
    """

    def __init__(self, page: str, save: Callable[[Any], str] | None = None, port: int = 0) -> None:
        """Start serving in a thread; raises OSError when ``port`` is taken."""
        self._secret = secrets.token_urlsafe(16)
        self._listeners: set[queue.Queue[str]] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._page = page.encode()
        handler = self._handler(save)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/{self._secret}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), name="loopback", daemon=True)
        self._thread.start()

    def __enter__(self) -> Loopback:
        """Return the server itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def open_browser(self) -> bool:
        """Open the page in a browser, where there is one."""
        try:
            return webbrowser.open(self.url)
        except webbrowser.Error:
            return False

    def show(self, page: str) -> None:
        """Serve another page from now on."""
        self._page = page.encode()

    def push(self, value: Any) -> None:
        """Send a value to every page that listens; one that is too slow misses it."""
        with self._lock:
            listeners = list(self._listeners)
        if not listeners:
            return
        text = json.dumps(value)
        for listener in listeners:
            if not listener.full():
                listener.put_nowait(text)

    @property
    def watched(self) -> bool:
        """Whether a page listens."""
        return bool(self._listeners)

    def _handler(self, save: Callable[[Any], str] | None) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: the terminal belongs to the capture."""

            def _allowed(self) -> bool:
                host = f"127.0.0.1:{outer._server.server_address[1]}"
                if self.headers.get("Host") == host and self.path.startswith(f"/{outer._secret}/"):
                    return True
                self.send_error(404)
                return False

            def _answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                if not self._allowed():
                    return
                if self.path.endswith("/events"):
                    self._stream()
                elif self.path == f"/{outer._secret}/":
                    self._answer(200, "text/html; charset=utf-8", outer._page)
                else:
                    self.send_error(404)

            def _stream(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Cache-Control", "no-store")
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                mine: queue.Queue[str] = queue.Queue(_QUEUE)
                with outer._lock:
                    outer._listeners.add(mine)
                try:
                    while not outer._closing.is_set():
                        try:
                            text = mine.get(timeout=0.5)
                        except queue.Empty:
                            text = ""
                        self.wfile.write(f"data: {text}\n\n".encode() if text else b": still here\n\n")
                        self.wfile.flush()
                except OSError:
                    pass
                finally:
                    with outer._lock:
                        outer._listeners.discard(mine)

            def do_POST(self) -> None:
                if not self._allowed():
                    return
                size = self.headers.get("Content-Length", "")
                if save is None or not size.isdecimal() or int(size) > BODY_MAX:
                    self.send_error(400)
                    return
                try:
                    said, status = save(json.loads(self.rfile.read(int(size)))), 200
                except TinyLtcError as reason:
                    said, status = str(reason), 409
                except ValueError:
                    said, status = "These are no corrections.", 400
                self._answer(status, "text/plain; charset=utf-8", said.encode())

        return Handler
