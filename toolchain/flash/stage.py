"""The flash stage: prepare, find, write, prove, hear."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from toolchain.board import Board, BossaFlash, DfuFlash, Flash, PyocdFlash, Uf2Flash
from toolchain.errors import ConfigError, FlashError
from toolchain.flash.bossa import Bossa
from toolchain.flash.dfu import Dfu
from toolchain.flash.hello import START_S, hear
from toolchain.flash.image import Image, load_image, load_model
from toolchain.flash.method import Method, Proof, Wishes
from toolchain.flash.places import Place, console_port
from toolchain.flash.prepare import prepare
from toolchain.flash.swd import Swd
from toolchain.flash.uf2 import Uf2
from toolchain.runs import Run


@dataclass(frozen=True)
class Asked:
    """What the command line asked for; None: find out.

    ``place``: part of a probe's unique id, a drive's folder or a bootloader's port. ``port``: the console's.
    ``engine``: the project's by default. ``build``: make what is flashed first. ``hello``: wait for the firmware;
    without it only methods that read back can succeed.
    """

    method: str | None = None
    place: str | None = None
    port: str | None = None
    engine: str | None = None
    model_only: bool = False
    build: bool = True
    hello: bool = True
    wishes: Wishes = field(default_factory=Wishes)
    start_s: float = START_S


def flash(run: Run, board: Board, asked: Asked, console: Console) -> None:
    """Write the image of ``run`` to ``board`` and prove that it runs there.

    Returns only when that was proven. Raises FlashError (and what the stages before raise) else; the board is then
    either as it was or holds an unfinished image, which the sentence says.
    """
    method = method_of(board, asked.method)
    if asked.build:
        prepare(run, board, asked.engine, console, asked.model_only)
    image = load_model(run, board) if asked.model_only else load_image(run, board)
    place = method.find(asked.place, console)
    # Asked for before anything is written: which of several ports it is must not be a question afterwards.
    listening = _console(board, place, asked, console)
    if listening is None and method.name == "dfu":
        raise FlashError("A DFU bootloader cannot read back, so only the firmware's hello proves it.", "Give --port.")
    what = "model" if asked.model_only else "firmware and model"
    console.print(f"Writing {what} of '{run.path.name}' ({image.bytes:,} bytes) to {board.name} at {place.name}")
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), console=console, transient=True
    ) as bar:
        task = bar.add_task("writing", total=1.0)
        proof = method.write(place, image, asked.wishes, console, lambda done: bar.update(task, completed=done))
    if listening is None:
        _without_hello(proof)
        console.print("Written and read back: every byte is the image's. Nobody asked the firmware (--no-hello).")
        return
    _heard(listening, board, image, proof, asked, console)


def method_of(board: Board, name: str | None) -> Method:
    """Return the board's method called ``name``, or its first; raises ConfigError."""
    known = {flash.method: flash for flash in board.flash}
    if not known:
        raise ConfigError(
            f"The board '{board.name}' cannot be flashed.", f"Run it: `tinyltc run --board {board.name}`."
        )
    if name is not None and name not in known:
        raise ConfigError(f"'{board.name}' is not flashed by '{name}'.", f"Its methods: {', '.join(known)}.")
    return _method(known[name] if name is not None else board.flash[0])


def _method(flash: Flash) -> Method:
    match flash:
        case PyocdFlash():
            return Swd(flash)
        case Uf2Flash():
            return Uf2(flash)
        case DfuFlash():
            return Dfu(flash)
        case BossaFlash():
            return Bossa(flash)


def _console(board: Board, place: Place, asked: Asked, console: Console) -> str | None:
    if not asked.hello:
        return None
    if asked.port is not None:
        return asked.port
    return console_port(board.console.usb, place.serial, console).name


def _without_hello(proof: Proof) -> None:
    if proof == "none":
        raise FlashError(
            "The image was sent, but this bootloader showed nothing of it and nobody asked the firmware: not proven.",
            "Give the console's port with --port, or --read-back where the bootloader can.",
        )


def _heard(port: str, board: Board, image: Image, proof: Proof, asked: Asked, console: Console) -> None:
    hello, firmware = hear(port, board, image, asked.start_s)
    seen = "read back byte by byte; " if proof == "read back" else ""
    own = f" and hashes its {firmware.size:,} bytes of flash to what was written" if firmware else ""
    console.print(
        f"Flashed and running: {seen}the firmware on {Path(port).name} runs model {hello.model_sha256.hex()[:16]}{own}"
    )
    if hello.imu_status != 0:
        console.print("Its IMU does not answer: check the wiring (the board's README).")
