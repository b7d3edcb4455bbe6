"""Every solver in C against the numpy reference, bit for bit, and the refusals of what is unstable or mixed up."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from codegen_runs import Made, make_signal, quiet, write_run
from solver_runs import solver_run, solver_spec

from toolchain.board import Board
from toolchain.codegen import image as model_image
from toolchain.codegen.generate import generate
from toolchain.codegen.image import ImageError, Status, parse
from toolchain.errors import ModelError
from toolchain.int8.reference import Int8Reference, Trace
from toolchain.int8.tflm import TflmRightHandSide
from toolchain.ltc.solvers import COUNTED_UP_TO, SOLVERS, STABLE_UP_TO, Solver
from toolchain.ltc.step import RATE_STEPS, rate_tables

FIELDS = ("x_q", "y", "winner", "margin", "fired", "delta_us", "reset", "state_crc")


@pytest.fixture(scope="module")
def solved(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Solver], Made]:
    folder = tmp_path_factory.mktemp("solvers")
    known: dict[Solver, Made] = {}

    def by_name(solver: Solver) -> Made:
        if solver not in known:
            known[solver] = solver_run(folder, board, solver)
        return known[solver]

    return by_name


def irregular(samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A signal with lost samples: steps up to dt_max_us and beyond, which reset."""
    codes, _ = make_signal(samples, seed)
    random = np.random.default_rng(seed + 1000)
    step = random.integers(1, 12_000, samples)
    lost = random.random(samples) < 0.05
    step[lost] = random.integers(12_000, 110_000, int(lost.sum()))
    return codes, np.cumsum(step) + 10**6


def assert_same(got: Trace, expected: Trace) -> None:
    assert {name: int((getattr(got, name) != getattr(expected, name)).sum()) for name in FIELDS} == dict.fromkeys(
        FIELDS, 0
    )


@pytest.mark.parametrize("solver", SOLVERS)
def test_c_equals_numpy_bit_for_bit_over_irregular_time(solved: Callable[[Solver], Made], solver: Solver) -> None:
    made = solved(solver)
    reference = made.reference()
    for seed in range(2):
        codes, t_us = irregular(5_000, seed)
        expected = reference.run(codes, t_us, keep_state=True)
        host = made.host()
        got = host.run(codes, t_us, keep_state=True)
        assert_same(got, expected)
        assert got.state.tobytes() == expected.state.tobytes()
        assert host.engine_errors == 0
        assert 5 < host.gap_resets == expected.reset.sum() - 1
    assert np.isfinite(got.state).all()
    assert expected.delta_us.max() > 95_000
    assert len(np.unique(got.state_crc)) > 4_900


def test_the_solvers_differ(solved: Callable[[Solver], Made]) -> None:
    codes, t_us = irregular(400, 9)
    states = {solver: solved(solver).host().run(codes, t_us, keep_state=True).state for solver in SOLVERS}
    crcs = {states[solver].tobytes() for solver in SOLVERS}
    assert len(crcs) == len(SOLVERS)
    # They follow the same equation: at these steps they stay near each other.
    spread = np.abs(states["semi_implicit"] - states["rk4"]).mean() / np.abs(states["rk4"]).mean()
    assert spread < 0.1


@pytest.mark.parametrize("time_scale", [1e-38, 1e-20, 1e-3, 8.0, 2e4, 1e6])
def test_the_exponential_at_every_size_of_dt(board: Board, tmp_path_factory, time_scale: float) -> None:
    """From steps that change nothing to steps that forget everything; dt * r below the normal floats too."""
    made = solver_run(tmp_path_factory.mktemp("scales"), board, "exponential", time_scale=time_scale)
    codes, t_us = irregular(400, 4)
    expected = made.reference().run(codes, t_us, keep_state=True)
    got = made.host().run(codes, t_us, keep_state=True)
    assert_same(got, expected)
    assert got.state.tobytes() == expected.state.tobytes()
    assert np.isfinite(got.state).all()


def test_rk4_with_tflm_as_the_right_hand_side_and_four_evaluations_a_sample(solved: Callable[[Solver], Made]) -> None:
    made = solved("rk4")
    codes, t_us = irregular(500, 3)
    tflm = TflmRightHandSide(made.tflite, made.sources.network)
    calls = 0

    def counted(x: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, ...]:
        nonlocal calls
        calls += 1
        return tflm.rhs(x, h)

    got = made.host(engine="callback", rhs=counted).run(codes, t_us)
    assert_same(got, made.reference().run(codes, t_us))
    assert calls == 4 * len(codes)


@pytest.mark.parametrize("stage", range(4))
def test_rk4_takes_nothing_of_a_sample_whose_stage_fails(solved: Callable[[Solver], Made], stage: int) -> None:
    made = solved("rk4")
    codes, t_us = make_signal(40, seed=5, faults=False)
    rhs = made.reference().rhs
    countdown = -1

    def sometimes(x: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, ...]:
        nonlocal countdown
        countdown -= 1
        if countdown == -1:
            raise ArithmeticError("the kernel failed")
        return tuple(values[0] for values in rhs(x[None], h[None]))

    host = made.host(engine="callback", rhs=sometimes)
    host.run(codes[:20], t_us[:20])
    countdown = stage
    with pytest.raises(ArithmeticError):
        host.run(codes[20:21], t_us[20:21])
    assert host.engine_errors == 1
    countdown = -1
    keep = np.r_[0:20, 21:40]
    expected = made.reference().run(codes[keep], t_us[keep])
    assert (host.run(codes[21:], t_us[21:]).state_crc == expected.state_crc[20:]).all()


