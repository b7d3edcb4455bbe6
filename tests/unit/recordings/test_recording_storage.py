from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolchain.errors import DataError
from toolchain.recordings.recording import Collection
from toolchain.recordings.storage import load_collection, save_set


@pytest.fixture(scope="module")
def few(simulated: Collection) -> Collection:
    windows = [r for r in simulated.recordings if r.kind == "window"][::40]
    stream = next(r for r in simulated.recordings if r.kind == "stream")
    return replace(simulated, recordings=(*windows, stream), notes=())


@pytest.fixture(scope="module")
def file(few: Collection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("storage") / "few.npz"
    save_set(path, few)
    return path


def _change(file: Path, target: Path, **changes: Any) -> Path:
    with np.load(file, allow_pickle=False) as archive:
        arrays = dict(archive)
    arrays.update(changes)
    np.savez(target, allow_pickle=True, **{key: value for key, value in arrays.items() if value is not None})
    return target


def test_what_is_written_comes_back(few: Collection, file: Path) -> None:
    back = load_collection(file)
    assert (back.name, back.classes, back.background) == (few.name, few.classes, few.background)
    assert (back.source, back.licence) == (few.source, few.licence)
    assert len(back.recordings) == len(few.recordings)
    for a, b in zip(back.recordings, few.recordings, strict=True):
        assert np.array_equal(a.samples, b.samples)
        assert np.array_equal(a.t_us, b.t_us)
        assert np.array_equal(a.labels, b.labels)
        assert (a.samples.dtype, a.t_us.dtype, a.labels.dtype) == (np.float32, np.int64, np.int16)
        assert (a.person, a.session, a.mounting, a.kind) == (b.person, b.session, b.mounting, b.kind)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": None}, "lacks the key 'labels'"),
        ({"more": np.zeros(1)}, "unknown key 'more'"),
        ({"format": np.int32(2)}, "format 2, expected 1"),
        ({"samples": np.zeros((5, 6))}, "'samples' is float64"),
        ({"samples": np.zeros((5, 6), np.float32)}, "one stamp and one label"),
        ({"samples": np.zeros((5, 7), np.float32)}, "six columns"),
        ({"offset": np.array([0, 10**9])}, "'offset'"),
        ({"offset": np.array([0])}, "'offset'"),
        ({"person": np.array(["a"])}, "'person' needs one entry"),
        ({"person": np.array([b"a"])}, "'person' is"),
        ({"background": np.array("rest")}, "'rest'"),
        ({"classes": np.array([{"a": 1}], dtype=object)}, "truncated or not an .npz"),
    ],
)
def test_a_file_with_a_wrong_key_says_which(file: Path, tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        load_collection(_change(file, tmp_path / "wrong.npz", **changes))
    assert "wrong.npz" in caught.value.what
    assert caught.value.hint


def test_wrong_values_name_the_recording(few: Collection, file: Path, tmp_path: Path) -> None:
    samples = np.concatenate([r.samples for r in few.recordings])
    samples[300, 2] = np.nan
    with pytest.raises(DataError, match=r"recording 1: .*NaN or infinity at sample 40"):
        load_collection(_change(file, tmp_path / "nan.npz", samples=samples))
    labels = np.concatenate([r.labels for r in few.recordings])
    labels[10] = 9
    with pytest.raises(DataError, match="expected -1 to 4"):
        load_collection(_change(file, tmp_path / "labels.npz", labels=labels))
    t_us = np.concatenate([r.t_us for r in few.recordings])
    t_us[5] = t_us[4]
    with pytest.raises(DataError, match="stamp that does not increase at sample 5"):
        load_collection(_change(file, tmp_path / "stamps.npz", t_us=t_us))
    with pytest.raises(DataError, match="negative stamps"):
        load_collection(_change(file, tmp_path / "negative.npz", t_us=t_us - 10))
    kind = np.array(["film"] * len(few.recordings))
    with pytest.raises(DataError, match="of kind 'film'"):
        load_collection(_change(file, tmp_path / "kind.npz", kind=kind))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        load_collection(tmp_path / "nothing.npz")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 0.999))
def test_a_truncated_file_is_refused(file: Path, tmp_path: Path, part: float) -> None:
    data = file.read_bytes()
    cut = tmp_path / "cut.npz"
    cut.write_bytes(data[: int(part * len(data))])
    with pytest.raises(DataError):
        load_collection(cut)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(1, 255))
def test_a_garbled_file_is_refused_or_unharmed(file: Path, tmp_path: Path, where: int, flip: int) -> None:
    data = bytearray(file.read_bytes())
    data[where % len(data)] ^= flip
    garbled = tmp_path / "garbled.npz"
    garbled.write_bytes(data)
    try:
        back = load_collection(garbled)
    except DataError:
        return
    # Some bytes of a zip (times, attributes) mean nothing here; then nothing may have changed.
    whole = load_collection(file)
    for a, b in zip(back.recordings, whole.recordings, strict=True):
        assert np.array_equal(a.samples, b.samples)


def test_a_header_that_claims_more_than_there_is_is_refused(file: Path, tmp_path: Path) -> None:
    lie = io.BytesIO()
    np.lib.format.write_array_header_1_0(lie, {"descr": "<f4", "fortran_order": False, "shape": (10**15, 6)})
    with zipfile.ZipFile(file) as good, zipfile.ZipFile(tmp_path / "lie.npz", "w") as bad:
        for name in good.namelist():
            bad.writestr(name, lie.getvalue() if name == "samples.npy" else good.read(name))
    with pytest.raises(DataError, match="truncated"):
        load_collection(tmp_path / "lie.npz")


def test_nothing_is_left_when_writing_fails(few: Collection, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no recordings"):
        save_set(tmp_path / "empty.npz", replace(few, recordings=()))
    assert not list(tmp_path.iterdir())
