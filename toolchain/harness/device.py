"""The run stage: the firmware image under an emulator, fed with unseen people, compared with the reference."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from toolchain.board import Board, EmulatorName
from toolchain.codegen.generate import require_current
from toolchain.errors import BuildError, ModelError, ParityError
from toolchain.files import read_json, sha256_of, write_json
from toolchain.harness import verdict
from toolchain.harness.compare import Comparison, compare
from toolchain.harness.emulated import Emulated
from toolchain.harness.feed import Feed, build_feed, chosen
from toolchain.harness.paced import PtyResult, run_paced
from toolchain.harness.record import Record, Recorder
from toolchain.harness.result import Pass, assemble, write_arrays
from toolchain.harness.session import ALL_STREAMS, SLICE_S, PinSession
from toolchain.int8.reference import Int8Reference
from toolchain.ltc.modelspec import load_spec
from toolchain.recordings.catalog import load_set
from toolchain.runs import Run
from toolchain.wire.capture import Counters
from toolchain.wire.messages import Hello, SetStreams

PTY_S = 3.0
"""Virtual (and real) seconds of the session over the pty that proves the serial port."""
PACED_LEAD_IN_S = 3.0
"""At pace, hello and the rest take real time: the sensor lies still for longer before the first recording."""
_BOOT_S = 0.1
_TAIL_S = 0.1
"""After the last sample: its frames are still on their way."""

Step = Callable[[float], None]


def run_device(
    run: Run,
    board: Board,
    console: Console,
    *,
    seconds: float | None = None,
    pace: bool = False,
    emulator: EmulatorName | None = None,
) -> None:
    """Run the built image under an emulator (default: the board's first that boots it); write device.npz, device.json.

    The test people's recordings (at most ``seconds`` of them) go through the virtual IMU. First a short session over
    the pty at the pace of a real device; then as fast as it goes with the bytes captured at the UART pin. With
    ``pace``, everything goes over the pty at pace instead.

    Raises BuildError when the image is missing, ModelError when the device refuses the model or runs another one, and,
    after the files are written, ParityError when the device disagrees with the reference.
    """
    elf = run.firmware / "firmware.elf"
    if not elf.exists():
        raise BuildError(f"{elf} does not exist.", f"Run `tinyltc build --run {run.path.name}` first.")
    spec = load_spec(run.model_json)
    if spec.decision is None:
        raise ModelError(f"{run.model_json} is not converted.", f"Run `tinyltc convert --run {run.path.name}` first.")
    built = _check_built(run, board)
    reference = Int8Reference(spec, run.tflite.read_bytes())
    project = run.project()
    data = load_set(project.data, project.task, spec.rate_hz)
    recordings = chosen(data.test, seconds, spec.decision.background)
    feed = build_feed(recordings, board.imu, spec, PACED_LEAD_IN_S) if pace else build_feed(recordings, board.imu, spec)

    recorder = Recorder(len(spec.classes))
    if pace:
        with (
            Emulated(run, board, feed, emulator) as device,
            _progress(console, "device at 1x", feed.seconds) as step,
        ):
            pty = run_paced(device, recorder, feed.seconds + _TAIL_S, step)
            outcome = _pass(device, recorder.record(), pty.counters, pty.wall_s)
    else:
        with Emulated(run, board, feed, emulator) as served:
            pty = _prove_the_port(run, served, len(spec.classes), console)
        with Emulated(run, board, feed, emulator) as device, _progress(console, "device", feed.seconds) as step:
            counters, wall_s = _run_fast(device, feed, recorder, step)
            outcome = _pass(device, recorder.record(), counters, wall_s)
    _check_hello(outcome.record.hello, run)
    comparison = compare(outcome.record, feed, reference)
    result = assemble(board, spec, data, feed, outcome, comparison, pty.to_dict())
    result.values["errors"] += verdict.stack(result.values["stack_used_bytes"], built.get("stack_bound_bytes"))
    result.values["device"]["tflite_sha256"] = sha256_of(run.tflite)
    write_arrays(run.device_npz, result.arrays)
    write_json(run.device_json, result.values)
    _say(console, outcome, comparison, result.values["errors"])
    wrong = verdict.mismatches(comparison)
    if wrong:
        raise ParityError(
            f"The device disagrees with the reference: {' '.join(wrong)}",
            f"{run.device_json} has the counts, {run.device_npz} every sample.",
        )


@contextmanager
def _progress(console: Console, title: str, total: float) -> Iterator[Step]:
    """Show a bar over virtual seconds, with the speed; the block gets a function to call with the time."""
    columns = (TextColumn(title), BarColumn(), TextColumn("{task.fields[speed]}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=total, speed="")
        begin = time.monotonic()

        def step(virtual_s: float) -> None:
            speed = virtual_s / max(time.monotonic() - begin, 1e-9)
            bar.update(task, completed=virtual_s, speed=f"{virtual_s:.0f} s, {speed:.1f}x real time")

        yield step


def _prove_the_port(run: Run, device: Emulated, outputs: int, console: Console) -> PtyResult:
    with _progress(console, "serial port at 1x", PTY_S) as step:
        recorder = Recorder(outputs)
        pty = run_paced(device, recorder, PTY_S, step)
    _check_hello(recorder.record().hello, run)
    console.print(
        f"Serial port: hello, ping in {pty.ping_ms:.1f} ms, {pty.samples} samples in {pty.virtual_s:.1f} s at 1x, "
        f"{pty.counters.lost} frames lost",
        highlight=False,
    )
    return pty


def _run_fast(device: Emulated, feed: Feed, recorder: Recorder, step: Step) -> tuple[Counters, float]:
    """Return what the link counted and the wall seconds."""
    session = PinSession(device, recorder.add)
    begin = time.monotonic()
    session.run(_BOOT_S)
    session.hello()
    session.request(SetStreams(ALL_STREAMS))
    while (left := feed.seconds + _TAIL_S - device.seconds) > 0:
        session.run(min(SLICE_S, left))
        step(device.seconds)
    session.health()
    session.run(_TAIL_S)
    return session.counters, time.monotonic() - begin


def _pass(device: Emulated, record: Record, counters: Counters, wall_s: float) -> Pass:
    where = (device.functions(), device.measured(), device.name, device.hook, device.source)
    return Pass(record, counters, device.seconds, wall_s, *where)


def _check_built(run: Run, board: Board) -> dict[str, Any]:
    """Return build.json; refuses firmware for another board, or a model image of an older network, before it looks like
    a bad device."""
    built: dict[str, Any] = read_json(
        run.firmware / "build.json", BuildError, f"Run `tinyltc build --run {run.path.name}` first."
    )
    if built["board"] != board.name:
        raise BuildError(
            f"The firmware of {run.path} was built for board '{built['board']}', not '{board.name}'.",
            f"Run `tinyltc generate` and `tinyltc build` with --board {board.name}.",
        )
    require_current(run, board, built["engine"])
    return built


def _check_hello(hello: Hello | None, run: Run) -> None:
    if hello is None:
        return
    if hello.model_status:
        raise ModelError(
            f"The device refuses its model image (status {hello.model_status}; docs/SPEC.md, 4).",
            f"Run `tinyltc generate` and `tinyltc build` for {run.path.name} again.",
        )
    if run.image.exists() and hello.model_sha256 != run.image.read_bytes()[-32:]:
        raise ModelError(
            f"The device runs another model image than {run.image}.",
            f"Run `tinyltc build --run {run.path.name}` again.",
        )


def _say(console: Console, outcome: Pass, comparison: Comparison, errors: list[str]) -> None:
    console.print(
        f"{comparison.samples} of {comparison.samples_fed} samples compared, {comparison.mismatches} mismatches; "
        f"{outcome.virtual_s:.0f} s of virtual time in {outcome.wall_s:.0f} s ({outcome.ratio:.1f}x); "
        f"{outcome.counters.frames} frames, {outcome.counters.lost} lost",
        highlight=False,
    )
    for error in errors:
        console.print(f"[yellow]![/yellow] {error}", highlight=False)
