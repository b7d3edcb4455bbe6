"""A damaged .npy header once raised tokenize.TokenError out of numpy, as a traceback."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from toolchain.errors import DataError
from toolchain.files import read_npz


def test_a_header_that_is_no_whole_statement(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3, np.float32))
    damaged = stream.getvalue().replace(b"(3,)", b"(3,(")
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("samples.npy", damaged)
    with pytest.raises(DataError, match=r"x\.npz is truncated or not an \.npz of plain arrays.*Record it again"):
        read_npz(path, DataError, "Record it again.")
