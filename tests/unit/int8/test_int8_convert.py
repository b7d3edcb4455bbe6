"""The stage `convert` on a tiny run, calibration, tuning and parity."""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest
from rich.console import Console

from toolchain.errors import ModelError
from toolchain.int8 import convert as stage
from toolchain.int8.calibration import ROWS, choose_scale, representative, with_full_range
from toolchain.int8.flatbuffer import read_tflite
from toolchain.int8.network import read_network
from toolchain.int8.reference import Int8Reference
from toolchain.int8.state_trap import AllInt8
from toolchain.int8.tune import FACTORS, tuned_decision
from toolchain.ltc.decision import decision_spec
from toolchain.ltc.evaluate import motions
from toolchain.ltc.modelspec import load_spec, save_spec
from toolchain.ltc.weights import save_weights
from toolchain.project import project_for_data
from toolchain.recordings.catalog import load_set
from toolchain.runs import Run

UNITS = [10, 8]


@pytest.fixture(scope="module")
def project():
    made = project_for_data("wrist")
    made.data.people = 6
    made.model.layers = UNITS
    return made


@pytest.fixture(scope="module")
def data(project, board):
    whole = load_set(project.data, project.task, board.imu.rate_hz)
    streams = [r for r in whole.test if r.kind == "stream"]
    # A quarter of the windows and one stream per part are plenty here.
    return replace(whole, test=(*whole.test[:16:2], _cut(streams[0])), validation=_few(whole.validation))


def _cut(stream):
    return replace(stream, samples=stream.samples[:3000], t_us=stream.t_us[:3000], labels=stream.labels[:3000])


def _few(recordings):
    return (
        *[r for r in recordings if r.kind == "window"][::10],
        *[_cut(r) for r in recordings if r.kind == "stream"][:1],
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory, project, board, data, make_spec, make_weights):
    """A converted run with random weights: (run, weights)."""
    run = Run(tmp_path_factory.mktemp("runs") / "tiny")
    weights = make_weights(np.random.default_rng(21), UNITS)
    spec = make_spec(UNITS, 5).model_copy(update={"classes": list(data.classes)})
    run.path.mkdir()
    run.save_project(project)
    save_spec(run.model_json, spec)
    save_weights(run.weights, weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "load_set", lambda *_: data)
        stage.convert(run, board, Console(quiet=True))
        before = run.tflite.read_bytes(), run.int8_json.read_bytes(), run.model_json.read_bytes()
        stage.convert(run, board, Console(quiet=True))
    assert before == (run.tflite.read_bytes(), run.int8_json.read_bytes(), run.model_json.read_bytes())
    return run, weights


def test_convert_completes_the_run(made, data):
    run, weights = made
    spec = load_spec(run.model_json)
    assert spec.decision is not None
    assert spec.decision.background == data.background
    reference = Int8Reference(spec, run.tflite.read_bytes())
    assert reference.network.units == UNITS
    report = json.loads(run.int8_json.read_text())
    assert report["source"] == "measured on host"
    assert report["tflite_bytes"] == run.tflite.stat().st_size <= 24 * 1024
    assert report["parameters"] == weights.parameters
    assert set(report["accuracy"]) == {"float", "int8"}
    assert np.sum(report["confusion"]) == sum(r.kind == "window" for r in data.test)
    assert {"event_recall", "false_per_hour", "delay_ms_median", "events", "hours"} <= set(report["stream"])
    assert report["parity"]["tflm"] == {"samples": 3000, "mismatches": 0}
    assert report["parity"]["float"]["agreement"] > 0.9


