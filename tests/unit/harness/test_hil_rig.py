"""hil.toml is checked, and no rig means no test."""

from __future__ import annotations

from pathlib import Path

import pytest
from hil_rig import read_rig

from toolchain.errors import ConfigError


def test_the_rigs_file_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "hil.toml"
    path.write_text('board = "nrf52840"\nuid = "1"\nport = "/dev/ttyACM0"\n')
    assert read_rig(path).power_meter is None
    path.write_text('board = "nrf52840"\nuid = "1"\nprot = "/dev/ttyACM0"\n')
    with pytest.raises(ConfigError, match="prot"):
        read_rig(path)
