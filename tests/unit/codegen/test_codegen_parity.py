"""The C on this host, the numpy reference and TensorFlow Lite Micro: the same bits, sample by sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from codegen_runs import Made, make_signal, make_spec, quiet, random_tflite, write_run

from toolchain.board import Board
from toolchain.codegen.generate import generate
from toolchain.errors import ModelError
from toolchain.int8.flatbuffer import read_tflite
from toolchain.int8.flatbuffer_writer import write_tflite
from toolchain.int8.reference import Trace
from toolchain.int8.tflm import TflmRightHandSide

FIELDS = ("x_q", "y", "winner", "margin", "fired", "delta_us", "reset", "state_crc")
STREAMS, LENGTH = 20, 5_000


def mismatches(a: Trace, b: Trace) -> dict[str, int]:
    return {name: int((getattr(a, name) != getattr(b, name)).sum()) for name in FIELDS}


def none_differs() -> dict[str, int]:
    return dict.fromkeys(FIELDS, 0)


def row(trace: Trace, index: int) -> Trace:
    return Trace(*(getattr(trace, name)[index] for name in (*FIELDS[:5], "delta_us", "reset", "state_crc")), None)


@pytest.fixture(scope="module")
def hundred_thousand(two: Made) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64], Trace]:
    """Codes, stamps and the reference's trace of 20 streams of 5,000 samples through the default network."""
    signals = [make_signal(LENGTH, seed) for seed in range(STREAMS)]
    codes = np.stack([codes for codes, _ in signals])
    t_us = np.stack([t_us for _, t_us in signals])
    return codes, t_us, two.reference().run(codes, t_us)


def test_the_signal_reaches_every_branch(hundred_thousand, two: Made) -> None:
    _, _, trace = hundred_thousand
    assert trace.y.size == STREAMS * LENGTH * 5
    assert set(np.unique(trace.winner)) == set(range(5))
    assert trace.fired.sum() > 100
    assert trace.reset.sum() > 100
    assert {-127, 127} <= set(np.unique(trace.x_q))
    assert trace.y.min() == -128 or trace.y.max() == 127
    assert len(np.unique(trace.state_crc)) > 0.99 * trace.state_crc.size


@pytest.mark.parametrize(
    ("units", "solver"), [((16, 24), "semi_implicit"), ((9, 4), "semi_implicit"), ((9, 4), "exponential")]
)
def test_layers_whose_z_have_scales_of_their_own(board: Board, tmp_path, units: tuple[int, ...], solver: str) -> None:
    """As converted before all z had one: a rate table for each layer, and another topology."""
    model = read_tflite(random_tflite(units, 3, 5))
    second = model.outputs[model.output_names().index("z2")]
    tensors = [
        replace(t, scales=(t.scales[0] * 0.37,), zero_points=(-3,)) if t.index == second else t for t in model.tensors
    ]
    tflite = write_tflite(replace(model, tensors=tuple(tensors)))
    spec = make_spec(board, units, 3, tflite).model_copy(update={"solver": solver, "time_scale": 8.0})
    run = write_run(tmp_path / "run", spec, tflite)
    generate(run, board, "compiled", quiet())
    made = Made(run, run, board, spec, tflite, run.image.read_bytes(), tmp_path)
    assert made.topology.rate_tables == 2
    assert made.topology.string.endswith(";layout=4;rates=2")
    assert made.topology.solved == units
    codes, t_us = make_signal(2_000, 3)
    assert mismatches(made.host().run(codes, t_us), made.reference().run(codes, t_us)) == none_differs()


def test_compiled_engine_equals_the_reference_over_100_000_samples(hundred_thousand, two: Made) -> None:
    codes, t_us, expected = hundred_thousand
    for index in range(STREAMS):
        host = two.host()
        assert mismatches(host.run(codes[index], t_us[index]), row(expected, index)) == none_differs()
        assert host.gap_resets == expected.reset[index].sum() - 1
        assert host.engine_errors == 0


