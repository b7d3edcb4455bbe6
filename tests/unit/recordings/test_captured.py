"""Captured sets: the file, what is trained on, corrections, text, and the card."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from toolchain.board import load_board
from toolchain.errors import DataError
from toolchain.files import sha256_of
from toolchain.project import Data, project_for_data, with_options
from toolchain.recordings import csvset
from toolchain.recordings.captured import Captured, Raw, Take, for_training, merged
from toolchain.recordings.catalog import load_native, load_set, resolved
from toolchain.recordings.codes import to_si
from toolchain.recordings.corrections import apply, apply_file, check, current
from toolchain.recordings.exchange import from_csv, to_csv
from toolchain.recordings.inspect import draw, inspect, show, to_json
from toolchain.recordings.mine import gestures_of
from toolchain.recordings.recording import UNKNOWN, Recording
from toolchain.recordings.segment import find_gesture
from toolchain.recordings.setcard import set_card, show_card, to_html, to_markdown
from toolchain.recordings.storage import is_captured, load_captured, load_collection, save_captured
from toolchain.recordings.verdict import NO_MOTION, judge
from toolchain.recordings.wearer import Wearer

IMU = load_board("nrf52840").imu
CLASSES = ("none", "swipe_left", "tap")


def captured(person: str, repeat: int = 2, session: str = "s1", lost: frozenset[int] = frozenset()) -> Captured:
    """A session of one simulated person; of the takes in ``lost`` 60 samples are missing."""
    wearer, now, takes, count, host = Wearer(person, IMU), 0.0, [], 0, 50_000_000
    for number, label in enumerate([*CLASSES[1:]] * repeat):
        codes, stamps = wearer.more(now + 1.2)
        wearer.perform(label, now + 1.2)
        more = wearer.more(now + 3.7)
        go_us = round((now + 1.2) * 1e6)
        now += 3.7
        codes, stamps = np.concatenate([codes, more[0]]), np.concatenate([stamps, more[1]])
        index = count + np.arange(len(codes), dtype=np.int64)
        count += len(codes)
        if number in lost:
            kept = np.r_[0:100, 160 : len(codes)]
            codes, stamps, index = codes[kept], stamps[kept], index[kept]
        samples = to_si(codes, IMU)
        labels = np.zeros(len(codes), np.int16)
        found = find_gesture(stamps, samples, go_us)
        assert found is not None
        labels[slice(*found)] = CLASSES.index(label)
        raw = Raw(codes, stamps, stamps + host, index)
        verdict = judge(samples, stamps - stamps[0], codes=codes, index=index, imu=IMU)
        takes.append(Take(Recording(samples, stamps - stamps[0], labels, person, session, "left"), raw, verdict, label))
    facts = json.dumps({"board": "nrf52840", "port": "virtual", "finished": True, "samples": count})
    return Captured("mine", CLASSES, "none", tuple(takes), "captured (simulated person)", facts=facts)


@pytest.fixture(scope="module")
def one() -> Captured:
    return captured("ann", lost=frozenset({2}))


@pytest.fixture
def file(one: Captured, tmp_path: Path) -> Path:
    path = tmp_path / "ann-s1.npz"
    save_captured(path, one)
    return path


def test_what_is_written_comes_back(one: Captured, file: Path) -> None:
    back = load_captured(file)
    assert (back.name, back.classes, back.background, back.source) == (one.name, one.classes, "none", one.source)
    assert back.facts == one.facts
    for a, b in zip(back.takes, one.takes, strict=True):
        assert (a.verdict, a.prompt) == (b.verdict, b.prompt)
        for name in vars(a.raw):
            assert np.array_equal(getattr(a.raw, name), getattr(b.raw, name))
            assert getattr(a.raw, name).dtype == getattr(b.raw, name).dtype
        assert np.array_equal(a.recording.samples, b.recording.samples)
        assert np.array_equal(a.recording.labels, b.recording.labels)
    assert is_captured(file)
    assert len(load_collection(file).recordings) == len(one.takes), "a plain reader takes it too"


def _change(file: Path, **changes: object) -> None:
    with np.load(file) as archive:
        arrays = dict(archive) | changes
    np.savez(file, **{key: value for key, value in arrays.items() if value is not None})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"codes": None}, "lacks the key 'codes'"),
        ({"codes": np.zeros((5, 6), np.int16)}, "one stamp and one label for each"),
        ({"codes": np.zeros((5, 6), np.int32)}, "key 'codes' is int32"),
        ({"verdict": np.array(["{}"] * 4)}, "recording 0: its verdict is not readable"),
        ({"verdict": np.array(["{}"] * 3)}, "key 'verdict' needs one entry"),
        ({"extra": np.zeros(1)}, "unknown key 'extra'"),
    ],
)
def test_a_file_is_not_trusted(file: Path, changes: dict, said: str) -> None:
    _change(file, **changes)
    with pytest.raises(DataError, match=said):
        load_captured(file)


def test_stamps_of_the_device_must_increase(file: Path, one: Captured) -> None:
    stamps = np.concatenate([take.raw.device_us for take in one.takes])
    stamps[10] = stamps[9]
    _change(file, device_us=stamps)
    with pytest.raises(DataError, match="recording 0: the device's stamps and indices must increase"):
        load_captured(file)


def test_bad_ones_are_kept_out_and_said(one: Captured, file: Path) -> None:
    assert [take.verdict.bad for take in one.takes] == [False, False, True, False]
    collection = load_native(Data(set="npz", path=str(file)), 208.0)
    (warning,) = collection.warnings
    assert warning.startswith("1 of 4 recordings are bad and kept out (60 samples lost")
    streams = [r for r in collection.recordings if r.kind == "stream"]
    assert len(streams) == 2, "where a bad one was, the stream ends"
    assert len(streams[0].t_us) == sum(len(take.raw.index) for take in one.takes[:2])
    every = load_native(Data(set="npz", path=str(file), with_bad=True), 208.0)
    assert every.warnings[0].endswith("trained on all the same.")
    assert len([r for r in every.recordings if r.kind == "stream"]) == 1


def test_takes_that_followed_each_other_are_one_stream(one: Captured) -> None:
    sound = replace(one, takes=one.takes[:2])
    collection = for_training(sound, with_bad=False)
    (stream,) = [r for r in collection.recordings if r.kind == "stream"]
    assert np.array_equal(
        stream.t_us, np.concatenate([t.raw.device_us for t in sound.takes]) - sound.takes[0].raw.device_us[0]
    )
    windows = [r for r in collection.recordings if r.kind == "window"]
    assert sorted(w.label(0) for w in windows if w.label(0)) == [1, 2]
    assert any(w.label(0) == 0 for w in windows), "the rest between them is background"
    whole = for_training(sound, with_bad=False, whole=True)
    assert sum(r.kind == "window" for r in whole.recordings) == 2


def test_one_person_extends_a_finished_run(tmp_path: Path) -> None:
    """What ``tinyltc train --from RUN --data FILE`` needs: five recordings of each gesture, bad ones not counted."""
    path = tmp_path / "ann.npz"
    save_captured(path, captured("ann", repeat=5))
    assert gestures_of(load_native(Data(set="npz", path=str(path)), 208.0)) == ("swipe_left", "tap")
    save_captured(path, captured("ann", repeat=5, lost=frozenset({3})))
    with pytest.raises(DataError, match="has 4 recordings of 'tap'"):
        gestures_of(load_native(Data(set="npz", path=str(path)), 208.0))


def test_nothing_but_bad_ones(one: Captured) -> None:
    with pytest.raises(DataError, match=r"All 1 recordings of 'mine' are bad: 60 samples lost"):
        for_training(replace(one, takes=one.takes[2:3]), with_bad=False)


def test_several_people_and_sessions_in_a_folder(tmp_path: Path) -> None:
    for person, session in (("ann", "s1"), ("ann", "s2"), ("bob", "s1"), ("cy", "s1"), ("di", "s1")):
        save_captured(tmp_path / f"{person}-{session}.npz", captured(person, session=session))
    other = captured("eve")
    renamed = replace(other, classes=("none", "tap", "wave"))
    save_captured(tmp_path / "eve-s1.npz", renamed)
    project = resolved(with_options(project_for_data("npz"), path=tmp_path), 208.0)
    assert project.task.classes == ["none", "swipe_left", "tap", "wave"]
    dataset = load_set(project.data, project.task, 208.0)
    people = [dataset.people(part) for part in (dataset.train, dataset.validation, dataset.test)]
    assert sorted(name for part in people for name in part) == ["ann", "bob", "cy", "di", "eve"]
    taps = [r for part in (dataset.train, dataset.validation, dataset.test) for r in part if r.kind == "window"]
    by_person = {name: {r.label(0) for r in taps if r.person == name} for name in ("ann", "eve")}
    assert by_person["ann"] >= {1, 2}
    assert 3 in by_person["eve"]
    assert 1 not in by_person["eve"], "classes are matched by name"


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no \.npz"):
        load_native(Data(set="npz", path=str(tmp_path)), 208.0)


def test_sets_with_other_backgrounds_are_not_merged(one: Captured) -> None:
    with pytest.raises(DataError, match="background"):
        merged([one, replace(one, classes=("rest", "swipe_left", "tap"), background="rest")], "x")


# ---- corrections


def _corrections(file: Path, *recordings: dict) -> dict:
    return {"format": 1, "sha256": sha256_of(file), "recordings": list(recordings)}


def test_corrections_are_applied(file: Path, one: Captured) -> None:
    value = _corrections(
        file,
        {"recording": 0, "deleted": False, "spans": [{"first": 10, "last": 40, "label": "wave"}]},
        {"recording": 1, "deleted": True, "spans": []},
        {"recording": 3, "deleted": False, "spans": [{"first": 0, "last": 9, "label": "?"}]},
    )
    said = apply(file, check(value, "x"))
    assert "2 recordings corrected, 1 deleted" in said
    back = load_captured(file)
    assert back.classes == (*CLASSES, "wave")
    assert len(back.takes) == 3
    labels = back.takes[0].recording.labels
    assert np.flatnonzero(labels == 3).tolist() == list(range(10, 41))
    assert (labels[41:] == 0).all()
    assert (back.takes[2].recording.labels[:10] == UNKNOWN).all()
    assert np.array_equal(back.takes[1].recording.labels, one.takes[2].recording.labels)
    assert np.array_equal(back.takes[2].raw.codes, one.takes[3].raw.codes)
    before = load_captured(file.with_name(file.name + ".bak"))
    assert len(before.takes) == 4


def test_what_stands_in_the_page_is_what_is_there(file: Path, one: Captured) -> None:
    spans = current(one.collection())
    every = [{"recording": i, "deleted": False, "spans": s} for i, s in enumerate(spans)]
    apply(file, check(_corrections(file, *every), "x"))
    for a, b in zip(load_captured(file).takes, one.takes, strict=True):
        assert np.array_equal(a.recording.labels, b.recording.labels)


def test_a_recording_that_was_labelled_by_hand_is_no_longer_bad(tmp_path: Path, one: Captured) -> None:
    take = one.takes[0]
    args = {"codes": take.raw.codes, "index": take.raw.index, "imu": IMU}
    verdict = judge(take.recording.samples, take.recording.t_us, faults=[NO_MOTION], **args)
    file = tmp_path / "x.npz"
    save_captured(file, replace(one, takes=(replace(take, verdict=verdict), *one.takes[1:])))
    assert load_captured(file).takes[0].verdict.bad
    spans = [{"first": 10, "last": 40, "label": "tap"}]
    apply(file, check(_corrections(file, {"recording": 0, "deleted": False, "spans": spans}), "x"))
    assert not load_captured(file).takes[0].verdict.bad


@pytest.mark.parametrize(
    ("recordings", "said"),
    [
        ([{"recording": 9}], "no recording 9"),
        ([{"recording": 0}, {"recording": 0}], "corrected twice"),
        ([{"recording": 0, "spans": [{"first": 5, "last": 99999, "label": "tap"}]}], "are not in it"),
        ([{"recording": 0, "spans": [{"first": 9, "last": 5, "label": "tap"}]}], "are not in it"),
        ([{"recording": 0, "spans": [{"first": 5, "last": 9, "label": "tap"}] * 2}], "overlap"),
        (
            [
                {
                    "recording": 0,
                    "spans": [{"first": n, "last": n + 5, "label": x} for n, x in ((0, "tap"), (9, "wave"))],
                }
            ],
            "holds 2 gestures",
        ),
        ([{"recording": i, "deleted": True} for i in range(4)], "delete every recording"),
        ([{"recording": 0, "spans": [{"first": 5, "last": 9, "label": "a,b"}]}], "label"),
        ([{"recording": "0"}], "recording"),
        ([{"recording": 0, "more": 1}], "not a known key"),
    ],
)
def test_corrections_that_do_not_fit(file: Path, recordings: list, said: str) -> None:
    before = file.read_bytes()
    with pytest.raises(DataError, match=said):
        apply(file, check(_corrections(file, *recordings), "x"))
    assert file.read_bytes() == before
    assert not file.with_name(file.name + ".bak").exists()


def test_corrections_of_another_state_of_the_file(file: Path, tmp_path: Path) -> None:
    value = _corrections(file, {"recording": 1, "deleted": True})
    target = tmp_path / "c.json"
    target.write_text(json.dumps(value))
    console = Console(quiet=True)
    apply_file(file, target, console)
    with pytest.raises(DataError, match="changed since these corrections were made"):
        apply_file(file, target, console)
    with pytest.raises(DataError, match="does not exist"):
        apply_file(file, tmp_path / "none.json", console)
    target.write_text("{")
    with pytest.raises(DataError, match="not valid JSON"):
        apply_file(file, target, console)


# ---- text


def test_text_gives_the_same_recordings_back(file: Path, one: Captured, tmp_path: Path) -> None:
    text, back = tmp_path / "mine.csv", tmp_path / "back.npz"
    console = Console(quiet=True)
    to_csv(file, text, console)
    assert text.read_text().splitlines()[0] == ",".join(csvset.HEADER)
    from_csv(text, back, console)
    collection = load_collection(back)
    assert (collection.classes, collection.background) == (one.classes, "none")
    for a, take in zip(collection.recordings, one.takes, strict=True):
        b = take.recording
        assert np.array_equal(a.samples, b.samples), "float32 bit for bit"
        assert np.array_equal(a.t_us, b.t_us)
        assert np.array_equal(a.labels, b.labels)
        assert (a.person, a.session, a.mounting, a.kind) == (b.person, b.session, b.mounting, b.kind)


def test_names_that_text_would_change(one: Captured, tmp_path: Path) -> None:
    for name in ("?", " tap", "none"):
        classes = ("rest", "swipe_left", name) if name == "none" else ("none", "swipe_left", name)
        spoiled = replace(one.collection(), classes=classes, background=classes[0])
        with pytest.raises(DataError, match="cannot be written as text"):
            csvset.save(tmp_path / "x.csv", spoiled)
    assert not (tmp_path / "x.csv").exists()


# ---- inspect and card


def test_inspect_shows_any_file(file: Path, one: Captured, tmp_path: Path) -> None:
    console = Console(record=True, width=200, file=io.StringIO())
    found = inspect(file, IMU)
    show(found, console)
    text = console.export_text()
    assert "60 samples lost (60 at" in text
    assert "3 good, 0 suspect, 1 bad" in text
    value = json.loads(to_json(found))
    assert [r["level"] for r in value["recordings"]] == ["good", "good", "bad", "good"]
    assert value["recordings"][2]["losses"][0] | {"seconds": 0} == {
        "row": 100,
        "seconds": 0,
        "count": 60,
        "where": "link",
    }
    draw(found, tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"

    to_csv(file, tmp_path / "m.csv", Console(quiet=True))
    as_text = inspect(tmp_path / "m.csv", IMU)
    assert [v.lost for v in as_text.verdicts] == [0, 0, 60, 0], "told by the stamps alone"
    assert as_text.verdicts[2].losses[0].where == "stamps"
    samples = np.concatenate([t.recording.samples for t in one.takes[:2]])
    half = len(one.takes[0].recording.samples)
    np.savez(
        tmp_path / "flat.npz",
        x=samples,
        offset=[0, half, len(samples)],
        label=[0, 1],
        subject=np.array(["a", "b"]),
        classes=np.array(["tap", "wave"]),
        fs=208.0,
    )
    flat = inspect(tmp_path / "flat.npz", IMU)
    assert [v.level for v in flat.verdicts] == ["good", "good"]
    assert flat.labels == ("tap", "wave")
    (tmp_path / "folder").mkdir()
    file.rename(tmp_path / "folder" / "a.npz")
    (tmp_path / "m.csv").rename(tmp_path / "folder" / "m.csv")
    assert len(inspect(tmp_path / "folder", IMU).verdicts) == 8


@pytest.mark.parametrize("name", ["none.npz", "none.csv", "bad.npz", "empty"])
def test_inspect_of_what_is_no_recording(tmp_path: Path, name: str) -> None:
    if name == "bad.npz":
        (tmp_path / name).write_bytes(b"PK\x03\x04 nothing")
    if name == "empty":
        (tmp_path / name).mkdir()
    with pytest.raises(DataError):
        inspect(tmp_path / name, IMU)


def test_the_card(file: Path, tmp_path: Path) -> None:
    save_captured(tmp_path / "bob.npz", captured("b|<b>", repeat=1))
    card = set_card(inspect(tmp_path, IMU))
    assert sorted(card["people"]) == ["ann", "b|<b>"]
    assert card["verdicts"] == {"good": 5, "suspect": 0, "bad": 1}
    assert card["kept_out"] == 1
    assert card["gestures"] == {"swipe_left": 2, "tap": 3}, "of the recordings that are not bad"
    assert card["balance"] == round(2 / 3, 3)
    assert card["people"]["ann"]["sessions"] == ["s1"]
    assert card["why"] == {"samples lost": 1}
    assert json.loads(json.dumps(card)) == card
    markdown, html = to_markdown(card), to_html(card)
    assert "| ann | 1 |" in markdown
    assert "b\\|<b>" in markdown
    assert "<b>" not in html.replace("<br>", "")
    assert "b|&lt;b&gt;" in html
    out = Console(file=io.StringIO())
    show_card(tmp_path, IMU, out, html=tmp_path / "c.html", markdown=tmp_path / "c.md", as_json=False)
    assert (tmp_path / "c.html").read_text() == html
    assert (tmp_path / "c.md").read_text() == markdown
