"""uhh, spsw, spar, flat .npz and .csv: small files of the same formats, sound and broken, and the real ones."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toolchain.errors import DataError, MissingToolError
from toolchain.project import Data, project_for_data, with_options
from toolchain.recordings import catalog, csvset, npzset, spar, spsw, uhh
from toolchain.recordings.recording import UNKNOWN

G = 9.80665


def flat(**changes: Any) -> dict[str, Any]:
    """Two recordings of 3 s at 100 Hz in physical units: rest, a turn about z, rest."""
    one = np.zeros((300, 6), np.float32)
    one[:, 2] = G
    one[100:200, 5] = 3.0
    arrays: dict[str, Any] = {
        "x": np.concatenate([one, one]),
        "offset": np.array([0, 300, 600]),
        "label": np.array([0, 1]),
        "subject": np.array([3, 13]),
        "classes": np.array(["left", "right"]),
        "fs": np.float64(100.0),
    }
    return {key: value for key, value in (arrays | changes).items() if value is not None}


def saved(path: Path, arrays: dict[str, Any]) -> Path:
    np.savez(path, **arrays)
    return path


def test_a_flat_file_in_physical_units_is_read(tmp_path: Path) -> None:
    collection = npzset.load(saved(tmp_path / "mine.npz", flat()))
    assert collection.classes == ("none", "left", "right")
    assert {r.person for r in collection.recordings} == {"03", "13"}
    gestures = [r for r in collection.recordings if r.kind == "window" and r.label(0)]
    assert [r.label(0) for r in gestures] == [1, 2]
    at = np.flatnonzero(gestures[0].labels == 1)
    assert 0.9 < (gestures[0].t_us[at[-1]] - gestures[0].t_us[at[0]]) * 1e-6 < 1.2
    assert sum(r.kind == "stream" for r in collection.recordings) == 2
    whole = npzset.load(tmp_path / "mine.npz", whole=True)
    assert whole.recordings[0].seconds == pytest.approx(2.99)


def test_integer_codes_and_stamps_are_the_same_recording(tmp_path: Path) -> None:
    x = np.rint(flat()["x"] * np.repeat([16384 / G, 131 * 180 / np.pi], 3)).astype(np.int16)
    scales = {"acc_lsb_per_g": np.float32(16384), "gyro_lsb_per_dps": np.float32(131)}
    stamps = np.tile(np.arange(300, dtype=np.int32) * 10 + 5000, 2)
    codes = npzset.load(saved(tmp_path / "codes.npz", flat(x=x, t_ms=stamps, fs=None, **scales)))
    plain = npzset.load(saved(tmp_path / "plain.npz", flat()))
    for a, b in zip(codes.recordings, plain.recordings, strict=True):
        assert np.array_equal(a.t_us, b.t_us)
        assert np.allclose(a.samples, b.samples, atol=2e-3)


def test_labels_per_sample_make_streams_and_their_windows(tmp_path: Path) -> None:
    y = np.zeros(600, np.uint8)
    y[100:200] = 1
    y[400:500] = 2
    arrays = flat(label=None, y_sample=y, classes=np.array(["none", "left", "right"]))
    collection = npzset.load(saved(tmp_path / "s.npz", arrays))
    assert [r.kind for r in collection.recordings].count("stream") == 2
    assert sorted(r.label(0) for r in collection.recordings if r.kind == "window" and r.label(0)) == [1, 2]


def test_axes_are_turned(tmp_path: Path) -> None:
    turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    x = flat()["x"].copy()
    x[:, 0] = 1.0
    collection = npzset.load(saved(tmp_path / "a.npz", flat(x=x, axes=turn)))
    assert np.allclose(collection.recordings[0].samples[:, 1], -1.0)


BROKEN = [
    ({"x": None}, "lacks the key 'x'"),
    ({"label": None}, "lacks the key 'label'"),
    ({"fs": None}, "lacks both 't_ms' and 'fs'"),
    ({"x": np.full((600, 6), np.nan, np.float32)}, "NaN or infinity at row 0"),
    ({"x": np.zeros((600, 5), np.float32)}, "has shape"),
    ({"x": np.array(["a"] * 600)}, "'x' is <U1"),
    ({"x": flat()["x"] / G}, "seems to be in g"),
    ({"x": flat()["x"] * [0, 0, 0, 1, 1, 1]}, "without gravity"),
    ({"x": flat()["x"] * [1, 1, 1, 57, 57, 57]}, "seems to be in deg/s"),
    ({"x": np.ones((600, 6), np.int16)}, "'acc_lsb_per_g'"),
    ({"offset": np.array([0, 700])}, "'offset' must rise"),
    ({"offset": np.array([0, 400, 300, 600])}, "'offset' must rise"),
    ({"label": np.array([0, 2])}, "2 indices into the 2 classes"),
    ({"label": np.array([0, -1])}, "2 indices into the 2 classes"),
    ({"subject": np.array([1])}, "'subject' needs one entry"),
    ({"classes": np.array(["a", "a"])}, "repeats a name"),
    ({"fs": np.float64("nan")}, "'fs' must be one positive number"),
    ({"fs": np.float64(1e6)}, "not one of a gesture recording"),
    ({"t_ms": np.arange(600)[::-1].copy()}, "time does not increase in recording 0 at row 1"),
    ({"t_ms": np.full(600, np.nan)}, "one finite stamp"),
    ({"axes": np.ones((3, 3))}, "rotation matrix"),
]


@pytest.mark.parametrize(("changes", "said"), BROKEN)
def test_a_broken_flat_file_is_one_sentence(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        npzset.load(saved(tmp_path / "bad.npz", flat(**changes)))
    assert "bad.npz" in caught.value.what
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keep", [0, 10, 700, 3000])
def test_a_truncated_file_is_one_sentence(tmp_path: Path, keep: int) -> None:
    path = saved(tmp_path / "cut.npz", flat())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"cut\.npz"):
        catalog.load_native(Data(set="npz", path=str(path)), 208.0)


def test_the_project_of_npz_takes_its_classes_from_the_file(tmp_path: Path) -> None:
    parts = {
        "x": np.tile(flat()["x"], (8, 1)),
        "offset": np.arange(17) * 300,
        "label": np.array([0, 1] * 8),
        "subject": np.repeat(np.arange(8), 2),
    }
    path = saved(tmp_path / "many.npz", flat(**parts))
    project = catalog.resolved(with_options(project_for_data("npz"), path=path), 208.0)
    assert project.task.classes == ["none", "left", "right"]
    data = catalog.load_set(project.data, project.task, 208.0)
    assert {len(data.people(part)) for part in (data.train, data.validation, data.test)} == {5, 1, 2}
    with pytest.raises(DataError, match="file of yours"):
        catalog.load_native(Data(set="npz"), 208.0)


HEADER = "t_ms,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps,label,person,recording\n"


def csv_lines(label: str, recording: str, count: int = 30, start: int = 0) -> str:
    return "".join(f"{start + 10 * i},0,0,1,0,0,90,{label},ann,{recording}\n" for i in range(count))


def test_csv_units_labels_and_recordings(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    stream = csv_lines("none", "2") + csv_lines("wave", "2", start=300) + csv_lines("?", "2", start=600)
    stream += csv_lines("wave", "2", start=900)
    path.write_text(HEADER + csv_lines("wave", "1") + stream)
    collection = csvset.load(path)
    assert collection.classes == ("none", "wave")
    first, *_, last = collection.recordings
    assert (first.kind, first.person, last.kind) == ("window", "ann", "stream")
    assert np.allclose(first.samples[0], [0, 0, G, 0, 0, np.pi / 2], atol=1e-5)
    assert (last.labels == UNKNOWN).sum() == 30
    assert first.t_us[1] == 10_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lacks the column 'label'"),
        (HEADER, "no samples"),
        (HEADER.replace("ax_g,", ""), "exactly one of the columns ax_ms2, ax_g"),
        (HEADER.replace("t_ms", "t_ms,t_s"), "exactly one of the columns t_us"),
        (HEADER + "1,2,3\n", "line 2: 3 fields"),
        (HEADER + csv_lines("wave", "1").replace("90", "x", 1), "line 2: a field is not a number"),
        (HEADER + csv_lines("wave", "1").replace("90", "nan", 1), "line 2: NaN"),
        (HEADER + csv_lines("wave", "1") + csv_lines("wave", "1"), "stamp that does not increase"),
    ],
)
def test_a_broken_csv_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        csvset.load(path)


def test_small_spsw_and_uhh(tmp_path: Path) -> None:
    scales = {"acc_lsb_per_ms2": np.float64(400), "gyro_lsb_per_rad_s": np.float64(900)}
    x = np.rint(flat()["x"] * np.repeat([400, 900], 3)).astype(np.int16)
    y = np.repeat(np.array([0, 1], np.uint8), 300)
    arrays = flat(x=x, label=None, y_sample=y, execution=np.array([1, 2]), **scales)
    background = spsw.load(saved(tmp_path / "s.npz", arrays))
    assert background.classes == ("none",)
    assert not any(r.labels.any() for r in background.recordings)
    assert np.allclose(background.recordings[0].samples[0, 2], G, atol=0.01)

    wide = np.concatenate([flat()["x"] * [1, 1, 0, 1, 1, 1], np.zeros((600, 3))], axis=1).astype(np.float32)
    arrays = flat(
        x=wide, label=None, y_sample=y, classes=np.array(["none", "snap"]), subject=np.array(["j", "l"]), fs=None
    )
    phone = uhh.load(saved(tmp_path / "u.npz", arrays))
    assert not phone.gravity
    assert {r.person for r in phone.recordings} == {"uhh-j", "uhh-l"}
    assert phone.recordings[-1].seconds == pytest.approx(299 / 50)
    with pytest.raises(DataError, match="has shape"):
        uhh.load(saved(tmp_path / "v.npz", flat()))


def _spar(**changes: Any) -> dict[str, Any]:
    signal = flat()["x"][:300].astype(np.float64) / [G, G, -G, 1, 1, 1]
    value: dict[str, Any] = {
        "X": [signal, np.tile(signal, (3, 1))],
        "y": np.array([0, 1]),
        "side": np.array([0.0, 1.0]),
        "subject": np.array([1, 2]),
        "y_labels": ["PEN", "ABD"],
        "X_labels": [],
    }
    return value | changes


def test_small_spar(tmp_path: Path) -> None:
    path = tmp_path / "watch.npy"
    np.save(path, _spar(), allow_pickle=True)  # type: ignore[arg-type]
    collection = spar.load(path)
    assert collection.classes == ("none", "pen", "abd")
    streams = [r for r in collection.recordings if r.kind == "stream"]
    assert np.allclose(streams[0].samples[0, 2], G)
    assert streams[1].mounting == "watch, right arm"
    assert streams[0].t_us[1] == 20_000


class Evil:
    def __reduce__(self) -> Any:
        return (print, ("code ran",))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (_spar(X=Evil()), "something other than arrays"),
        (_spar(y=np.array([0])), "one entry for each"),
        (_spar(y=np.array([0, 7])), "has label 7"),
        (_spar(X=[np.zeros((3, 5)), np.zeros((3, 6))]), "expected"),
        (_spar(X=[np.full((9, 6), np.nan)] * 2), "NaN"),
        ({"X": [1]}, "lacks one of"),
    ],
)
def test_a_spar_file_runs_no_code_and_is_checked(tmp_path: Path, value: Any, said: str, capsys: Any) -> None:
    path = tmp_path / "watch.npy"
    np.save(path, value, allow_pickle=True)
    with pytest.raises(DataError, match=said):
        spar.load(path)
    assert "code ran" not in capsys.readouterr().out


def test_spar_without_its_package_says_how_to_have_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingToolError, match=r"tinyltc\[spar\]"):
        spar.load()
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY\x01\x00v\x00" + pickle.dumps({})[:3])
    with pytest.raises(DataError, match="truncated"):
        spar.load(tmp_path / "cut.npy")


@pytest.mark.parametrize(("module", "people", "streams"), [(uhh, 5, 50), (spsw, 23, 223)])
def test_the_real_sets(module: Any, people: int, streams: int) -> None:
    if not module.default_path().exists():
        pytest.skip(f"{module.default_path()} is not there (set TINYLTC_DATA)")
    collection = module.load()
    assert len({r.person for r in collection.recordings}) == people
    assert sum(r.kind == "stream" for r in collection.recordings) == streams
