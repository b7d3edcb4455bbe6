"""Publishing to a real broker (mosquitto), which comes and goes."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from toolchain.errors import ConfigError, LinkError
from toolchain.listen.gesture import Gesture
from toolchain.listen.mqtt import FRESH_S, Broker, Publisher, parse_broker

GESTURE = Gesture("tap", 3, 2560, 7, 33_654, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
DEADLINE_S = 20.0


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


class Mosquitto:
    """A broker that can be started and stopped on one port."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if program is None:
            pytest.skip("mosquitto is not installed (Debian: apt-get install mosquitto)")
        self._program = program
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([self._program, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        _until(self._listens)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.stop()


class Ear:
    """A subscriber to everything."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, str, bool]] = []
        subscribed = threading.Event()
        self._client: Any = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _c, _d, m: self.heard.append((m.topic, m.payload.decode(), m.retain))
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("#", qos=1)
        self._client.loop_start()
        assert subscribed.wait(DEADLINE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _broker(mosquitto: Mosquitto) -> Broker:
    return parse_broker(f"mqtt://127.0.0.1:{mosquitto.port}/wrist")


def test_a_gesture_arrives_with_status_before_and_after(mosquitto: Mosquitto) -> None:
    ear = Ear(mosquitto.port)
    with Publisher(_broker(mosquitto), None, print) as publish:
        publish(GESTURE)
        _until(lambda: len(ear.heard) >= 2)
    _until(lambda: len(ear.heard) >= 3)
    ear.close()
    assert [(topic, payload) for topic, payload, _ in ear.heard] == [
        ("wrist/status", "online"),
        ("wrist/gesture", json.dumps(GESTURE.fields())),
        ("wrist/status", "offline"),
    ]
    late = Ear(mosquitto.port)
    _until(lambda: len(late.heard) >= 1)
    late.close()
    assert late.heard == [("wrist/status", "offline", True)]


def test_a_broker_that_comes_back_gets_what_is_fresh(mosquitto: Mosquitto) -> None:
    said: list[str] = []
    now = [0.0]
    with Publisher(_broker(mosquitto), None, said.append, lambda: now[0]) as publish:
        mosquitto.stop()
        _until(lambda: any("went away" in text for text in said))
        publish(GESTURE)
        now[0] = FRESH_S + 1
        publish(GESTURE)
        assert publish.expired == 1
        assert publish.published == 0
        mosquitto.start()
        ear = Ear(mosquitto.port)
        _until(lambda: any("is back" in text for text in said))
        publish.flush()
        _until(lambda: any(topic == "wrist/gesture" for topic, _, _ in ear.heard))
        assert publish.published == 1
        ear.close()
    assert any("was dropped" in text for text in said)


def test_no_broker_is_one_sentence(mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    with pytest.raises(LinkError, match="cannot be reached"), Publisher(_broker(mosquitto), None, print):
        pass


def test_something_else_on_the_port_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolchain.listen.mqtt.CONNECT_S", 0.2)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        broker = parse_broker(f"mqtt://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(LinkError, match="does not answer as an MQTT broker"), Publisher(broker, None, print):
            pass


def test_addresses() -> None:
    assert parse_broker("mqtt://home") == Broker("home", 1883, "tinyltc", None, False)
    assert parse_broker("mqtts://me@home:9/a/b/") == Broker("home", 9, "a/b", "me", True)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("home", "not the address"),
        ("http://home", "not the address"),
        ("mqtt://", "not the address"),
        ("mqtt://home:x", "no valid port"),
        ("mqtt://me:secret@home", "holds a password"),
        ("mqtt://home/a/+", "cannot publish"),
    ],
)
def test_wrong_addresses(url: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        parse_broker(url)
