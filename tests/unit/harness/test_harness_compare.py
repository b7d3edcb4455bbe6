"""Planted mismatches, losses and duplicates are counted for what they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from harness_fakes import FakeDevice

from toolchain.harness.compare import compare, expect, known_state, match_feed
from toolchain.harness.record import SAMPLE, Recorder


def _place(feed, recording: int, row: int) -> int:
    """Position in the feed of one sample of one recording."""
    return feed.first(recording) + row


def test_a_right_device(device, feed, reference) -> None:
    result = compare(device.record(), feed, reference)
    assert result.samples == result.samples_fed == result.samples_reported == feed.samples == 870
    assert (result.mismatches, result.first) == (0, {})
    assert len(device.decisions) >= 3, "the comparison of commands would say nothing"
    assert len({tuple(s.y) for s in device.steps.values()}) > 50


def test_reports_from_the_middle_of_the_lead_in(device, feed, reference) -> None:
    result = compare(device.record(start=100), feed, reference)
    assert (result.samples, result.mismatches) == (feed.samples, 0)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"y": (1, 2, 3)}, "int8"),
        ({"state_crc": 12345}, "state"),
        ({"margin": -77}, "decision"),
        ({"winner": 9}, "decision"),
        ({"delta_us": 5001}, "timing"),
        ({"reset": True}, "timing"),
    ],
)
def test_one_wrong_answer(device, feed, reference, change, kind: str) -> None:
    index = device.index_of[_place(feed, 2, 50)]
    device.steps[index] = replace(device.steps[index], **change)
    result = compare(device.record(), feed, reference)
    assert result.first == {kind: index}
    assert getattr(result, f"{kind}_mismatches") == result.mismatches == 1
    assert result.samples == feed.samples


def test_a_wrong_code_is_told_apart_from_a_wrong_computation(device, feed, reference) -> None:
    index = device.index_of[_place(feed, 3, 10)]
    stamp, code = device.samples[index]
    device.samples[index] = (stamp, (code[0] + 2000, *code[1:]))
    result = compare(device.record(), feed, reference)
    assert result.code_mismatches == 1
    assert result.first["code"] == index
    last = device.index_of[_place(feed, 3, 299)]
    assert 20 < result.state_mismatches <= last - index + 1, "the state forgets, but not at once"
    assert result.first["state"] == index
    assert result.first["int8"] == index + 1, "the head reads the state before the update"


def test_commands_must_match_their_steps(device, feed, reference) -> None:
    commands = [index for index in device.decisions if index > device.index_of[_place(feed, 0, 0)]]
    first, second, third = commands[:3]
    del device.decisions[first]
    device.decisions[second] = replace(device.decisions[second], winner=0)
    device.decisions[third] = replace(device.decisions[third], stamp_us=1)
    quiet = next(i for i in range(first + 1, first + 100) if i not in device.decisions)
    device.decisions[quiet] = replace(device.decisions[second], index=quiet, stamp_us=device.samples[quiet][0])
    result = compare(device.record(), feed, reference)
    assert result.command_mismatches == result.mismatches == 4
    assert result.first == {"command": first}


def test_a_lost_step_is_not_compared(device, feed, reference) -> None:
    for row in (5, 6, 40):
        del device.steps[device.index_of[_place(feed, 1, row)]]
    result = compare(device.record(), feed, reference)
    assert (result.samples, result.samples_reported, result.mismatches) == (feed.samples - 3, feed.samples, 0)


def test_nothing_is_compared_between_a_lost_sample_and_the_next_reset(device, feed, reference) -> None:
    del device.samples[device.index_of[_place(feed, 1, 30)]]
    result = compare(device.record(), feed, reference)
    assert (result.samples, result.samples_reported) == (feed.samples - 60, feed.samples - 1)
    assert result.mismatches == 0


def test_a_sample_that_the_sensor_lost_costs_one(feed, reference) -> None:
    device = FakeDevice(feed, {_place(feed, 3, 100)}).run()
    result = compare(device.record(), feed, reference)
    assert (result.samples, result.samples_reported) == (feed.samples - 1, feed.samples - 1)
    assert result.mismatches == 0


def test_duplicates_count_once(device, feed, reference) -> None:
    recorder = Recorder(3)
    messages = device.messages()
    recorder.add(messages)
    recorder.add(messages[100:150])
    record = recorder.record()
    assert record.duplicates == 50
    assert compare(record, feed, reference) == compare(device.record(), feed, reference)


def test_steps_of_another_model_are_counted(device) -> None:
    recorder = Recorder(5)
    recorder.add(device.messages())
    record = recorder.record()
    assert (len(record.steps), record.bad_steps) == (0, len(device.steps))


def test_a_silent_device(feed, reference) -> None:
    result = compare(Recorder(3).record(), feed, reference)
    assert (result.samples, result.samples_reported, result.samples_fed, result.mismatches) == (0, 0, 870, 0)


def test_expect_is_the_plain_loop(device, feed, reference) -> None:
    expected = expect(reference, feed.codes, feed.t_us)
    steps = list(device.steps.values())
    assert expected.y.tolist() == [list(step.y) for step in steps]
    assert expected.state_crc.tolist() == [step.state_crc for step in steps]
    assert expected.decisions.fired.tolist() == [step.fired for step in steps]


def test_matching_finds_every_position(device, feed, reference) -> None:
    samples = device.record().samples
    assert match_feed(samples, feed, reference.spec).tolist() == list(range(len(feed.t_us)))
    strange = np.insert(samples, 700, samples[700])
    strange["t_us"][700] -= 2500
    place = match_feed(strange, feed, reference.spec)
    assert place[700] == -1
    assert (np.delete(place, 700) == np.arange(len(feed.t_us))).all()


def test_known_state(reference) -> None:
    samples = np.zeros(8, SAMPLE)
    samples["index"] = [3, 4, 5, 6, 8, 9, 10, 12]
    samples["t_us"] = [0, 5000, 205_000, 210_000, 220_000, 420_000, 425_000, 725_000]
    assert known_state(samples, reference.spec).tolist() == [False, False, True, True, False, True, True, True]
    samples["index"] = np.arange(8)
    assert known_state(samples, reference.spec).all()
