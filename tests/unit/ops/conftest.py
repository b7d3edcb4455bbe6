"""One build of the C kernels for all tests of this folder, and how many random cases a test runs."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from c_kernels import Kernels, build


@pytest.fixture(scope="session")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Kernels:
    """The C kernels under sanitizers."""
    return Kernels(build(tmp_path_factory.mktemp("kernels")))


@pytest.fixture(params=[pytest.param(1, id="short"), pytest.param(40, marks=pytest.mark.slow, id="long")])
def effort(request: pytest.FixtureRequest) -> int:
    """Factor on the number of random cases: 1, and 40 in `make proof`."""
    return int(request.param)
