"""The .tflite reader: what the writer wrote, the conformance vectors, and nothing but ModelError for damage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolchain.errors import ModelError
from toolchain.int8.flatbuffer import read_tflite
from toolchain.int8.flatbuffer_writer import write_tflite
from toolchain.int8.network import read_network

VECTORS = Path(__file__).resolve().parents[2] / "vectors"


@pytest.fixture(scope="module")
def data(make_model):
    return write_tflite(make_model(np.random.default_rng(1), [5, 7]))


def test_what_is_written_is_read_back(make_model):
    model = make_model(np.random.default_rng(2), [5, 3, 4])
    back = read_tflite(write_tflite(model))
    assert back.operators == model.operators
    assert (back.inputs, back.outputs) == (model.inputs, model.outputs)
    for was, now in zip(model.tensors, back.tensors, strict=True):
        assert replace(now, data=None).__dict__ == replace(was, data=None).__dict__
        assert (now.data is None) == (was.data is None)
        if was.data is not None:
            np.testing.assert_array_equal(now.data, was.data)
            assert not now.data.flags.writeable


def test_constants_are_aligned_for_the_device(data):
    for tensor in read_tflite(data).tensors:
        if tensor.data is not None and tensor.data.nbytes >= 16:
            assert data.index(tensor.data.tobytes()) % 16 == 0


@pytest.mark.parametrize("length", [0, 1, 4, 7, 8, 9])
def test_a_stump_is_refused(data, length):
    with pytest.raises(ModelError, match=r"damaged or not a \.tflite"):
        read_tflite(data[:length])


def test_every_truncation_is_refused_or_whole(data):
    for length in range(0, len(data), 64):
        with pytest.raises(ModelError) as caught:
            read_network(read_tflite(data[:length]))
        assert "\n" not in caught.value.what


def test_flipped_bits_raise_nothing_but_model_errors(data):
    refused = 0
    for position in range(0, len(data), 3):
        damaged = bytearray(data)
        damaged[position] ^= 1 << (position % 8)
        refused += not _survives(bytes(damaged))
    # Some flips only change a weight; flips in the structure must be noticed.
    assert refused > len(data) // 60


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6))
def test_random_damage_raises_nothing_but_model_errors(data, cuts):
    damaged = bytearray(data)
    for at, patch in cuts:
        start = at % (len(damaged) - len(patch))
        damaged[start : start + len(patch)] = patch
    _survives(bytes(damaged))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_refused(noise):
    with pytest.raises(ModelError):
        read_network(read_tflite(b"\x10\x00\x00\x00TFL3" + noise))


def _survives(damaged: bytes) -> bool:
    try:
        read_network(read_tflite(damaged))
    except ModelError:
        return False
    return True


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"nothing\.tflite cannot be read"):
        read_tflite(tmp_path / "nothing.tflite")


def test_conformance_vectors_are_read():
    for path in sorted(VECTORS.glob("*.tflite")):
        model = read_tflite(path)
        vectors = np.load(path.with_name(f"{path.stem}_vectors.npz"))
        assert model.input_names() == [str(name) for name in vectors["in_names"]], path.name
        for place, index in enumerate(model.inputs):
            assert vectors[f"in{place}"][0].size == np.prod(model.tensors[index].shape)


@pytest.mark.parametrize(
    ("name", "said"),
    [("ltc_step_f32", "FULLY_CONNECTED.*FLOAT32"), ("ltc_state_int8", "DEQUANTIZE"), ("ltc_rhs_int8", "QUANTIZE")],
)
def test_other_graphs_are_refused_by_name(name, said):
    with pytest.raises(ModelError, match=said):
        read_network(read_tflite(VECTORS / f"{name}.tflite"))
