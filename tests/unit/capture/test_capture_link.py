"""The test link: whatever it drops, repeats, reorders, corrupts and delays, every loss is found at its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from capture_payloads import hour_of_samples

from toolchain.capture.assemble import Assembler, holes
from toolchain.capture.journal import PAYLOAD, Journal, read_journal
from toolchain.wire.capture import Capture
from toolchain.wire.faulty import FaultyLine, Rates
from toolchain.wire.messages import Sample, decode

ALL = Rates(0.01, 0.01, 0.01, 0.01, 2e-4, 2e-4, 2e-4)
ONE_BY_ONE = [Rates(**{name: 0.02 if "frame" in name else 5e-4}) for name in vars(ALL)]


def _carried(rates: Rates, seconds: float, seed: int = 3) -> None:
    """Send samples over the line and compare what the receiver says with the truth, sample by sample."""
    sent: list[tuple[int, ...]] = []
    rows_of: list[range] = []

    def payloads():
        for payload in hour_of_samples(seconds):
            body = decode(payload).body
            assert isinstance(body, Sample)
            rows_of.append(range(body.index, body.index + len(body.codes)))
            sent.extend(body.codes)
            yield payload

    line, receiver, assembler = FaultyLine(rates, seed), Capture(from_start=True), Assembler()
    for number, data in enumerate(line.carry(payloads())):
        for message in receiver.feed(data):
            assembler.add(message, number)
    rows = assembler.rows()
    missing = np.ones(len(sent), bool)
    for number in line.arrived:
        missing[rows_of[number].start : rows_of[number].stop] = False

    # What came is what was sent, bit for bit, and once.
    assert np.array_equal(rows["index"], np.flatnonzero(~missing))
    assert np.array_equal(rows["code"], np.array(sent, np.int16)[rows["index"]])
    # What is said to be lost is what was lost: how many, and where.
    first = int(rows["index"][0])
    found = np.zeros(len(sent), bool)
    for hole in holes(rows, {0: len(sent)}):
        found[hole.first : hole.first + hole.count] = True
    assert np.array_equal(found[first:], missing[first:])
    assert missing[:first].all()
    for name, rate in vars(rates).items():
        assert (line.done[name] > 0) == (rate > 0)
    assert missing.any() == any(
        rate and name not in ("repeat_frame", "swap_frames", "delay_frame") for name, rate in vars(rates).items()
    )


@pytest.mark.parametrize("rates", ONE_BY_ONE, ids=list(vars(ALL)))
def test_one_kind_of_fault(rates: Rates) -> None:
    _carried(rates, 30.0)


def test_every_kind_of_fault_together() -> None:
    _carried(ALL, 120.0)


@pytest.mark.slow
def test_every_kind_of_fault_for_one_hour() -> None:
    _carried(ALL, 3600.0)


def test_a_sound_line_loses_nothing() -> None:
    _carried(Rates(), 30.0)


def test_what_the_device_lost_is_no_loss_of_the_line_but_shows_in_the_stamps() -> None:
    from toolchain.recordings.losses import timing

    period = 1e6 / 208
    kept = np.delete(np.arange(2000), [500, 501, 502, 1200])
    stamps = np.rint(kept * period).astype(np.int64)
    losses = timing(stamps, np.arange(len(kept), dtype=np.int64)).losses
    assert [(loss.row, loss.count, loss.where) for loss in losses] == [(500, 3, "device"), (1197, 1, "device")]
    index = np.delete(np.arange(len(kept)), [900, 901])
    both = timing(np.delete(stamps, [900, 901]), index.astype(np.int64)).losses
    assert [(loss.row, loss.count, loss.where) for loss in both] == [
        (500, 3, "device"),
        (900, 2, "link"),
        (1195, 1, "device"),
    ]


def test_indices_beyond_32_bits_go_on() -> None:
    assembler = Assembler()
    for index in ((1 << 32) - 2, 0, 1):
        payload = Sample(index, (0,), ((0, 0, 0, 0, 0, 0),))
        from toolchain.wire.messages import Message

        assembler.add(Message(0, 1000, payload), 0)
    rows = assembler.rows()
    assert rows["index"].tolist() == [(1 << 32) - 2, 1 << 32, (1 << 32) + 1]
    assert [(h.first, h.count) for h in holes(rows)] == [((1 << 32) - 1, 1)]


def test_the_journal_holds_every_payload(tmp_path: Path) -> None:
    payloads = list(hour_of_samples(5.0))
    with Journal(tmp_path / "a.journal", {"name": "x"}) as journal:
        for number, payload in enumerate(payloads):
            journal.payload(payload, number)
    read = read_journal(tmp_path / "a.journal")
    assert read.damaged == 0
    assert [e.body for e in read.entries] == payloads
    assert {e.type for e in read.entries} == {PAYLOAD}
