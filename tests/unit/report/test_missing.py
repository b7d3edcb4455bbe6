"""Stages that did not run, damaged files, and writing whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json

import pytest
from rich.console import Console

import toolchain.report.make as make_module
from toolchain.errors import ModelError
from toolchain.report.make import make_report
from toolchain.report.stages import read_stages

QUIET = Console(quiet=True)


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("project.json", "tinyltc train --run demo"),
        ("data.json", "tinyltc train --run demo"),
        ("training.json", "tinyltc train --run demo"),
        ("model.json", "tinyltc train --run demo"),
        ("int8.json", "tinyltc convert --run demo"),
        ("model.tflite", "tinyltc convert --run demo"),
        ("firmware/build.json", "tinyltc build --run demo"),
    ],
)
def test_a_missing_stage_names_the_command(files, make_run, file, command):
    del files[file]
    run = make_run(files)
    with pytest.raises(ModelError) as error:
        make_report(run, QUIET)
    assert file.split("/")[-1] in error.value.what
    assert command in error.value.hint
    assert not run.report_json.exists()
    assert not run.report_html.exists()


def test_without_a_device_run_the_rest_is_reported(files, make_run):
    del files["device.json"]
    run, out = make_run(files), io.StringIO()
    make_report(run, Console(file=out, width=160))
    report = json.loads(run.report_json.read_text())
    assert report["missing"] == ["run"]
    for block in ("parity", "device", "step_cycles", "latency_us", "stack", "speed", "health"):
        assert report[block] is None
    assert report["accuracy"]["device"] is None
    assert report["memory"]["flash_bytes"] == 41872
    assert report["stream"] == report["stream_host"]
    assert report["confusion"]["of"] == "int8 on the host"
    assert [budget["name"] for budget in report["budgets"]] == ["RAM", "flash"]
    text = run.report_html.read_text()
    assert "<code>tinyltc run --run demo</code> did not run" in text
    assert "<h2>Latency" not in text
    assert "Not measured yet: run `tinyltc run --run demo`." in out.getvalue()


def test_before_the_build_only_the_host_is_reported(files, make_run):
    del files["device.json"], files["firmware/build.json"]
    run = make_run(files)
    make_report(run, QUIET)
    report = json.loads(run.report_json.read_text())
    assert report["missing"] == ["build", "run"]
    assert report["memory"] is None
    assert report["budgets"] == []
    assert "<h2>Memory" not in run.report_html.read_text()


def test_a_data_set_without_streams_has_no_stream_scores(files, make_run):
    nothing = {"event_recall": 0.0, "false_per_hour": 0.0, "delay_ms_median": None, "events": 0, "hours": 0.0}
    files["int8.json"]["stream"] = nothing
    files["device.json"] |= {"stream": nothing, "timelines": []}
    run = make_run(files)
    make_report(run, QUIET)
    stream = json.loads(run.report_json.read_text())["stream"]
    assert (stream["event_recall"], stream["false_per_hour"]) == (None, None)
    text = run.report_html.read_text()
    assert "Event recall" not in text
    assert "<h2>Streaming timeline" not in text


def test_a_model_of_another_conversion_is_refused(files, make_run):
    files["model.tflite"] += b"x"
    with pytest.raises(ModelError, match=r"not the model .*`tinyltc convert --run demo` again"):
        make_report(make_run(files), QUIET)


def test_a_device_run_of_another_image_is_refused(files, make_run):
    files["model.bin"] += b"x"
    with pytest.raises(ModelError, match=r"model\.bin is not the model image .*`tinyltc run --run demo` again"):
        make_report(make_run(files), QUIET)


def test_what_the_run_found_wrong_is_told(files, make_run):
    files["device.json"]["errors"] = ["3 frames were lost on the <way>."]
    run, out = make_run(files), io.StringIO()
    make_report(run, Console(file=out, width=160))
    assert json.loads(run.report_json.read_text())["errors"] == files["device.json"]["errors"]
    assert "3 frames were lost on the &lt;way&gt;." in run.report_html.read_text()
    assert "The run found: 3 frames were lost on the <way>." in out.getvalue()


def test_a_missing_key_is_named(files, make_run):
    del files["device.json"]["latency_us"]["p99_9"]
    with pytest.raises(ModelError, match=r"device\.json: key 'latency_us\.p99_9': Field required"):
        make_report(make_run(files), QUIET)


def test_damaged_json_is_named(files, make_run):
    run = make_run(files)
    run.int8_json.write_text('{"source": ')
    with pytest.raises(ModelError, match=r"int8\.json is not valid JSON .*tinyltc convert --run demo"):
        make_report(run, QUIET)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut", b"not a zip"])
def test_a_damaged_npz_is_named(files, make_run, data):
    run = make_run(files)
    run.device_npz.write_bytes(data)
    with pytest.raises(ModelError, match=r"device\.npz is truncated or .*tinyltc run --run demo"):
        make_report(run, QUIET)


def test_a_failure_leaves_the_old_report_alone(files, make_run, monkeypatch):
    run = make_run(files)
    make_report(run, QUIET)
    before = run.report_html.read_bytes(), run.report_json.read_bytes(), sorted(run.path.iterdir())

    def fail(*_):
        raise ModelError("The page cannot be made.")

    files["int8.json"]["accuracy"]["int8"] = 0.5
    run.int8_json.write_text(json.dumps(files["int8.json"]))
    monkeypatch.setattr(make_module, "render_page", fail)
    with pytest.raises(ModelError):
        make_report(run, QUIET)
    assert (run.report_html.read_bytes(), run.report_json.read_bytes(), sorted(run.path.iterdir())) == before


def test_weights_trained_after_the_conversion(files, make_run):
    files["training.json"]["weights_sha256"] = "0" * 64
    with pytest.raises(ModelError, match=r"model\.npz is not what training\.json describes"):
        read_stages(make_run(files))
    files["model.npz"] += b"x"
    files["training.json"]["weights_sha256"] = hashlib.sha256(files["model.npz"]).hexdigest()
    with pytest.raises(ModelError, match=r"older weights.*tinyltc convert --run demo"):
        read_stages(make_run(files))


def test_a_device_run_of_an_older_tflite(files, make_run):
    files["device.json"]["device"]["tflite_sha256"] = "0" * 64
    with pytest.raises(ModelError, match=r"tinyltc generate --run demo"):
        read_stages(make_run(files))
