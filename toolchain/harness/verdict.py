"""What is wrong with a run, in sentences: for device.json and for the person who started it."""

from __future__ import annotations

from toolchain.harness.compare import Comparison
from toolchain.harness.record import Record
from toolchain.wire.capture import Counters

_MISMATCHES = {
    "code": "codes came back other than they were fed",
    "timing": "steps used another interval or reset than the stamps ask for",
    "int8": "samples have other int8 logits than the reference",
    "state": "samples have another state than the reference",
    "decision": "samples have another decision than the reference",
    "command": "commands do not match their steps",
}
_HEALTH = {
    "overruns": "samples waited while the one before them was worked on",
    "lost_samples": "samples were lost in the device",
    "dropped_commands": "command frames were dropped by the device",
    "dropped_others": "frames were dropped by the device",
    "received_bad": "requests reached the device damaged",
    "engine_errors": "samples failed in the engine",
    "stuck": "channels of the IMU were found stuck",
    "odd_gravity": "times gravity was found implausible",
    "odd_axes": "times the axes of the IMU were found mirrored",
    "time_back": "stamps were before the one before them",
    "state_faults": "times a state was no number",
}


def mismatches(comparison: Comparison) -> list[str]:
    """One sentence for each kind of disagreement with the reference."""
    return [
        f"{count} {words} (the first at sample {comparison.first[kind]})."
        for kind, words in _MISMATCHES.items()
        if (count := getattr(comparison, f"{kind}_mismatches"))
    ]


def losses(comparison: Comparison, counters: Counters, record: Record) -> list[str]:
    """One sentence for everything that did not come, or came damaged."""
    found = []
    if comparison.samples < comparison.samples_fed:
        found.append(f"Only {comparison.samples} of {comparison.samples_fed} samples fed could be compared.")
    if comparison.samples_reported < comparison.samples_fed:
        missing = comparison.samples_fed - comparison.samples_reported
        found.append(f"{missing} samples fed were not reported by the device.")
    if counters.lost or counters.pending:
        found.append(f"{counters.lost + counters.pending} frames were lost on the way.")
    for count, words in (
        (counters.bad_crc + counters.bad_cobs + counters.too_long + counters.too_short, "frames were damaged"),
        (counters.unknown, "messages were of an unknown kind or version"),
        (counters.bad_body + record.bad_steps, "messages had a body that does not fit"),
        (counters.repeated + record.duplicates, "messages came twice"),
        (counters.restarts, "resets of the device during the run"),
    ):
        if count:
            found.append(f"{count} {words}.")
    return found


def ailments(record: Record, silences: int) -> list[str]:
    """One sentence for every counter of HEALTH that should have stayed 0.

    ``silences``: gaps that the feed itself made, which the device must have answered with a reset each. They are
    far shorter than the silence after which the device takes its sensor for mute.
    """
    health = record.health
    if health is None:
        return ["No HEALTH message came."]
    found = [f"{count} {words}." for name, words in _HEALTH.items() if (count := getattr(health, name))]
    if health.gap_resets != silences:
        found.append(f"{health.gap_resets} gaps reset the state, {silences} were fed.")
    if health.imu_faults or health.imu_restarts:
        found.append(f"The IMU was found faulty {health.imu_faults} times and restarted {health.imu_restarts} times.")
    if not health.dwt_moves:
        found.append("The cycle counter did not move: cycles mean nothing.")
    complaints = [log.text for log in record.logs if log.severity >= 2]
    if complaints:
        found.append(f"The device logged {len(complaints)} errors: {complaints[0]}")
    return found


def stack(used: int, bound: int | None) -> list[str]:
    """One sentence if the device used more stack than the build said it can; ``bound`` None: nothing was said."""
    if bound is None or used <= bound:
        return []
    return [f"{used:,} bytes of stack were used, the build bounds it at {bound:,}: the call graph misses something."]
