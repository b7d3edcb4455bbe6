"""The command line with a probe that pyOCD loads as a plugin: `make flash`, `tinyltc flash`, `pio run -t upload`."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from booted import Booted
from rich.console import Console

from toolchain.board import Board
from toolchain.build import FIRMWARE
from toolchain.errors import FlashError, ModelError
from toolchain.flash import prepare
from toolchain.flash.image import load_image
from toolchain.flash.places import Place, choose, console_port
from toolchain.runs import Run, open_run

ROOT = FIRMWARE.parent
PLUGIN = """
import os
from pathlib import Path
from pyocd.core.plugin import Plugin
from swd_chip import Chip
from swd_probe import Probe

def started(flash):
    path = Path(os.environ["DOUBLE_FLASH"])
    path.with_suffix(".part").write_bytes(flash)
    path.with_suffix(".part").rename(path)

class ProbePlugin(Plugin):
    name = "double"
    def load(self):
        count = int(os.environ["DOUBLE_PROBES"])
        Probe.connected = [Probe(Chip(on_start=started), f"DOUBLE{n}") for n in range(count)]
        return Probe
"""


class Bench:
    """A folder with runs/demo, and a board that boots what a child process flashed."""

    def __init__(self, folder: Path, booted: Booted) -> None:
        self.folder, self._booted = folder, booted
        self._flash = folder / "flash.bin"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._boot, daemon=True)
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(str(path) for path in (ROOT, folder, Path(__file__).parent)),
            "COLUMNS": "300",
            "DOUBLE_FLASH": str(self._flash),
            "DOUBLE_PROBES": "1",
        }

    def _boot(self) -> None:
        while not self._stop.wait(0.05):
            if self._flash.exists():
                flash = self._flash.read_bytes()
                self._flash.unlink()
                self._booted.start(flash)

    def __enter__(self) -> Bench:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def call(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )


@pytest.fixture
def bench(built: Run, booted: Booted, tmp_path: Path) -> Iterator[Bench]:
    shutil.copytree(built.path, tmp_path / "runs" / "demo", symlinks=True)
    # What `prepare` looks for; nothing reads them here.
    (tmp_path / "runs" / "demo" / "model.npz").write_bytes(b"")
    (tmp_path / "runs" / "demo" / "int8.json").write_text("{}")
    (tmp_path / "probe_plugin.py").write_text(PLUGIN)
    info = tmp_path / "double-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: double\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[pyocd.probe]\ndouble = probe_plugin:ProbePlugin\n")
    with Bench(tmp_path, booted) as made:
        yield made


def test_make_flash_builds_flashes_and_hears(bench: Bench, board: Board, booted: Booted) -> None:
    shutil.rmtree(bench.folder / "runs" / "demo" / "firmware")
    shutil.rmtree(bench.folder / "runs" / "demo" / "generated")
    # Set-up (pip, apt) is left out: this Python has what it would install.
    left_out = ("--old-file", "setup", "--old-file", "flash-packages", "--old-file", "system")
    command = ("make", "-f", str(ROOT / "Makefile"), *left_out, f"BIN={Path(sys.executable).parent}")
    result = bench.call(*command, "flash", "BOARD=nrf52840", "RUN=demo", f"PORT={booted.port}")
    assert result.returncode == 0, result.stdout + result.stderr
    image = load_image(Run(bench.folder / "runs" / "demo"), board)
    assert f"read back byte by byte; the firmware on port runs model {image.model_sha256.hex()[:16]}" in result.stdout
    assert booted.starts == 1


def test_pio_upload_goes_the_same_way(bench: Bench, built: Run, booted: Booted) -> None:
    text = (bench.folder / "runs" / "demo" / ".pio" / "environment").read_text()
    text = text.replace(str(built.path), str(bench.folder / "runs" / "demo"))
    bench.environment |= dict(line.split("=", 1) for line in shlex.split(text))
    upload = (sys.executable, "-m", "platformio", "run", "-t", "upload", "--upload-port", str(booted.port))
    result = bench.call(*upload, cwd=FIRMWARE)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Flashed and running: read back byte by byte" in result.stdout
    bench.environment["DOUBLE_PROBES"] = "0"
    result = bench.call(*upload, cwd=FIRMWARE)
    assert result.returncode != 0
    assert "No debug probe was found" in result.stderr
    assert "Flashed" not in result.stdout


def test_two_boards_and_nobody_to_ask(bench: Bench, booted: Booted) -> None:
    bench.environment["DOUBLE_PROBES"] = "2"
    flash = (sys.executable, "-m", "toolchain.cli", "flash", "--no-build", "--port", str(booted.port))
    result = bench.call(*flash)
    assert result.returncode == 9
    assert "There are 2 debug probes: DOUBLE0" in result.stderr
    assert "Traceback" not in result.stderr
    result = bench.call(*flash, "--probe", "DOUBLE1")
    assert result.returncode == 0, result.stderr


# ---- what is made first -------------------------------------------------------------------------------------------


def test_only_the_demo_is_trained_unasked(
    tmp_path: Path, board: Board, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    for stage in ("train", "convert", "generate", "build"):
        monkeypatch.setattr(prepare, stage, lambda run, *_rest, stage=stage: done.append(stage))
    with pytest.raises(ModelError, match=r"There is no trained run 'dmo' \(runs: none\).*only 'demo' is trained"):
        prepare.prepare(open_run("dmo", tmp_path), board, None, console, model_only=False)
    assert not done
    assert not (tmp_path / "dmo").exists()
    prepare.prepare(open_run("demo", tmp_path), board, "compiled", console, model_only=False)
    assert done == ["train", "convert", "generate", "build"]
    done.clear()
    prepare.prepare(open_run("demo", tmp_path), board, "compiled", console, model_only=True)
    assert "build" not in done


# ---- which port ---------------------------------------------------------------------------------------------------


def test_a_person_is_asked_which(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=True, force_interactive=True)
    monkeypatch.setattr("rich.prompt.Prompt.ask", lambda *_args, choices, **_options: choices[-1])
    places = [Place("a", "first"), Place("b", "second")]
    assert choose("debug probe", "--probe", places, console, "").name == "b"
    assert "There are" in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_console_is_the_port_of_the_probe_that_was_used(board: Board, console: Console) -> None:
    def port(device: str, vid: int, serial: str) -> object:
        return type("Port", (), dict(device=device, vid=vid, pid=0x1015, serial_number=serial, description="J-Link"))

    ports = [port("/dev/a", 0x1366, "000683001"), port("/dev/b", 0x1366, "000683002"), port("/dev/c", 0x0403, "x")]
    usb = board.console.usb
    assert console_port(usb, "683002", console, lambda: ports).name == "/dev/b"
    with pytest.raises(FlashError, match=r"There are 2 serial ports: /dev/a .*/dev/b .*--port"):
        console_port(usb, "", console, lambda: ports)
    with pytest.raises(FlashError, match=r"No serial port was found.*--port"):
        console_port(usb, "", console, list)
