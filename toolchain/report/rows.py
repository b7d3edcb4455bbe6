"""The one table of figures: the terminal and the page show the same rows."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.report.numbers import count, decimal, fraction, kilobytes, milliseconds
from toolchain.report.schema import Report, StreamBlock

INT8_LOSS = 0.005
"""The most that int8 may lose against float, in accuracy (issue 2, figures to reach)."""


@dataclass(frozen=True)
class Row:
    """A figure: ``value`` is report.json's under ``key``, ``text`` what is read; ``ok`` is None without a limit."""

    key: str
    what: str
    value: float | None
    text: str
    source: str
    limit: str = ""
    ok: bool | None = None


def rows(report: Report) -> list[Row]:
    """All figures of a report in reading order; what was not measured has no row."""
    return [*_recognition(report), *_parity(report), *_time(report), *_power(report), *_memory(report)]


def _recognition(report: Report) -> list[Row]:
    accuracy = report.accuracy
    loss = accuracy.float_ - accuracy.int8
    found = [
        Row("accuracy.float", "Accuracy, float", accuracy.float_, fraction(accuracy.float_), accuracy.source),
        Row(
            "accuracy.int8",
            "Accuracy, int8",
            accuracy.int8,
            fraction(accuracy.int8),
            accuracy.source,
            f"float - {INT8_LOSS}",
            # Accuracies are quotients of counts: compare away from the last bit.
            loss <= INT8_LOSS + 1e-9,
        ),
    ]
    if accuracy.device is not None and accuracy.device_source is not None:
        device = accuracy.device
        found.append(Row("accuracy.device", "Accuracy, device", device, fraction(device), accuracy.device_source))
    return found + (_stream(report.stream) if report.stream else [])


def _stream(stream: StreamBlock) -> list[Row]:
    found = []
    if stream.event_recall is not None:
        recall = stream.event_recall
        found.append(Row("stream.event_recall", "Event recall in streams", recall, fraction(recall), stream.source))
    if stream.false_per_hour is not None:
        false = stream.false_per_hour
        text = f"{decimal(false)} per hour"
        found.append(Row("stream.false_per_hour", "False activations", false, text, stream.source))
    if stream.delay_ms_median is not None:
        delay = stream.delay_ms_median
        text = f"{decimal(delay, 0)} ms"
        found.append(Row("stream.delay_ms_median", "Delay after the motion's end, median", delay, text, stream.source))
    return found


def _proven(mismatches: int, samples: int) -> bool:
    # No mismatch among no samples proves nothing.
    return mismatches == 0 and samples > 0


def _parity(report: Report) -> list[Row]:
    host, parity = report.parity_host, report.parity
    what, bad = "Mismatches with TFLM", host.tflm_mismatches
    proven = _proven(bad, host.tflm_samples)
    found = [
        Row(
            "parity_host.tflm_mismatches",
            what,
            bad,
            f"{count(bad)} of {count(host.tflm_samples)}",
            host.source,
            "0",
            proven,
        )
    ]
    if parity:
        text, complete = f"{count(parity.samples)} of {count(parity.samples_fed)}", parity.samples == parity.samples_fed
        found.append(Row("parity.samples", "Samples compared", parity.samples, text, parity.source, "all", complete))
        for name in ("code", "timing", "int8", "state", "decision", "command"):
            bad = getattr(parity, f"{name}_mismatches")
            what, proven = f"Mismatches, {name}", _proven(bad, parity.samples)
            found.append(Row(f"parity.{name}_mismatches", what, bad, count(bad), parity.source, "0", proven))
    return found


def _time(report: Report) -> list[Row]:
    found = []
    if report.step_cycles and report.device:
        cycles, clock = report.step_cycles, report.device.clock_hz
        for key, value in (("median", cycles.median), ("max", cycles.max)):
            text = f"{count(value)} ({milliseconds(value / clock * 1e6)})"
            found.append(Row(f"step_cycles.{key}", f"Step cycles, {key}", value, text, cycles.source))
    if report.latency_us:
        latency = report.latency_us
        for key, label in (("p50", "median"), ("p99_9", "p99.9"), ("max", "max")):
            value = getattr(latency, key)
            what = f"Data-ready to command, {label}"
            found.append(Row(f"latency_us.{key}", what, value, milliseconds(value), latency.source))
        delay = latency.pipeline_delay
        found.append(Row("latency_us.pipeline_delay", "Pipeline delay", delay, milliseconds(delay), latency.source))
    for index, budget in enumerate(report.budgets):
        if budget.name == "latency":
            found.append(
                Row(
                    f"budgets.{index}.value",
                    "p99.9 + pipeline delay",
                    budget.value,
                    f"{budget.value:.3f} ms",
                    budget.source,
                    f"{budget.limit:g} ms",
                    budget.ok,
                )
            )
    return found


def _power(report: Report) -> list[Row]:
    power = report.power_mw
    if power is None:
        return []
    budget = next((b for b in report.budgets if b.name == "power"), None)
    limit, ok = (f"{budget.limit:g} mW", budget.ok) if budget else ("", None)
    bar = f" ({decimal(power.low, 2)} to {decimal(power.high, 2)})" if power.low < power.high else ""
    text = f"{decimal(power.value, 2)} mW{bar}"
    return [Row("power_mw.value", "Average power", power.value, text, power.source, limit, ok)]


def _memory(report: Report) -> list[Row]:
    model = report.model
    found = [Row("model.tflite_bytes", ".tflite", model.tflite_bytes, kilobytes(model.tflite_bytes), model.source)]
    if report.memory:
        memory = report.memory
        limits = {budget.name: budget for budget in report.budgets}
        for key, what, name in (
            ("flash_bytes", "Flash, model included", "flash"),
            ("engine_flash_bytes", "of it the engine", ""),
            ("model_flash_bytes", "of it the model image", ""),
            ("ram_bytes", "RAM, stack included", "RAM"),
            ("stack_bytes", "of it the stack's reserve", ""),
        ):
            value, budget = getattr(memory, key), limits.get(name)
            limit, ok = (kilobytes(budget.limit), budget.ok) if budget else ("", None)
            found.append(Row(f"memory.{key}", what, value, kilobytes(value), memory.source, limit, ok))
    if report.stack:
        used = report.stack.used_bytes
        found.append(Row("stack.used_bytes", "Stack used at most", used, kilobytes(used), report.stack.source))
    if report.speed:
        ratio = report.speed.ratio
        found.append(
            Row("speed.ratio", "Emulation speed", ratio, f"{decimal(ratio)} times real time", report.speed.source)
        )
    return found
