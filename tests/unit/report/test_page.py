"""report.html: the same numbers as report.json, complete in itself, escaped, reproducible."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from toolchain.report.make import make_report
from toolchain.report.stages import Timeline
from toolchain.report.timeline import drawn_s

QUIET = Console(quiet=True)
VOID = {"meta", "br", "path", "use", "link", "img", "input", "hr"}


class Reader(HTMLParser):
    """Collects tags, attributes and <data> elements, and checks that elements nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.data: dict[str, float] = {}
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.attributes += [(key, value or "") for key, value in attrs]
        if tag == "data":
            self.data[values["data-key"]] = float(values["value"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(key, value or "") for key, value in attrs]

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture
def written(reported):
    return json.loads(reported.report_json.read_text()), reported.report_html.read_text()


def value_at(report, key):
    for part in key.split("."):
        report = report[int(part)] if isinstance(report, list) else report[part]
    return report


def test_numbers_equal_report_json(written):
    report, text = written
    data = Reader(text).data
    for key in ("accuracy.device", "stream.event_recall", "latency_us.p99_9", "memory.flash_bytes", "step_cycles.max"):
        assert key in data
    for key, value in data.items():
        assert value == value_at(report, key), key


def test_it_needs_nothing_from_outside(written):
    _, text = written
    reader = Reader(text)
    assert reader.open == []
    assert not {"script", "link", "iframe", "img", "object", "embed"} & set(reader.tags)
    for key, value in reader.attributes:
        if key in ("src", "href", "xlink:href", "data", "action", "poster"):
            assert value.startswith(("#", "data:")), (key, value)
        assert not key.startswith("on")
    assert not re.search(r"@import|url\((?!#)", text)


def test_ids_are_unique_and_every_reference_has_its_target(written):
    _, text = written
    ids = [value for key, value in Reader(text).attributes if key == "id"]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text))
    for first, second in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text):
        assert (first or second) in ids


def test_every_figure_is_there(written):
    _, text = written
    labels = [value for key, value in Reader(text).attributes if key == "aria-label"]
    assert [label.split(":")[0] for label in labels] == [
        "Timeline of p18",
        "Timeline of p17",
        "Timeline of p17",
        "Histogram of the latency from data-ready to command",
        "Histogram of the time of each stage",
        "Training loss and validation accuracy by epoch",
    ]
    assert "missed rotate" in text
    for heading in ("Figures", "Confusion matrix", "Memory", "Parity", "Data card", "Limits", "How to reproduce"):
        assert f"<h2>{heading}" in text


def test_no_placeholder_colour_is_left(written):
    _, text = written
    assert not re.search(r"#0[0-9a]0[0-9a-c]0[0-9]", text)
    used = set(re.findall(r"var\((--[a-z0-9]+)\)", text))
    assert used <= set(re.findall(r"(--[a-z0-9]+):", text))


def test_names_are_escaped_everywhere(files, make_run):
    evil, person = "<b>$x$ & 'y'", 'p"><script>1</script>'
    names = ["none", evil, "swipe_right", "tap", "rotate"]
    for file in ("data.json", "model.json"):
        files[file]["classes"] = names
    files["data.json"]["source"] = "<img src=http://x>"
    device = files["device.json"]
    device["functions"][0]["name"] = "<i>f</i>"
    device["timelines"][0] |= {"person": person}
    device["timelines"][0]["truth"][0] |= {"class": evil, "hit": False}
    device["timelines"][0]["commands"][0] |= {"class": evil, "correct": False}
    run = make_run(files)
    make_report(run, QUIET)
    text = run.report_html.read_text()
    reader = Reader(text)
    assert reader.open == []
    assert not {"script", "img"} & set(reader.tags)
    assert "<b>$x" not in text
    assert "<i>f" not in text
    assert "&lt;b&gt;$x$ &amp;" in text
    assert "missed &lt;b&gt;$x$ &amp;" in text


def test_the_same_input_gives_the_same_bytes(files, make_run, reported):
    again = make_run(files)
    make_report(again, QUIET)
    assert again.report_html.read_bytes() == reported.report_html.read_bytes()
    assert again.report_json.read_bytes() == reported.report_json.read_bytes()


def test_a_broken_limit_stands_in_the_headline(files, make_run):
    files["project.json"]["budgets"] |= {"ram_bytes": 9000, "flash_bytes": 9000}
    run = make_run(files)
    make_report(run, QUIET)
    text = run.report_html.read_text()
    assert "2 limits are not kept: Flash, model included; RAM, stack included." in text
    assert "Every limit that was checked is kept" not in text


def test_the_streams_with_most_errors_come_first_and_the_page_says_so(files, make_run):
    lines = files["device.json"]["timelines"]
    files["device.json"]["timelines"] = [lines[0]] * 4 + [lines[1]]
    run = make_run(files)
    make_report(run, QUIET)
    text = run.report_html.read_text()
    assert "the worst first (4)." in text
    assert text.count("Timeline of p17") == 3
    assert text.index("Timeline of p18: 2 errors") < text.index("Timeline of p17: 0 errors")


def test_a_long_stream_says_how_much_is_drawn(files, make_run):
    line = files["device.json"]["timelines"][0]
    line["seconds"] = 600.0
    run = make_run(files)
    make_report(run, QUIET)
    assert "the first 90 s are drawn" in run.report_html.read_text()
    assert drawn_s(Timeline.model_validate(line)) == 90.0


def test_histograms_are_left_out_without_device_npz(files, make_run):
    run = make_run(files)
    run.device_npz.unlink()
    make_report(run, QUIET)
    text = run.report_html.read_text()
    assert "Histogram" not in text
    assert "1,020.0" in text


@pytest.mark.parametrize("value", [1.0, 661.25])
def test_equal_latencies_still_make_a_histogram(files, make_run, value):
    run = make_run(files)
    np.savez(run.device_npz, latency_all_us=np.full(3, value))
    make_report(run, QUIET)
    assert "Histogram of the latency" in run.report_html.read_text()
