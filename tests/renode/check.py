"""Looks at what left the UART under Renode: ``check.py FILE hello counted mute``; exits with 1 and a sentence."""

from __future__ import annotations

import sys
from pathlib import Path

from toolchain.wire.capture import Capture
from toolchain.wire.messages import Health, Hello, Log


def main(path: str, *wanted: str) -> str:
    """Return what is missing, empty when all is there."""
    capture = Capture(from_start=True)
    bodies = [message.body for message in capture.feed(Path(path).read_bytes())]
    if capture.counters.faults:
        return f"The line was not sound: {capture.counters}."
    hello = next((body for body in bodies if isinstance(body, Hello)), None)
    healths = [body for body in bodies if isinstance(body, Health)]
    told = [body.text for body in bodies if isinstance(body, Log)]
    if "hello" in wanted and (hello is None or hello.model_status or hello.imu_status):
        return f"No sound HELLO came: {hello}."
    if "counted" in wanted and not (healths and healths[-1].samples > 150 and not healths[-1].lost_samples):
        return f"Samples are missing: {healths[-1:]}."
    if "mute" in wanted and not any("went mute" in text for text in told):
        return f"Nobody said that the IMU was mute: {told}."
    return ""


if __name__ == "__main__":
    missing = main(*sys.argv[1:])
    sys.exit(missing or 0)
