from __future__ import annotations

import pytest


@pytest.fixture
def gesture() -> list[int]:
    return [0] * 20 + [1] * 20 + [0] * 40
