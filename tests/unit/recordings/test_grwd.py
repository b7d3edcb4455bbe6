from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toolchain.errors import DataError
from toolchain.project import project_for_data
from toolchain.recordings import catalog, grwd
from toolchain.recordings.join import GAP_S, join
from toolchain.recordings.recording import UNKNOWN, Collection, Recording
from toolchain.recordings.whole import find_motion


def test_people_and_classes(real: Collection) -> None:
    assert len({r.person for r in real.recordings}) == 32
    assert len(real.test_people) == 8
    assert real.classes[0] == real.background == "none"
    assert len(real.classes) == 11


def test_stamps_stay_irregular(real: Collection) -> None:
    steps = np.concatenate([np.diff(r.t_us) for r in real.recordings if r.kind == "window"])
    assert len(np.unique(steps)) > 3
    assert 150 < 1e6 / steps.mean() < 190


def test_windows_hold_one_motion_and_end_with_it(real: Collection) -> None:
    lengths = []
    for r in real.recordings:
        if r.kind == "window" and (label := r.label(0)):
            at = np.flatnonzero(r.labels == label)
            assert (np.diff(at) == 1).all()
            assert r.t_us[-1] - r.t_us[at[-1]] <= 200_000
            assert r.t_us[at[0]] <= 1_200_000
            lengths.append((r.t_us[at[-1]] - r.t_us[at[0]]) * 1e-6)
    assert len(lengths) == 3161
    assert 1.0 < np.median(lengths) < 2.0


