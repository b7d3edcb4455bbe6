"""A capture from beginning to end: port, journal, prompts, screen, and what happens when something goes wrong."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.live import Live

import toolchain
from toolchain.board import Board
from toolchain.capture.assemble import Assembler
from toolchain.capture.commit import Span, commit, cut_take
from toolchain.capture.journal import SUFFIX, Journal, in_use
from toolchain.capture.keys import Keys, keyboard
from toolchain.capture.loopback import Loopback
from toolchain.capture.ports import choose
from toolchain.capture.screen import STRIP_S, Facts, render, strip, verdict_line
from toolchain.capture.session import Phase, Prompt, Rhythm, Session, TakeSpan, prompts
from toolchain.capture.virtual import WornBoard, firmware_run, worn_board
from toolchain.errors import ConfigError, DataError, LinkError, TinyLtcError
from toolchain.recordings.captured import Captured
from toolchain.recordings.codes import to_si
from toolchain.recordings.wearer import Wearer
from toolchain.runs import Run
from toolchain.wire.link import Link
from toolchain.wire.messages import Hello, Stream

BACKGROUND = "none"
SOURCES = {True: "captured (simulated person on the virtual board)", False: "captured"}
_SCREEN_S, _SYNC_S, _PUSH_S, _KEYS_S = 0.1, 1.0, 0.05, 0.05
_BOOT_S, _VIRTUAL_BOOT_S = 2.0, 0.5
"""A board has found its IMU by then: real time, and that of an emulated board."""
_TAIL_S = 0.3
"""Samples after the last take, so that its last losses show."""
_SILENT_S, _GONE_S = 2.0, 10.0
"""Without samples for so long: said on the screen; the capture ends."""
_PATIENT_S = 5.0
"""Requests wait this long: an emulated device may be behind its pace on a busy machine."""


@dataclass(frozen=True)
class Asked:
    """What the command line asked for. ``folder``: where the set's files lie; ``session`` empty: the time."""

    board: Board
    labels: tuple[str, ...]
    person: str
    folder: Path
    repeat: int = 5
    session: str = ""
    mounting: str = ""
    port: str | None = None
    emulator: str | None = None
    run: Run | None = None
    plot: bool = False
    browser: bool = True
    seed: int = 0
    rhythm: Rhythm = field(default_factory=Rhythm)


def capture(asked: Asked, console: Console) -> Path:
    """Capture, and return the file that was written: ``folder/<person>-<session>.npz`` (docs/SPEC.md, 6).

    Raises ConfigError for wrong options, LinkError for a port that cannot be used or that disappears, DataError for a
    full disk. Whatever happens, everything received is in the file or in a journal beside it, and the error says where.
    """
    plan = prompts(asked.labels, asked.repeat, BACKGROUND, asked.rhythm)
    session_name = asked.session or datetime.now().strftime("%Y%m%d-%H%M%S")
    target = asked.folder / f"{_name(asked.person, 'person')}-{_name(session_name, 'session')}.npz"
    for path in (target, target.with_suffix(SUFFIX)):
        if path.exists():
            raise ConfigError(f"{path} exists already.", "Give another --session, or recover it: --recover.")
    _tell_unfinished(asked.folder, console)
    where = choose(asked.board, asked.port, asked.emulator)
    console.print(f"Capturing from {where.why}.", highlight=False)
    with ExitStack() as stack:
        stack.enter_context(_ended_by_signals())
        port, device = where.port, None
        if port is None:
            device = _virtual(asked, console)
            port = stack.enter_context(device.serve())
        elif asked.board.console.baud <= 0:
            raise ConfigError(f"The board '{asked.board.name}' has no console.", "Mend its board.toml.")
        taking = _Taking(asked, session_name, target, plan, device, console)
        return taking.run(port)


def _name(text: str, what: str) -> str:
    if not text or not all(c.isalnum() or c in "_-." for c in text) or text.startswith(".") or len(text) > 48:
        raise ConfigError(f"'{text}' is not a name for a {what}.", "Use letters, digits, '_', '-' and '.'.")
    return text


def _virtual(asked: Asked, console: Console) -> WornBoard:
    scratch = asked.run.path.parent if asked.run is not None else Path("runs")
    run = firmware_run(asked.run or Run(scratch / "demo"), asked.board, scratch, console)
    return worn_board(run, asked.board, Wearer(asked.person, asked.board.imu, asked.seed, BACKGROUND))


