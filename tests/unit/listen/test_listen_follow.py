"""Following a device through resets, silence and unplugging."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_device import FakeDevice
from listen_support import HEALTH, HELLO, obey

from toolchain.errors import LinkError, ModelError
from toolchain.listen import follow as following
from toolchain.listen.follow import Connected, Event, Gone, Heard, Target, follow
from toolchain.wire.messages import Decision, GetHealth, Health, Hello, SetStreams, Stream

PATIENT = 5.0


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "RETRY_S", 0.01)


def _known(hello: Hello) -> None:
    if hello.model_sha256 != HELLO.model_sha256:
        raise ModelError("another model")


def _told(events: Iterator[Event], kind: type[Event], tries: int = 2000) -> Event:
    """Return the next event of a kind."""
    for _ in range(tries):
        event = next(events)
        if isinstance(event, kind):
            return event
    raise AssertionError(f"no {kind.__name__} came")


def test_hears_what_the_device_says_and_asks_for_its_streams(device: FakeDevice) -> None:
    events = follow(Target(device.path, _known, Stream.STEP, patience=PATIENT), threading.Event())
    assert next(events) == Connected(HELLO, device.path)
    device.send(Decision(1, 2, 3, 4))
    heard = _told(events, Heard)
    assert isinstance(heard, Heard)
    assert heard.message.body == Decision(1, 2, 3, 4)
    assert heard.counters.lost == 0
    events.close()
    assert device.requests[-1].body == SetStreams(Stream.STEP)


def test_a_reset_device_is_told_its_streams_again(device: FakeDevice) -> None:
    events = follow(Target(device.path, _known, Stream.SAMPLE, patience=PATIENT), threading.Event())
    next(events)
    device.send(HELLO)
    _told(events, Heard)
    events.close()
    assert [r.body for r in device.requests if isinstance(r.body, SetStreams)] == [SetStreams(Stream.SAMPLE)] * 2


def test_an_unplugged_device_is_found_again(device: FakeDevice, tmp_path: Path) -> None:
    port = tmp_path / "port"
    port.symlink_to(device.path)
    events = follow(Target(str(port), _known, patience=PATIENT), threading.Event())
    next(events)
    device.disappear()
    port.unlink()
    gone = _told(events, Gone)
    assert isinstance(gone, Gone)
    assert "disappeared" in gone.why
    again = FakeDevice()
    again.react = obey
    port.symlink_to(again.path)
    try:
        assert _told(events, Connected) == Connected(HELLO, str(port))
        again.send(Decision(1, 2, 3, 4))
        assert isinstance(_told(events, Heard), Heard)
    finally:
        events.close()
        again.disappear()


def test_a_silent_device_is_asked_and_then_given_up(device: FakeDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "QUIET_S", 0.0)
    monkeypatch.setattr(following, "_READ_S", 0.01)
    events = follow(Target(device.path, _known, patience=0.2), threading.Event())
    next(events)
    heard = _told(events, Heard)
    assert isinstance(heard, Heard)
    assert heard.message.body == HEALTH
    device.react = lambda request: [] if isinstance(request.body, GetHealth) else obey(request)
    gone = _told(events, Gone)
    assert isinstance(gone, Gone)
    assert "did not answer GetHealth" in gone.why
    assert isinstance(_told(events, Connected), Connected)
    events.close()


def test_another_model_ends_it_also_later(device: FakeDevice) -> None:
    other = replace(HELLO, model_sha256=bytes(32))
    events = follow(Target(device.path, _known, patience=PATIENT), threading.Event())
    next(events)
    device.send(other)
    with pytest.raises(ModelError, match="another model"):
        _told(events, Heard)


def test_a_port_that_is_not_there_at_the_start_is_an_error(tmp_path: Path) -> None:
    events = follow(Target(str(tmp_path / "none"), _known), threading.Event())
    with pytest.raises(LinkError, match="no serial port"):
        next(events)


def test_an_imu_that_was_not_looked_for_yet_is_asked_about_again(device: FakeDevice) -> None:
    early = replace(HELLO, imu_status=1)
    device.react = lambda request: obey(request, early if len(device.requests) == 1 else HELLO)
    events = follow(Target(device.path, _known, patience=PATIENT), threading.Event())
    assert next(events) == Connected(HELLO, device.path)
    events.close()


def test_stops_when_told_or_when_the_target_ends(device: FakeDevice) -> None:
    stop = threading.Event()
    events = follow(Target(device.path, _known, patience=PATIENT), stop)
    next(events)
    stop.set()
    assert not [event for event in events if isinstance(event, Connected)]
    assert list(follow(Target("nowhere", _known, alive=lambda: False), threading.Event())) == []


def test_health_is_a_message_like_any(device: FakeDevice) -> None:
    events = follow(Target(device.path, _known, patience=PATIENT), threading.Event())
    next(events)
    device.send(replace(HEALTH, lost_samples=7))
    heard = _told(events, Heard)
    assert isinstance(heard, Heard)
    assert isinstance(heard.message.body, Health)
    assert heard.message.body.lost_samples == 7
    events.close()