def test_tflm_in_the_c_recognizer_equals_the_reference_over_100_000_samples(hundred_thousand, two: Made) -> None:
    codes, t_us, expected = hundred_thousand
    tflm = TflmRightHandSide(two.tflite, two.sources.network)
    for index in range(STREAMS):
        host = two.host(engine="callback", rhs=tflm.rhs)
        assert mismatches(host.run(codes[index], t_us[index]), row(expected, index)) == none_differs()


@pytest.mark.parametrize("name", ["one", "three", "difference", "high_pass"])
def test_other_shapes(make: Callable[[str], Made], name: str) -> None:
    made = make(name)
    codes, t_us = make_signal(8_000, seed=7)
    expected = made.reference().run(codes, t_us, keep_state=True)
    host = made.host()
    got = host.run(codes, t_us, keep_state=True)
    assert host.gap_resets == expected.reset.sum() - 1 > 10
    assert mismatches(got, expected) == none_differs()
    assert got.state.tobytes() == expected.state.tobytes()
    tflm = TflmRightHandSide(made.tflite, made.sources.network)
    other = made.host(engine="callback", rhs=tflm.rhs)
    assert (
        mismatches(other.run(codes[:3000], t_us[:3000]), made.host().run(codes[:3000], t_us[:3000])) == none_differs()
    )


def test_a_call_goes_on_where_the_one_before_ended(small: Made) -> None:
    codes, t_us = make_signal(3_000, seed=3)
    whole, parts = small.host().run(codes, t_us), small.host()
    for start, end in ((0, 1), (1, 1000), (1000, 3000)):
        part = parts.run(codes[start:end], t_us[start:end])
        assert (part.state_crc == whole.state_crc[start:end]).all()
        assert (part.fired == whole.fired[start:end]).all()


def test_reset_forgets_the_signal_but_not_the_hold_off(small: Made) -> None:
    codes, t_us = make_signal(6_000, seed=11, faults=False)
    # A stretch in which a rested recognizer fires at once: repeated after a reset, it falls into the hold-off.
    for start in range(0, 6_000, 40):
        stretch = codes[start : start + 40]
        first = small.host().run(stretch, t_us[:40])
        if first.fired.any():
            break
    host = small.host()
    host.run(stretch, t_us[:40])
    host.reset()
    again = host.run(stretch, t_us[:40] + (t_us[39] - t_us[0] + 1))
    assert first.fired.sum() == 1
    assert again.reset[0]
    assert host.gap_resets == 0
    assert (again.state_crc == first.state_crc).all()
    assert (again.margin == first.margin).all()
    assert not again.fired.any()


def test_an_engine_error_leaves_the_state_and_fires_nothing(small: Made) -> None:
    codes, t_us = make_signal(60, seed=5, faults=False)
    rhs = small.reference().rhs
    failing = False

    def sometimes(x: npt.NDArray[np.int8], h: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.int8], ...]:
        if failing:
            raise ArithmeticError("the kernel failed")
        return tuple(values[0] for values in rhs(x[None], h[None]))

    host = small.host(engine="callback", rhs=sometimes)
    host.run(codes[:30], t_us[:30])
    failing = True
    with pytest.raises(ArithmeticError):
        host.run(codes[30:32], t_us[30:32])
    assert host.engine_errors == 1
    failing = False
    # Sample 30 is as if it had never been: the next one integrates over both periods.
    keep = np.r_[0:30, 31:60]
    expected = small.reference().run(codes[keep], t_us[keep])
    rest = host.run(codes[31:], t_us[31:])
    assert (rest.state_crc == expected.state_crc[30:]).all()
    assert rest.delta_us[0] == t_us[31] - t_us[29]


def test_callback_engine_without_a_callback_says_so(small: Made) -> None:
    host = small.host(engine="callback")
    with pytest.raises(ModelError, match="sample 0"):
        host.run(*make_signal(3, seed=1))


def test_compiled_engine_needs_its_section(small: Made) -> None:
    with pytest.raises(ModelError, match="no weights for this engine"):
        small.host(small.tflm.image.read_bytes())
