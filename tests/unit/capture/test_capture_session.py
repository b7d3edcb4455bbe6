"""The course of a capture: prompts, undo, pause, restart; keys, screen, and which port it takes."""

from __future__ import annotations

import io
import itertools
import os

import numpy as np
import pytest
from rich.console import Console

from toolchain.board import Board
from toolchain.capture import ports
from toolchain.capture.keys import Keys
from toolchain.capture.screen import Facts, render, strip
from toolchain.capture.session import Phase, Prompt, Rhythm, Session, prompts
from toolchain.errors import ConfigError, LinkError
from toolchain.recordings.verdict import judge

RHYTHM = Rhythm(first_s=2.0, ready_s=1.0, gesture_s=2.0, background_s=5.0)


class Course:
    """A session with its journal's events, advanced in steps of 5 ms."""

    def __init__(self, labels=("a", "b"), repeat=2) -> None:
        self.events: list[tuple[str, dict]] = []
        self.cues: list[Prompt] = []
        plan = prompts(labels, repeat, "none", RHYTHM)
        self.session = Session(plan, RHYTHM, lambda name, **facts: self.events.append((name, facts)), self.cues.append)
        self.now_us = 1_000_000
        self.epoch = 0

    def run(self, seconds: float) -> list:
        ended = []
        for _ in range(round(seconds / 0.005)):
            self.now_us += 5000
            take = self.session.advance(self.now_us, self.epoch)
            if take is not None:
                ended.append(take)
        return ended

    def kept(self) -> list[tuple[str, int, int]]:
        """What a journal's reader would keep: (label, begin, end)."""
        spans: dict[int, list] = {}
        for name, facts in self.events:
            if name == "begin":
                spans[facts["take"]] = [facts["label"], facts["device_us"], None]
            elif name == "end":
                spans[facts["take"]][2] = facts["device_us"]
            elif name == "drop":
                del spans[facts["take"]]
        return [tuple(span) for _, span in sorted(spans.items())]


def test_rounds_and_times() -> None:
    course = Course()
    ended = course.run(2 + 4 * 2 + 3 * 1 + 0.1)
    assert [take.prompt.label for take in ended] == ["a", "b", "a", "b"]
    assert [cue.number for cue in course.cues] == [1, 1, 2, 2]
    assert course.session.phase is Phase.DONE
    assert [take.end_us - take.go_us for take in ended] == [2_000_000] * 4
    for before, after in itertools.pairwise(ended):
        assert after.begin_us == before.end_us
    assert course.kept() == [(t.prompt.label, t.begin_us, t.end_us) for t in ended]


def test_the_background_is_longer() -> None:
    (take,) = Course(("none",), 1).run(7.1)
    assert take.end_us - take.go_us == 5_000_000


def test_undo_asks_again_and_forgets_what_was() -> None:
    course = Course()
    assert course.session.undo() == "nothing to undo yet"
    course.run(2 + 2 + 1 + 2 + 1.5)
    assert [t.prompt.label for t in course.session.taken] == ["a", "b"]
    assert "b 1 of 2 taken back" in course.session.undo()
    assert [label for label, _, _ in course.kept()] == ["a"], "what was under way is dropped with it"
    course.run(12)
    assert course.session.phase is Phase.DONE
    assert [t.prompt.label for t in course.session.taken] == ["a", "b", "a", "b"]
    assert [label for label, _, _ in course.kept()] == ["a", "b", "a", "b"]


def test_a_pause_drops_what_was_under_way() -> None:
    course = Course()
    course.run(5.0)
    assert course.session.pause().startswith("paused")
    assert course.run(60.0) == []
    assert [label for label, _, _ in course.kept()] == ["a"]
    assert course.session.pause() == "going on"
    ended = course.run(14.0)
    assert [t.prompt.label for t in ended] == ["b", "a", "b"]
    assert ended[0].begin_us > 60_000_000, "nothing of the pause is in a take"


def test_a_restart_asks_again_in_the_new_life() -> None:
    course = Course()
    course.run(5.5)
    course.epoch, course.now_us = 1, 0
    ended = course.run(14.0)
    assert [(t.prompt.label, t.epoch) for t in ended] == [("b", 1), ("a", 1), ("b", 1)]


@pytest.mark.parametrize("labels", [(), ("",), ("a", "a"), ("x" * 32,), ('a"b',), ("a,b",)])
def test_labels_that_cannot_be_classes(labels) -> None:
    with pytest.raises(ConfigError):
        prompts(labels, 1, "none", RHYTHM)


def test_keys() -> None:
    assert Keys(None).pressed() == ""
    read, write = os.pipe()
    with os.fdopen(read) as file:
        keys = Keys(file)
        assert keys.there
        assert keys.pressed() == ""
        os.write(write, b"Uq")
        assert keys.pressed() == "uq"
        os.close(write)
        assert keys.pressed() == ""
        assert not keys.there


def _text(course: Course, facts: Facts) -> str:
    out = io.StringIO()
    Console(file=out, width=100).print(render(course.session, facts, strip(np.zeros((500, 6)))))
    return out.getvalue()


def test_the_screen_says_what_to_do() -> None:
    course, facts = Course(), Facts("ann, session 1")
    assert "waiting for samples" in _text(course, facts)
    course.run(0.5)
    assert "get ready  a   (1 of 2)   1.5" in _text(course, facts)
    course.run(1.8)
    assert "NOW  a   (1 of 2)" in _text(course, facts)
    course.session.pause()
    assert "paused; next: a" in _text(course, facts)
    still = np.zeros((300, 6), np.float32)
    facts.done.append(("a", judge(still, np.arange(300, dtype=np.int64) * 4808)))
    facts.message = "press u"
    text = _text(course, facts)
    assert "bad" in text
    assert "press u" in text
    assert "u undo the last" in text


def test_the_strip_shows_a_short_blow() -> None:
    samples = np.zeros((832, 6))
    samples[400:403, 2] = 25.0
    lines = strip(samples)
    assert len(set(map(len, lines))) == 1
    assert "█" in lines[2]
    assert "█" not in lines[0]
    assert strip(np.empty((0, 6))) == [" " * 64] * 6


def test_which_port(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []
    monkeypatch.setattr(ports, "usb_ports", lambda: found)
    assert ports.choose(board, None, None).port is None
    assert ports.choose(board, "/dev/x", None).port == "/dev/x"
    bare = board.model_copy(update={"emulators": []})
    with pytest.raises(LinkError, match="No board is plugged in"):
        ports.choose(bare, None, None)
    found.append("/dev/ttyACM0")
    assert ports.choose(bare, None, None).port == "/dev/ttyACM0"
    assert ports.choose(board, None, "virtual").port is None
    found.append("/dev/ttyACM1")
    with pytest.raises(LinkError, match="There are 2 serial ports"):
        ports.choose(board, None, None)