@pytest.mark.parametrize(("solver", "shape"), [("rk4", "difference"), ("exponential", "high_pass")])
def test_solver_and_preparation_work_together(board: Board, tmp_path, solver: Solver, shape: str) -> None:
    """What the preparation remembers stays as it was when a stage of the solver fails, as the state does."""
    made = solver_run(tmp_path, board, solver, shape)
    assert f";solver={solver};" in made.topology.string
    assert made.topology.string.endswith(f";preparation={shape}")
    codes, t_us = irregular(3_000, 4)
    expected = made.reference().run(codes, t_us)
    assert_same(made.host().run(codes, t_us), expected)
    assert expected.reset.sum() > 5

    rhs = made.reference().rhs
    failing = False

    def sometimes(x: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, ...]:
        if failing:
            raise ArithmeticError("the kernel failed")
        return tuple(values[0] for values in rhs(x[None], h[None]))

    codes, t_us = make_signal(40, seed=6, faults=False)
    host = made.host(engine="callback", rhs=sometimes)
    host.run(codes[:20], t_us[:20])
    failing = True
    with pytest.raises(ArithmeticError):
        host.run(codes[20:21], t_us[20:21])
    failing = False
    keep = np.r_[0:20, 21:40]
    expected = made.reference().run(codes[keep], t_us[keep])
    assert (host.run(codes[21:], t_us[21:]).state_crc == expected.state_crc[20:]).all()


def test_an_image_never_runs_under_another_solver(solved: Callable[[Solver], Made]) -> None:
    hashes = {solved(solver).topology.hash for solver in SOLVERS}
    assert len(hashes) == len(SOLVERS)
    for solver in SOLVERS:
        made = solved(solver)
        assert f";solver={solver};" in made.topology.string
        for other in set(SOLVERS) - {solver}:
            with pytest.raises(ImageError) as caught:
                made.host(solved(other).image)
            assert caught.value.status == Status.TOPOLOGY


@pytest.mark.parametrize("solver", sorted(STABLE_UP_TO))
def test_generate_refuses_what_is_unstable_and_says_the_bound(board: Board, tmp_path, solver: Solver) -> None:
    made = solver_run(tmp_path, board, solver)
    longest = round(STABLE_UP_TO[solver] / (float(rate_tables(made.spec).max()) * 8e-6))
    for dt_max_us, stable in ((longest - 1, True), (longest + 2, False)):
        spec = made.spec.model_copy(update={"dt_max_us": dt_max_us})
        run = write_run(tmp_path / f"at{dt_max_us}", spec, made.tflite)
        if stable:
            generate(run, board, "compiled", quiet())
            continue
        with pytest.raises(ModelError, match=rf"'{solver}' is unstable .* which is [0-9.]+ ms") as caught:
            generate(run, board, "compiled", quiet())
        bound_ms = float(re.search(r"which is ([0-9.]+) ms", caught.value.what)[1])
        assert bound_ms == pytest.approx(longest / 1000, abs=0.002)
        assert "dt_max_s" in caught.value.hint
        assert "semi_implicit" in caught.value.hint
        assert not run.image.exists()


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_firmware_refuses_an_unstable_image_as_python_does(
    solved: Callable[[Solver], Made], solver: Solver
) -> None:
    """An image that another tool made: the same bit decides in C and in Python, for dt_max_us and for period_us."""
    made = solved(solver)
    lsb = made.spec.acc_lsb, made.spec.gyro_lsb
    image = parse(made.image, made.topology, *lsb)
    per_us = np.float32(image.dt_per_us)
    # Semi-implicit steps are counted in integers, which must hold for any entry of the table.
    rate = np.float32(image.rate_unit * RATE_STEPS) if solver == "semi_implicit" else image.rate_table.max()
    bounds = STABLE_UP_TO | {"semi_implicit": COUNTED_UP_TO}
    limit = np.float32(bounds.get(solver, 2.0))
    around = round(float(limit / rate / per_us))
    seen = set()
    for longest in range(around - 3, around + 4):
        unstable = solver in bounds and np.float32(longest) * per_us * rate > limit
        seen.add(bool(unstable))
        for fields in ({"dt_max_us": longest}, {"dt_max_us": 5000, "period_us": longest}):
            data = unchecked(replace(image, **fields))
            for check in (lambda data=data: parse(data, made.topology, *lsb), lambda data=data: made.host(data)):
                if unstable:
                    with pytest.raises(ImageError) as caught:
                        check()
                    assert caught.value.status == Status.FIELD
                else:
                    check()
    assert seen == ({True, False} if solver in bounds else {False})


def unchecked(image: model_image.ModelImage) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_image, "parse", lambda *_: None)
        return model_image.build(image)


def test_old_model_files_are_semi_implicit(board: Board, tmp_path) -> None:
    made = solver_run(tmp_path, board, "semi_implicit")
    fields = made.spec.model_dump()
    del fields["solver"]
    assert type(made.spec).model_validate(fields) == made.spec
    assert Int8Reference(type(made.spec).model_validate(fields), made.tflite).spec.solver == "semi_implicit"
    with pytest.raises(ValueError, match="solver"):
        solver_spec(board, "heun", "three", made.tflite)  # type: ignore[arg-type]
