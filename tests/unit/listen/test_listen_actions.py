"""What a gesture does: a command line, a line in a journal, and the screen's text."""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from listen_support import CLASSES, HEALTH, HELLO
from rich.console import Console

from toolchain.errors import ConfigError, DataError, LinkError, ModelError
from toolchain.listen.command import AT_ONCE, CommandLine
from toolchain.listen.follow import Connected, Gone, Heard
from toolchain.listen.gesture import FIELDS, Gesture, Labels
from toolchain.listen.journal import Journal
from toolchain.listen.listen import listen
from toolchain.runs import Run
from toolchain.wire.capture import Capture, Counters
from toolchain.wire.messages import Body, Decision, Log, Message

GESTURE = Gesture("swipe_left", 1, 2560, 7, 33_654, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
CLEAN = Capture().counters


def _heard(body: Body, counters: Counters = CLEAN) -> Heard:
    return Heard(Message(0, 0, body), counters)


def _listened(run: Run, *events: Connected | Gone | Heard, limit: int | None = None) -> tuple[str, list[Gesture]]:
    text, came = io.StringIO(), list[Gesture]()
    count = listen(iter(events), Labels(run), [came.append], Console(file=text, width=200), limit=limit)
    assert count == len(came)
    return text.getvalue(), came


def test_a_decision_becomes_a_gesture(run: Run) -> None:
    text, came = _listened(run, Connected(HELLO, "port"), _heard(Decision(7, 3, 2560, 99)))
    assert [(g.label, g.winner, g.margin, g.index, g.stamp_us) for g in came] == [("tap", 3, 2560, 7, 99)]
    assert "fake on port" in text
    assert "tap  margin 10.0" in text
    assert set(came[0].fields()) == set(FIELDS)


def test_losses_and_health_are_told_once(run: Run) -> None:
    lossy = replace(CLEAN, lost=3)
    text, _ = _listened(
        run,
        _heard(replace(HEALTH, lost_samples=2)),
        _heard(replace(HEALTH, lost_samples=2)),
        _heard(replace(HEALTH, lost_samples=5), lossy),
        _heard(Decision(1, 1, 1, 1), lossy),
    )
    assert text.count("samples were lost on the device") == 2
    assert "2 samples" in text
    assert "3 samples" in text
    assert text.count("3 frames were lost") == 1


def test_text_from_the_wire_cannot_steer_the_terminal(run: Run) -> None:
    text, _ = _listened(run, _heard(Log(1, "\x1b[2J[red]boo")))
    assert "\x1b" not in text
    assert "?[2J[red]boo" in text


def test_a_limit_ends_it(run: Run) -> None:
    _, came = _listened(run, *[_heard(Decision(i, 1, 1, 1)) for i in range(5)], limit=2)
    assert [g.index for g in came] == [0, 1]


def test_a_class_that_the_model_does_not_have_is_refused(run: Run) -> None:
    with pytest.raises(LinkError, match=f"class {len(CLASSES)} of {len(CLASSES)}"):
        Labels(run).gesture(Decision(1, len(CLASSES), 1, 1))


def test_only_the_runs_own_model_is_accepted(run: Run) -> None:
    labels = Labels(run)
    labels.accept(HELLO)
    with pytest.raises(ModelError, match="another model than the run 'demo'"):
        labels.accept(replace(HELLO, model_sha256=bytes(32)))
    with pytest.raises(ModelError, match="refuses its model image"):
        labels.accept(replace(HELLO, model_status=3))
    run.image.unlink()
    with pytest.raises(ModelError, match="does not exist"):
        Labels(run)


def test_a_command_gets_its_words_and_no_shell(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = "import sys; open(sys.argv[1], 'w').write(repr(sys.argv[2:]))"
    said: list[str] = []
    command = CommandLine(f"{sys.executable} -c \"{script}\" {out} '{{label}} now' {{class}} {{{{x}}}}", said.append)
    command(replace(GESTURE, label="a; touch b"))
    command.close()
    assert out.read_text() == repr(["a; touch b now", "1", "{x}"])
    assert said == []


def test_a_failing_command_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    command = CommandLine(f'{sys.executable} -c "raise SystemExit(3)"', said.append)
    command(GESTURE)
    command.close()
    assert len(said) == 1
    assert said[0].endswith("ended with 3.")


def test_commands_do_not_pile_up() -> None:
    said: list[str] = []
    command = CommandLine(f'{sys.executable} -c "import sys, time; time.sleep(0.5)"', said.append)
    for _ in range(AT_ONCE + 1):
        command(GESTURE)
    assert said == [f"{AT_ONCE} commands still run; none was started for 'swipe_left'."]
    command.close()


@pytest.mark.parametrize(
    ("template", "what"),
    [
        ("", "empty"),
        ("echo 'x", "cannot be split"),
        ("echo {person}", "names {person}"),
        ("echo {label.__class__}", "names {label.__class__}"),
        ("echo {label!r}", "names {label}"),
        ("echo {", "cannot be filled in"),
        ("no-such-program-anywhere {label}", "there is no program"),
    ],
)
def test_a_wrong_command_is_refused_at_the_start(template: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what.replace("{", r"\{")):
        CommandLine(template, print)


def test_the_journal_keeps_every_line(tmp_path: Path) -> None:
    path = tmp_path / "new" / "gestures.jsonl"
    for _ in range(2):
        with Journal(path) as journal:
            journal(GESTURE)
            assert json.loads(path.read_text().splitlines()[-1]) == GESTURE.fields()
    assert len(path.read_text().splitlines()) == 2


def test_a_full_disk_is_one_sentence() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    with Journal(Path("/dev/full")) as journal, pytest.raises(DataError, match="takes no more lines"):
        journal(GESTURE)
    with pytest.raises(DataError, match="cannot be written"):
        Journal(Path("/dev/null/x"))
