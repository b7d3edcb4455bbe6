"""Gestures over MQTT (OASIS MQTT 3.1.1), by paho-mqtt."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from toolchain.errors import ConfigError, LinkError, MissingToolError
from toolchain.listen.gesture import Gesture

PASSWORD_VARIABLE = "TINYLTC_MQTT_PASSWORD"
FRESH_S = 5.0
"""A gesture that waited longer for the broker is dropped: a lamp must not go on minutes after the hand moved."""
CONNECT_S = 5.0
TOPIC = "tinyltc"
_SCHEMES = {"mqtt": 1883, "mqtts": 8883}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to publish. ``topic`` is the root: gestures go to ``<topic>/gesture``, life to ``<topic>/status``."""

    host: str
    port: int
    topic: str
    user: str | None
    tls: bool

    def __str__(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"


def parse_broker(url: str) -> Broker:
    """Read ``mqtt[s]://[user@]host[:port][/topic]``; raises ConfigError."""
    shape = "Expected mqtt://host/topic or mqtts://user@host:8883/topic."
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise ConfigError(f"--mqtt '{url}' has no valid port.", shape) from None
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError(f"--mqtt '{url}' is not the address of a broker.", shape)
    if parts.password is not None:
        # A command line is seen by every user of the machine.
        raise ConfigError("--mqtt holds a password.", f"Put it into the environment variable {PASSWORD_VARIABLE}.")
    topic = unquote(parts.path).strip("/") or TOPIC
    if any(sign in topic for sign in "+#\0"):
        raise ConfigError(f"--mqtt: one cannot publish to '{topic}'.", "A topic has no '+' and no '#'.")
    user = unquote(parts.username) if parts.username else None
    return Broker(parts.hostname, port or _SCHEMES[parts.scheme], topic, user, parts.scheme == "mqtts")


class Publisher:
    """Publishes gestures with QoS 1 and the retained status ``online`` or ``offline`` (the latter also as the will).

    Use as a context manager: entering it raises LinkError when the broker does not take us. A broker that goes away
    later is said once and found again by itself; gestures wait for it at most :data:`FRESH_S`.
    """

    def __init__(self, broker: Broker, password: str | None, say: Say, clock: Callable[[], float] = time.monotonic):
        try:
            from paho.mqtt import client as paho
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise MissingToolError("--mqtt needs paho-mqtt.", "pip install 'tinyltc[mqtt]'") from None
        self.broker = broker
        self.published = 0
        self.expired = 0
        self._say = say
        self._clock = clock
        self._waiting: deque[tuple[float, Gesture]] = deque()
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._refused = ""
        self._closing = False
        self._success = paho.MQTT_ERR_SUCCESS
        self._client: Any = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        self._client.reconnect_delay_set(1, 8)
        self._client.will_set(f"{broker.topic}/status", "offline", qos=1, retain=True)
        if broker.user is not None:
            self._client.username_pw_set(broker.user, password)
        if broker.tls:
            self._client.tls_set()
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect

    def __enter__(self) -> Publisher:
        """Connect."""
        hint = "Is a broker running there? For a try on this machine: `mosquitto -p 1883`."
        try:
            self._client.connect(self.broker.host, self.broker.port, keepalive=30)
        except OSError as reason:
            why = reason.strerror or str(reason)
            raise LinkError(f"The MQTT broker {self.broker} cannot be reached ({why}).", hint) from None
        self._client.loop_start()
        answered = self._answered.wait(CONNECT_S)
        if not answered or self._refused:
            self._client.loop_stop()
            if not answered:
                raise LinkError(f"{self.broker} does not answer as an MQTT broker.", hint)
            account = f"Give user@host, and the password in {PASSWORD_VARIABLE}."
            raise LinkError(f"The MQTT broker {self.broker} refuses us ({self._refused}).", account)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say offline and leave."""
        self.flush()
        self._closing = True
        if self._client.is_connected():
            self._client.publish(f"{self.broker.topic}/status", "offline", qos=1, retain=True).wait_for_publish(2.0)
        self._client.disconnect()
        self._client.loop_stop()

    def __call__(self, gesture: Gesture) -> None:
        """Publish a gesture, or keep it for a moment while the broker is away."""
        with self._lock:
            self._waiting.append((self._clock(), gesture))
        self.flush()

    def flush(self) -> None:
        """Publish what waits and drop what waited too long."""
        with self._lock:
            while self._waiting:
                since, gesture = self._waiting[0]
                if self._clock() - since > FRESH_S:
                    self.expired += 1
                    self._say(f"'{gesture.label}' waited {FRESH_S:.0f} s for the MQTT broker and was dropped.")
                elif not self._client.is_connected() or not self._publish(gesture):
                    return
                self._waiting.popleft()

    def _publish(self, gesture: Gesture) -> bool:
        sent = self._client.publish(f"{self.broker.topic}/gesture", json.dumps(gesture.fields()), qos=1)
        self.published += sent.rc == self._success
        return bool(sent.rc == self._success)

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._refused = str(reason) if reason.is_failure else ""
        if not reason.is_failure:
            client.publish(f"{self.broker.topic}/status", "online", qos=1, retain=True)
            if self._answered.is_set():
                self._say(f"The MQTT broker {self.broker} is back.")
        self._answered.set()

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if self._answered.is_set() and not self._closing and not self._refused:
            self._say(f"The MQTT broker {self.broker} went away ({reason}); it is tried again by itself.")