def converted_again(made, path, board, data, solver, **changes):
    """The same weights, converted for another solver in a folder of its own."""
    run = Run(path)
    shutil.copytree(made[0].path, run.path)
    save_spec(run.model_json, load_spec(run.model_json).model_copy(update=changes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "load_set", lambda *_: data)
        stage.convert(run, board, Console(quiet=True), solver)
    return run


def test_a_trained_network_is_deployed_under_another_solver(made, tmp_path, board, data):
    calm = {"tau_epsilon": 0.4, "time_scale": 8.0, "dt_max_us": 50_000}
    run = converted_again(made, tmp_path / "rk4", board, data, "rk4", **calm)
    report = json.loads(run.int8_json.read_text())
    assert load_spec(run.model_json).solver == report["solver"] == "rk4"
    # Every one of the four evaluations is held against TFLM.
    assert report["parity"]["tflm"] == {"samples": 3000, "mismatches": 0}
    assert report["parity"]["float"]["agreement"] > 0.9
    assert report["parity"]["float"]["max_state_error_lsb"] < 20
    assert json.loads(made[0].int8_json.read_text())["solver"] == "semi_implicit"


@pytest.mark.parametrize("solver", ["euler", "rk4"])
def test_a_solver_that_this_network_makes_unstable_is_refused(made, tmp_path, board, data, solver):
    with pytest.raises(ModelError, match=f"Solver '{solver}' is unstable .* ms"):
        converted_again(made, tmp_path / "run", board, data, solver)
    for name in ("model.tflite", "model.json", "int8.json"):
        assert (tmp_path / "run" / name).read_bytes() == (made[0].path / name).read_bytes()


def test_prepare_multipliers_carry_the_input_gain(made):
    spec = load_spec(made[0].model_json)
    for gain, multiplier in zip(spec.input_gain, spec.int8.prepare_multiplier, strict=True):
        assert multiplier == round(gain * 65536 / spec.int8.state_scale)


def test_another_board_is_refused(made, board):
    slower = board.model_copy(update={"imu": board.imu.model_copy(update={"rate_hz": 104.0})})
    with pytest.raises(ModelError, match="another IMU"):
        stage.convert(made[0], slower, Console(quiet=True))


def test_a_run_without_weights_leaves_nothing_behind(made, board, tmp_path):
    run = Run(tmp_path / "half")
    run.path.mkdir()
    for path in (made[0].project_json, made[0].model_json):
        shutil.copy(path, run.path)
    with pytest.raises(ModelError, match=r"model\.npz does not exist"):
        stage.convert(run, board, Console(quiet=True))
    assert sorted(path.name for path in run.path.iterdir()) == ["model.json", "project.json"]


def test_representative_rows_are_what_the_float_network_sees(made, board, data):
    run, weights = made
    spec = load_spec(run.model_json)
    samples = representative(weights, spec, board.imu, data.train)
    assert {name: values.shape for name, values in samples.items()} == {
        "x": (ROWS, 6),
        "h1": (ROWS, 10),
        "h2": (ROWS, 8),
    }
    assert np.abs(samples["x"]).max() <= spec.input_clip
    # States before the first step of the first recording are at rest; afterwards they move.
    assert not samples["h1"][0].any()
    assert samples["h1"].std() > 0.05


def test_full_range_is_exact_and_touches_two_rows(made, board, data):
    run, weights = made
    samples = representative(weights, load_spec(run.model_json), board.imu, data.train)
    scale = choose_scale(weights, samples)
    ranged = with_full_range(weights, samples, scale)
    for name, values in ranged.items():
        assert len(values) == ROWS + 6
        assert (float(values.min()), float(values.max())) == (-128 * scale, 127 * scale), name
        assert np.abs(values[:ROWS]).max() <= 127 * scale


def test_scale_clamps_outliers_when_that_is_better(make_weights):
    rng = np.random.default_rng(0)
    weights = make_weights(rng, UNITS)
    samples = {n: rng.normal(0, 1, (2000, w)).astype(np.float32) for n, w in (("x", 6), ("h1", 10), ("h2", 8))}
    plain = choose_scale(weights, samples)
    samples["x"][0, 0] = 1000.0
    assert choose_scale(weights, samples) < 2 * plain


def test_threshold_has_the_fewest_errors(made, board, data, project):
    spec = load_spec(made[0].model_json)
    streams = [r for r in data.validation if r.kind == "stream"]

    def perfect(recordings):
        """Logits that know the labels, and a weaker wrong answer now and then."""
        made_up = []
        for recording in recordings:
            y = np.zeros((len(recording.t_us), 5), np.int8)
            y[np.arange(len(y)), recording.labels] = 100
            y[200:260] = 0
            y[200:260, 3] = 12
            made_up.append(y)
        return made_up

    decision, score = tuned_decision(project.decision, 0, 0.1, spec, perfect, data.validation)
    assert score.event_recall == 1.0
    assert score.false_activations == 0
    assert decision.threshold > 12 * 256 * 0.9
    allowed = {round(project.decision.threshold * factor / 0.1 * 256) for factor in FACTORS}
    assert decision.threshold in allowed
    assert not decision.threshold_of
    kept, nothing = tuned_decision(project.decision, 0, 0.1, spec, perfect, data.validation[:1])
    assert nothing is None
    assert kept == decision_spec(project.decision, 0, 0.1)
    assert streams


@dataclass(frozen=True)
class Said:
    """Logits that say a motion's class from its end on for 0.5 s, and a weaker gesture where there is none."""

    wrong: int

    def __call__(self, recordings):
        made_up = []
        for recording in recordings:
            y = np.zeros((len(recording.t_us), 5), np.int8)
            y[:, 0] = 50
            for _, end, label in motions(recording.labels, 0):
                y[end : end + 100] = 0
                y[end : end + 100, label] = 100
            y[120:220] = 0
            y[120:220, 3] = self.wrong
            made_up.append(y)
        return made_up


def test_a_false_activation_rate_is_kept_at_the_price_of_recall(made, data, project):
    spec = load_spec(made[0].model_json)
    strict = project.decision.model_copy(update={"target_false_per_hour": 0.0, "smoothing_s": 0.02})
    _, score = tuned_decision(strict, 0, 0.1, spec, Said(60), data.validation, data.train)
    assert score.false_activations == 0
    lax = strict.model_copy(update={"target_false_per_hour": 1e6})
    _, most = tuned_decision(lax, 0, 0.1, spec, Said(60), data.validation, data.train)
    assert len(most.delays_ms) >= len(score.delays_ms)


def test_the_rate_is_that_of_streams_without_gestures(made, data, project):
    spec = load_spec(made[0].model_json)
    said = Said(90)

    def only_among_gestures(recordings):
        made_up = said(recordings)
        for recording, y in zip(recordings, made_up, strict=True):
            if not motions(recording.labels, 0):
                y[:] = [50, 0, 0, 0, 0]
        return made_up

    streams = [r for r in data.validation if r.kind == "stream"]
    still = dataclasses.replace(streams[0], labels=np.zeros_like(streams[0].labels))
    free = project.decision.model_copy(update={"smoothing_s": 0.02})
    strict = free.model_copy(update={"target_false_per_hour": 0.0})
    fewest, best = tuned_decision(free, 0, 0.1, spec, only_among_gestures, streams)
    known, score = tuned_decision(strict, 0, 0.1, spec, only_among_gestures, [*streams, still])
    assert known.threshold == fewest.threshold
    assert score.event_recall == best.event_recall


def test_a_delay_is_kept(made, data, project):
    spec = load_spec(made[0].model_json)
    slow = project.decision.model_copy(update={"confirm_s": 0.3, "smoothing_s": 0.1})
    _, late = tuned_decision(slow, 0, 0.1, spec, Said(0), data.validation)
    quick = slow.model_copy(update={"target_delay_s": 0.04})
    _, prompt = tuned_decision(quick, 0, 0.1, spec, Said(0), data.validation)
    assert late.delay_ms_median > 40
    assert prompt.delay_ms_median <= 40


def test_all_int8_state_freezes_at_a_small_step(made, board, data):
    run, _ = made
    spec = load_spec(run.model_json)
    slow = Int8Reference(spec.model_copy(update={"time_scale": 0.5}), run.tflite.read_bytes())
    trapped = AllInt8(slow, [0.02, 0.02])
    stream = data.test[-1]
    logits = trapped.logits(board.imu)([stream])[0]
    assert logits.shape == (len(stream.t_us), 5)
    assert trapped.frozen / trapped.moves > 0.9


def test_file_has_no_more_than_it_needs(made):
    model = read_tflite(made[0].tflite)
    network = read_network(model)
    constants = sum(t.data.nbytes for t in model.tensors if t.data is not None)
    assert model.size < constants + 3500
    assert network.input_position == {"x": 0, "h1": 1, "h2": 2}