def test_axes_are_the_wrist_s(real: Collection) -> None:
    """Swipes up first turn about -y, twists right about +x, swipes left about +z: as the axes promise."""
    for name, channel, sign in (
        ("swipe_up", 4, -1),
        ("twist_right", 3, 1),
        ("swipe_left", 5, 1),
        ("swipe_right", 5, -1),
    ):
        label = real.classes.index(name)
        first = []
        for r in real.recordings:
            if r.kind == "window" and r.label(0) == label:
                at = np.flatnonzero(r.labels == label)
                first.append(r.samples[at[: len(at) // 3], channel].mean())
        assert np.sign(np.median(first)) == sign
    rest = np.median([r.samples[:20, :3].mean(axis=0) for r in real.recordings if r.kind == "window"], axis=0)
    assert rest[2] > 8.5


def test_rest_windows_rest(real: Collection) -> None:
    rests = [r for r in real.recordings if r.kind == "window" and r.label(0) == 0]
    assert len(rests) > 250
    assert all(not r.labels.any() for r in rests)
    assert np.median([np.linalg.norm(r.samples[:, :3].mean(axis=0)) for r in rests]) == pytest.approx(9.8, abs=0.5)


def test_streams_hold_every_recording_of_one_person(real: Collection) -> None:
    streams = [r for r in real.recordings if r.kind == "stream"]
    assert len({r.person for r in streams}) == 32
    starts = sum(int(((r.labels[1:] > 0) & (r.labels[:-1] <= 0)).sum() + (r.labels[0] > 0)) for r in streams)
    assert starts == 3161
    assert 45 < np.median([r.seconds for r in streams]) < 80
    unknown = np.concatenate([r.labels for r in streams]) == UNKNOWN
    assert 0 < unknown.mean() < 0.05


def test_the_split_is_the_set_s_own(real: Collection) -> None:
    project = project_for_data("grwd")
    dataset = catalog.load_set(project.data, project.task, 208.0)
    assert dataset.people(dataset.test) == real.test_people
    assert len(dataset.people(dataset.validation)) == 5
    assert {int(s) for r in dataset.test for s in np.unique(np.diff(r.t_us))} <= {4807, 4808}
    assert any("joined" in note for note in dataset.notes)
    assert any("Resampled" in note for note in dataset.notes)


def test_joining_continues_stamps_and_keeps_gravity() -> None:
    t_us = np.cumsum(np.resize([2000, 3000, 13000], 200))

    def still(force: list[float]) -> Recording:
        samples = np.tile(np.array([*force, 0, 0, 0], np.float32), (200, 1))
        return Recording(samples, t_us, np.repeat([0, 1], 100).astype(np.int16), "a")

    parts = [still([0, 0, 9.8]), still([0, 9.8, 0]), still([6.93, 0, 6.93])]
    stream = join(parts, 0)
    assert stream.kind == "stream"
    assert (np.diff(stream.t_us) > 0).all()
    assert stream.seconds == pytest.approx(3 * (t_us[-1] - t_us[0]) * 1e-6 + 2 * GAP_S, abs=0.05)
    assert np.allclose(np.linalg.norm(stream.samples[:, :3], axis=1), 9.8, atol=0.05)
    assert np.abs(np.diff(stream.samples[:, :3], axis=0)).max() < 1.0
    assert int((np.diff(stream.labels) == 1).sum()) == 3


def test_motion_is_the_one_with_the_most_energy() -> None:
    t_us = np.arange(1000) * 5000
    rate = np.zeros((1000, 3))
    rate[100:140, 0] = 1.0
    rate[400:600, 1] = 3.0
    rate[480:520, 1] = 0.0  # a pause of 0.2 s belongs to the motion
    first, last, moving = find_motion(t_us, rate)
    assert abs(first - 400) < 12
    assert abs(last - 600) < 12
    assert moving[120]
    assert not moving[250]


def test_a_recording_without_any_motion_still_has_one() -> None:
    first, last, _ = find_motion(np.arange(50) * 5000, np.zeros((50, 3)))
    assert 0 <= first < last <= 50


def test_a_missing_set_says_where_it_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYLTC_DATA", str(tmp_path))
    with pytest.raises(DataError, match="does not exist") as caught:
        grwd.load()
    assert str(tmp_path / "grwd" / "grwd.npz") in caught.value.what
    assert "TINYLTC_DATA" in caught.value.hint


def _small() -> dict[str, Any]:
    return {
        "x": np.tile(np.array([0, 0, 16384, 1, 1, 1], np.int16), (20, 1)),
        "t_ms": np.arange(20, dtype=np.int32),
        "offset": np.array([0, 10, 20]),
        "label": np.zeros(2, np.uint8),
        "subject": np.array([1, 2], np.uint8),
        "split": np.array([0, 1], np.uint8),
        "classes": np.array(["wave"]),
        "acc_lsb_per_g": np.float32(16384),
        "gyro_lsb_per_dps": np.float32(131),
    }


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("x", None, "lacks the key 'x'"),
        ("x", np.ones((20, 6)), "seems to be in g"),
        ("offset", np.array([0, 10, 30]), "'offset' must rise"),
        ("label", np.array([0, 7], np.uint8), "'label' needs 2 indices"),
        ("gyro_lsb_per_dps", np.float32(0), "must be one positive number"),
        ("classes", np.array(["none"]), "no class 'none'"),
        ("split", np.array([0.5, 1.0]), "'split' needs"),
    ],
)
def test_a_file_that_is_not_the_set_is_refused(tmp_path: Path, key: str, value: Any, said: str) -> None:
    arrays = _small() | {key: value}
    path = tmp_path / "grwd.npz"
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    with pytest.raises(DataError, match=said):
        grwd.load(path)


def test_a_small_sound_file_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "grwd.npz", **_small())
    collection = grwd.load(tmp_path / "grwd.npz")
    assert collection.test_people == {"grwd02"}
    assert collection.classes == ("none", "wave")


def test_whole_recordings_are_what_evaluation_is_fed_with(real: Collection) -> None:
    whole = grwd.load(whole=True)
    cut = [r for r in real.recordings if r.kind == "window"]
    uncut = [r for r in whole.recordings if r.kind == "window"]
    assert len(cut) == len(uncut)
    assert all(a.seconds <= b.seconds and a.label(0) == b.label(0) for a, b in zip(cut, uncut, strict=True))
    assert sum(a.seconds < b.seconds for a, b in zip(cut, uncut, strict=True)) > 1000


def test_a_file_without_a_split_holds_nobody_out(tmp_path: Path) -> None:
    arrays = _small()
    del arrays["split"]
    np.savez(tmp_path / "new.npz", **arrays)
    collection = grwd.load(tmp_path / "new.npz")
    assert collection.test_people == frozenset()
    assert {r.person for r in collection.recordings} == {"grwd01", "grwd02"}
