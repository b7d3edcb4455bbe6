"""Weight files, and what may be imported without TensorFlow."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from toolchain.errors import ModelError
from toolchain.ltc.weights import load_weights, save_weights


def test_weights_survive_their_file(tmp_path, make_weights, spec):
    weights = make_weights([5, 4], 3, 1)
    save_weights(tmp_path / "model.npz", weights)
    loaded = load_weights(tmp_path / "model.npz", spec)
    assert loaded.units == [5, 4]
    assert list(loaded.to_arrays()) == ["w0", "b0", "v0", "c0", "w1", "b1", "v1", "c1", "u", "d"]
    for name, value in weights.to_arrays().items():
        assert np.array_equal(loaded.to_arrays()[name], value)
    assert weights.parameters == 11 * 5 + 5 + 6 * 5 + 5 + 9 * 4 + 4 + 5 * 4 + 4 + 4 * 3 + 3


def test_bad_weight_files_are_refused(tmp_path, make_weights, spec):
    path = tmp_path / "model.npz"
    with pytest.raises(ModelError, match="does not exist"):
        load_weights(path, spec)
    save_weights(path, make_weights([5, 4], 3, 1))
    whole = path.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"no archive"):
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match=r"not an \.npz of plain arrays"):
            load_weights(path, spec)
    save_weights(path, make_weights([5, 3], 3, 1))
    with pytest.raises(ModelError, match="'w1'"):
        load_weights(path, spec)
    save_weights(path, make_weights([5], 3, 1))
    with pytest.raises(ModelError, match="lack the array 'w1'"):
        load_weights(path, spec)
    broken = make_weights([5, 4], 3, 1)
    broken.u[0, 0] = np.nan
    save_weights(path, broken)
    with pytest.raises(ModelError, match=r"'u'.*finite"):
        load_weights(path, spec)


def test_the_numpy_modules_import_no_tensorflow():
    names = ("modelspec", "weights", "step", "decision", "evaluate", "targets", "augment", "batches", "train")
    code = "import sys\n" + "".join(f"import toolchain.ltc.{name}\n" for name in names)
    code += "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
