"""The review page: recordings with their labels, to be corrected in a browser."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from rich.console import Console

from toolchain.capture.loopback import Loopback
from toolchain.errors import DataError
from toolchain.files import sha256_of, write_text
from toolchain.recordings.corrections import FORMAT, UNKNOWN_LABEL, apply, check, current
from toolchain.recordings.storage import is_captured, keys_of, load_captured, load_collection

_HALF = 2048.0
"""Samples go into the page as int16: m/s^2 and rad/s in steps of 1/2048 of what they reach."""


def page(path: Path) -> str:
    """Return the page of the recordings in ``path``, an .npz of docs/SPEC.md, 6: self-contained, with its data.

    Raises DataError for another file.
    """
    if "format" not in keys_of(path):
        raise DataError(f"{path} is not a file of ours.", "Make one: tinyltc data import, or data --export.")
    captured = load_captured(path) if is_captured(path) else None
    collection = captured.collection() if captured else load_collection(path)
    spans = current(collection)
    recordings = []
    for i, recording in enumerate(collection.recordings):
        verdict = captured.takes[i].verdict if captured else None
        peak = np.maximum(np.abs(recording.samples).max(axis=0), 1e-3)
        codes = np.rint(recording.samples / peak * _HALF).astype("<i2")
        recordings.append(
            {
                "person": recording.person,
                "session": recording.session,
                "kind": recording.kind,
                "prompt": captured.takes[i].prompt if captured else "",
                "level": verdict.level if verdict else "",
                "reasons": list(verdict.reasons) if verdict else [],
                "peak": (peak / _HALF).tolist(),
                "t": base64.b64encode(np.diff(recording.t_us, prepend=0).astype("<u4").tobytes()).decode(),
                "x": base64.b64encode(codes.tobytes()).decode(),
                "spans": spans[i],
            }
        )
    data = {
        "format": FORMAT,
        "file": path.name,
        "sha256": sha256_of(path),
        "classes": list(collection.classes),
        "background": collection.background,
        "unknown": UNKNOWN_LABEL,
        "recordings": recordings,
    }
    environment = Environment(
        loader=PackageLoader("toolchain.capture"), undefined=StrictUndefined, autoescape=select_autoescape(["html"])
    )
    # Inside a script element nothing but "</" can end the data; JSON may write it as "<\/".
    text = json.dumps(data).replace("</", "<\\/")
    return environment.get_template("review.html").render(title=path.name, data=text)


def page_path(path: Path) -> Path:
    """Return where the page of ``path`` lies: beside it."""
    return path.with_suffix(".review.html")


def review(path: Path, console: Console, *, serve: bool, browser: bool, until: threading.Event | None = None) -> None:
    """Write the page beside ``path``; with ``serve`` also serve it until Ctrl-C, so that it can save by itself.

    ``until`` ends the serving as Ctrl-C does.
    """
    html = page(path)
    written = page_path(path)
    write_text(written, html)
    console.print(f"Review page: {written} (its data inside; corrections come as a download)", highlight=False)
    if not serve:
        return
    done = until or threading.Event()

    def save(value: Any) -> str:
        said = apply(path, check(value, "the corrections"))
        console.print(said, highlight=False)
        # The page that lies there, and the one that is being served, belong to the file as it was.
        fresh = page(path)
        write_text(written, fresh)
        server.show(fresh)
        return said

    with Loopback(html, save) as server:
        opened = browser and server.open_browser()
        console.print(f"{'Opened' if opened else 'Open'} {server.url} (Ctrl-C ends it)", highlight=False)
        try:
            done.wait()
        except KeyboardInterrupt:
            console.print("ended.")
