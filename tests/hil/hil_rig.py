"""What hil.toml says of the rig; conftest.py beside this shows one."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from toolchain.files import validated


class Rig(BaseModel):
    """What hil.toml says."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    board: str
    uid: str
    port: str
    power_meter: str | None = None


def read_rig(path: Path) -> Rig:
    """Raises ConfigError for a wrong key."""
    return validated(Rig, tomllib.loads(path.read_text()), path)