def unfinished(folder: Path) -> list[Path]:
    """Return the journals in ``folder`` that no running capture writes: what killed captures left behind."""
    return [path for path in sorted(folder.glob(f"*{SUFFIX}")) if not in_use(path)]


def journals_of(paths: list[Path]) -> list[Path]:
    """Return the journals that ``paths`` name: themselves, or all in those folders; raises DataError for none."""
    found: list[Path] = []
    for path in paths:
        found += [j for j in sorted(path.rglob(f"*{SUFFIX}")) if not in_use(j)] if path.is_dir() else [path]
    if not found:
        raise DataError(f"{paths[0]} holds no journal of a capture that was cut.", "There is nothing to recover.")
    return found


def _tell_unfinished(folder: Path, console: Console) -> None:
    left = unfinished(folder)
    if left:
        console.print(
            f"[yellow]![/yellow] {len(left)} captures in {folder} were cut; `tinyltc capture --recover {left[0]}` "
            "makes recordings of what was received.",
            highlight=False,
        )


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP (a closed terminal) end the capture as Ctrl-C does: with everything kept."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = {which: signal.signal(which, interrupt) for which in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


class _Taking:
    """One capture under way."""

    def __init__(
        self,
        asked: Asked,
        session_name: str,
        target: Path,
        plan: list[Prompt],
        device: WornBoard | None,
        console: Console,
    ) -> None:
        self._asked, self._target, self._device, self._console = asked, target, device, console
        self._session_name = session_name
        self._plan = plan
        self._journal: Journal | None = None
        self._assembler = Assembler()
        self._facts = Facts(f"{asked.person}, session {session_name}, {asked.board.name}")
        self._plot: Loopback | None = None
        self._pushed = 0
        self._due = dict.fromkeys(("screen", "sync", "push", "keys"), 0.0)
        self._heard = time.monotonic()
        self._first: tuple[int, int] | None = None

    def _tap(self, payload: bytes) -> None:
        if self._journal is not None:
            self._journal.payload(payload, time.monotonic_ns())

    def run(self, port: str) -> Path:
        """Capture over ``port`` and commit; see :func:`capture`."""
        with ExitStack() as stack:
            link = stack.enter_context(Link(port, self._asked.board.console.baud, self._tap))
            hello = self._hello(link, port)
            journal = Journal(self._target.with_suffix(SUFFIX), self._about(hello, port))
            stack.callback(journal.close)
            self._journal = journal
            session = Session(self._plan, self._asked.rhythm, journal.event, self._cue)
            if self._asked.plot:
                page = files("toolchain.capture").joinpath("templates/live.html").read_text()
                self._plot = stack.enter_context(Loopback(page))
                opened = self._asked.browser and self._plot.open_browser()
                self._console.print(f"Live view{' (opened)' if opened else ''}: {self._plot.url}", highlight=False)
            trouble: TinyLtcError | None = None
            try:
                link.health(_PATIENT_S)
                link.set_streams(Stream.SAMPLE, _PATIENT_S)
                self._loop(link, session, stack.enter_context(keyboard()))
                self._end(link, journal)
            except KeyboardInterrupt:
                self._console.print("interrupted; keeping what is done.")
            except LinkError as error:
                trouble = error
            self._journal = None
            journal.close()
            if journal.failure is not None and trouble is None:
                trouble = DataError(f"Nothing more could be written to {journal.path} ({journal.failure}).")
        return self._finish(journal, trouble)

    def _about(self, hello: Hello, port: str) -> dict[str, Any]:
        asked = self._asked
        facts = {**asdict(hello), "model_sha256": hello.model_sha256.hex()}
        return {
            "format": 1,
            "tinyltc": toolchain.__version__,
            "board": asked.board.name,
            "imu": asked.board.imu.model_dump(),
            "person": asked.person,
            "session": self._session_name,
            "mounting": asked.mounting,
            "labels": list(asked.labels),
            "background": BACKGROUND,
            "source": SOURCES[self._device is not None],
            "port": port if self._device is None else "virtual",
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "hello": facts,
        }

    def _hello(self, link: Link, port: str) -> Hello:
        """Ask who is there; a board that was just powered gets time to find its IMU."""
        device = self._device
        # An emulated board boots in its own time, however slow this computer is.
        while device is not None and device.serving and device.seconds < _VIRTUAL_BOOT_S:
            time.sleep(0.02)
        end = time.monotonic() + _BOOT_S
        hello = link.hello(_PATIENT_S, attempts=2)
        while hello.imu_status and time.monotonic() < end:
            time.sleep(0.1)
            hello = link.hello(_PATIENT_S, attempts=2)
        self._check(hello, port)
        return hello

    def _check(self, hello: Hello, port: str) -> None:
        board = self._asked.board
        if hello.board != board.name:
            raise LinkError(
                f"On '{port}' is the board '{hello.board}', not '{board.name}': its codes mean something else.",
                f"Say --board {hello.board}, or flash the firmware of {board.name}.",
            )
        if hello.imu_status:
            said = {1: "finds no IMU", 2: "has an IMU that gives nothing"}.get(hello.imu_status, "has a broken IMU")
            raise LinkError(f"The board on '{port}' {said}.", f"Check the wiring of the {board.imu.part}.")

    def _cue(self, prompt: Prompt) -> None:
        if self._device is not None:
            self._device.perform(prompt.label, prompt.seconds)

    # ---- the loop

    def _loop(self, link: Link, session: Session, keys: Keys) -> None:
        with ExitStack() as stack:
            live: Live | None = None
            if self._console.is_terminal:
                live = Live(console=self._console, auto_refresh=False, screen=True, transient=True)
                stack.enter_context(live)
            self._heard = time.monotonic()
            while session.phase is not Phase.DONE:
                self._take_messages(link, session, live)
                if self._is_due("keys", _KEYS_S) and self._answer_keys(session, keys):
                    return
                self._housekeeping(session, live)
                if self._journal is not None and self._journal.failure is not None:
                    return

    def _is_due(self, what: str, period_s: float) -> bool:
        now = time.monotonic()
        if now < self._due[what]:
            return False
        self._due[what] = now + period_s
        return True

    def _take_messages(self, link: Link, session: Session, live: Live | None) -> None:
        message = link.read(_KEYS_S)
        if message is None:
            silent = time.monotonic() - self._heard
            if silent > _SILENT_S:
                self._facts.message = f"no samples for {silent:.0f} s: is the board powered, does its IMU answer?"
            if silent > _GONE_S or (self._device is not None and not self._device.serving):
                raise LinkError(f"No samples came for {silent:.0f} s.", "Is the board powered, does its IMU answer?")
            return
        epoch = self._assembler.epoch
        while message is not None:
            if isinstance(message.body, Hello):
                # Nobody asked: the device started anew, and has forgotten what it was told to send.
                link.set_streams(Stream.SAMPLE, _PATIENT_S)
                self._facts.message = "the board restarted; what was under way comes again"
            self._assembler.add(message, time.monotonic_ns() // 1000)
            message = link.read()
        last = self._assembler.last
        if last is None:
            return
        if epoch != self._assembler.epoch or self._first is None:
            self._first = (self._assembler.next_index - 1, last[0])
        self._heard = time.monotonic()
        ended = session.advance(last[0], self._assembler.epoch)
        if ended is not None:
            self._judge(ended, live)

    def _judge(self, span: TakeSpan, live: Live | None) -> None:
        """Say at once how the take was: it can still be taken back."""
        rate = max(self._asked.board.imu.rate_hz, 1.0)
        assert span.end_us is not None
        rows = self._assembler.tail(round(((span.end_us - span.begin_us) * 1e-6 + 1.0) * rate * 1.2))
        rows = rows[np.unique(rows["index"], return_index=True)[1]]
        classes = (BACKGROUND, *(label for label in self._asked.labels if label != BACKGROUND))
        as_said = Span(span.prompt.label, span.epoch, span.begin_us, span.go_us, span.end_us)
        take = cut_take(rows, as_said, None, self._asked.board.imu, classes, (self._asked.person, "", ""))
        if take is None:
            return
        self._facts.done.append((span.prompt.label, take.verdict))
        self._facts.lost += take.verdict.lost
        if live is None:
            self._console.print(verdict_line(span.prompt.label, take.verdict))
        if take.verdict.bad:
            self._facts.message = f"{span.prompt.label}: {take.verdict.reasons[0]}; u takes it back"

    def _answer_keys(self, session: Session, keys: Keys) -> bool:
        """Do what the keys say; True to quit."""
        for key in keys.pressed():
            if key == "q":
                return True
            if key == "u":
                self._facts.message = session.undo()
                self._facts.done = self._facts.done[: len(session.taken)]
            elif key in "p ":
                self._facts.message = session.pause()
        return False

    def _housekeeping(self, session: Session, live: Live | None) -> None:
        if self._journal is not None and self._is_due("sync", _SYNC_S):
            self._journal.sync()
        last = self._assembler.last
        if last is not None and self._first is not None and last[0] > self._first[1]:
            span_s = (last[0] - self._first[1]) * 1e-6
            self._facts.seconds = span_s
            self._facts.rate_hz = (self._assembler.next_index - 1 - self._first[0]) / span_s
        self._facts.samples = self._assembler.received
        if self._plot is not None and self._is_due("push", _PUSH_S):
            self._push(session)
        if live is not None and self._is_due("screen", _SCREEN_S):
            rate = self._asked.board.imu.rate_hz
            shown = self._assembler.tail(round(STRIP_S * rate))
            signal_lines = strip(to_si(shown["code"], self._asked.board.imu)) if len(shown) else strip(np.empty((0, 6)))
            live.update(render(session, self._facts, signal_lines), refresh=True)

    def _push(self, session: Session) -> None:
        assert self._plot is not None
        fresh = self._assembler.received - self._pushed
        self._pushed = self._assembler.received
        if not self._plot.watched or fresh <= 0:
            return
        rows = to_si(self._assembler.tail(fresh)["code"], self._asked.board.imu)
        facts = {"samples": self._facts.samples, "rate_hz": self._facts.rate_hz, "lost": self._facts.lost}
        self._plot.push({"rows": np.round(rows, 2).tolist(), "state": session.state()} | facts)

    # ---- the end

    def _end(self, link: Link, journal: Journal) -> None:
        """Hear the last samples out, ask for the device's counters."""
        end = time.monotonic() + _TAIL_S
        while time.monotonic() < end:
            link.read(_TAIL_S / 4)
        # Before the stream is stopped: every sample that it counts was sent.
        link.health(_PATIENT_S)
        journal.event("finish", link=asdict(link.counters))
        self._journal = None
        link.set_streams(Stream.NONE, _PATIENT_S)

    def _finish(self, journal: Journal, trouble: TinyLtcError | None) -> Path:
        """Commit, and say what there is; then raise what went wrong."""
        recover = f"`tinyltc capture --recover {journal.path}` makes recordings of it."
        try:
            captured = commit(journal.path, self._target)
        except OSError as reason:
            what = trouble.what if trouble else f"{self._target} could not be written ({reason.strerror})."
            raise DataError(
                f"{what} Everything received is safe in {journal.path}.", f"Make room; then {recover}"
            ) from None
        except DataError as reason:
            if trouble is not None:
                raise type(trouble)(f"{trouble.what} {reason.what}", trouble.hint) from None
            raise
        say_captured(captured, self._target, self._console)
        if trouble is not None:
            raise type(trouble)(f"{trouble.what} Everything received until then is in {self._target}.", trouble.hint)
        return self._target


def say_captured(captured: Captured, target: Path, console: Console) -> None:
    """Print what a capture gave, in a few lines."""
    takes = captured.takes
    levels = [take.verdict.level for take in takes]
    lost = sum(take.verdict.lost for take in takes)
    console.print(
        f"{target}: {len(takes)} recordings, {sum(t.verdict.seconds for t in takes):.0f} s, {lost} samples lost; "
        f"{levels.count('good')} good, {levels.count('suspect')} suspect, {levels.count('bad')} bad",
        highlight=False,
    )
    for take in takes:
        if take.verdict.level != "good":
            console.print(verdict_line(take.prompt, take.verdict))
    console.print(
        f"Look at it: tinyltc data inspect {target}   Correct it: tinyltc data review {target}", highlight=False
    )


def recover(journals: list[Path], console: Console) -> list[Path]:
    """Make recordings of what killed captures left behind; return the files.

    Raises ConfigError when a journal is still being written, or its recordings exist already.
    """
    made = []
    for journal in journals:
        target = journal.with_suffix(".npz")
        if not journal.exists():
            raise DataError(f"{journal} does not exist.", "Give a .journal that a capture left behind.")
        if in_use(journal):
            raise ConfigError(f"A capture is still writing {journal}.", "End it first.")
        if target.exists():
            raise ConfigError(f"{target} exists already.", "Move it away first.")
        say_captured(commit(journal, target), target, console)
        made.append(target)
    return made
