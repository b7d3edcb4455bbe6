"""report.json: what the schema accepts and refuses."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from pydantic import ValidationError

from toolchain.errors import ModelError
from toolchain.report.make import load_report
from toolchain.report.schema import Report

REQUIRED = {
    "model": {"tflite_bytes", "sha256", "layers", "units", "parameters"},
    "data": {"name", "classes", "people_train", "people_test"},
    "accuracy": {"float", "int8", "device"},
    "stream": {"event_recall", "false_per_hour", "delay_ms_median"},
    "parity": {"samples", "int8_mismatches", "state_mismatches", "decision_mismatches"},
    "device": {"board", "engine", "emulator", "clock_hz", "rate_hz"},
    "step_cycles": {"median", "max"},
    "latency_us": {"p50", "p95", "p99", "p99_9", "max", "stages", "pipeline_delay"},
    "memory": {"flash_bytes", "ram_bytes", "stack_bytes", "engine_flash_bytes", "model_flash_bytes"},
}
MEASURED = [block for block in REQUIRED if block != "data"]


@pytest.fixture
def value(reported) -> dict[str, Any]:
    return json.loads(reported.report_json.read_text())


def test_it_holds_every_block_that_the_issue_names(value):
    for block, keys in REQUIRED.items():
        assert keys <= set(value[block]), block
    for block in MEASURED:
        assert value[block]["source"].startswith(("measured on ", "emulated (cycle estimate)")), block
    assert value["accuracy"] == {
        "float": 0.9791,
        "int8": 0.9783,
        "device": 0.9783,
        "source": "measured on host",
        "device_source": "emulated (cycle estimate)",
    }
    assert (value["data"]["people_train"], value["data"]["people_test"]) == (14, 2)
    assert value["missing"] == []


def test_it_reads_back(reported):
    assert load_report(reported).accuracy.float_ == 0.9791


def test_reading_back_names_the_command(files, make_run):
    with pytest.raises(ModelError, match=r"tinyltc report --run demo"):
        load_report(make_run(files))


@pytest.mark.parametrize("block", ["", *REQUIRED])
def test_unknown_keys_are_refused(value, block):
    (value[block] if block else value)["surprise"] = 1
    with pytest.raises(ValidationError, match="surprise"):
        Report.model_validate(value)


@pytest.mark.parametrize(("block", "key"), [(block, key) for block, keys in REQUIRED.items() for key in sorted(keys)])
def test_missing_keys_are_refused(value, block, key):
    del value[block][key]
    with pytest.raises(ValidationError, match=key):
        Report.model_validate(value)


@pytest.mark.parametrize("block", MEASURED)
@pytest.mark.parametrize("source", [None, "", "measured", "emulated", "guessed"])
def test_a_measured_block_needs_a_known_source(value, block, source):
    changed = copy.deepcopy(value)
    if source is None:
        del changed[block]["source"]
    else:
        changed[block]["source"] = source
    with pytest.raises(ValidationError, match="source"):
        Report.model_validate(changed)


@pytest.mark.parametrize(
    ("block", "key", "bad"),
    [
        ("accuracy", "int8", 97.8),
        ("stream", "event_recall", 1.01),
        ("parity", "int8_mismatches", -1),
        ("model", "sha256", "abc"),
        ("latency_us", "p50", float("nan")),
    ],
)
def test_impossible_values_are_refused(value, block, key, bad):
    value[block][key] = bad
    with pytest.raises(ValidationError, match=key):
        Report.model_validate(value)


def test_a_null_block_must_be_declared_missing(value):
    value["latency_us"] = None
    with pytest.raises(ValidationError, match="latency_us"):
        Report.model_validate(value)


def test_the_confusion_matrix_has_a_row_per_class(value):
    value["confusion"]["counts"].pop()
    with pytest.raises(ValidationError, match="5 by 5"):
        Report.model_validate(value)


def test_a_budget_cannot_claim_ok_against_its_value(value):
    value["budgets"][0]["value"] = value["budgets"][0]["limit"] + 1
    with pytest.raises(ValidationError, match="'ok' must say"):
        Report.model_validate(value)
