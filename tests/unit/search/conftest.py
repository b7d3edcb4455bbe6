"""A project that is trained in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from search_fakes import FakeCosts

from toolchain.board import Board, load_board
from toolchain.project import Project, project_for_data


@pytest.fixture(scope="session")
def board() -> Board:
    return load_board("nrf52840")


@pytest.fixture(scope="session")
def project() -> Project:
    value: dict[str, Any] = project_for_data("wrist").model_dump()
    value["data"] |= {"people": 9}
    value["training"] |= {"epochs": 1, "steps_per_epoch": 4, "batch": 8}
    value["model"] |= {"layers": [8]}
    return Project.model_validate(value)


@pytest.fixture
def costs() -> FakeCosts:
    return FakeCosts()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "search"
