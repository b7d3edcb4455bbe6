"""Intel HEX as written, read back by GNU objcopy; and an overlap is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolchain.build import intel_hex
from toolchain.errors import BuildError

gaps_and_data = st.lists(st.tuples(st.integers(1, 0x12345), st.binary(min_size=1, max_size=70)), min_size=1, max_size=4)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=gaps_and_data, origin=st.sampled_from([0, 0xFFF0, 0xF0000]))
def test_objcopy_reads_the_same_bytes(pieces: list[tuple[int, bytes]], origin: int, tmp_path: Path) -> None:
    parts, at = [], origin
    for gap, data in pieces:
        parts.append((at, data))
        at += len(data) + gap
    (tmp_path / "a.hex").write_text(intel_hex(parts))
    command = ["arm-none-eabi-objcopy", "-I", "ihex", "-O", "binary", "--gap-fill", "0xff", "a.hex", "a.bin"]
    subprocess.run(command, cwd=tmp_path, check=True)
    expected = bytearray()
    for address, data in parts:
        expected += b"\xff" * (address - origin - len(expected)) + data
    assert (tmp_path / "a.bin").read_bytes() == bytes(expected)


def test_an_overlap_is_refused() -> None:
    with pytest.raises(BuildError, match="overlap at 0x102"):
        intel_hex([(0x100, b"abc"), (0x102, b"d")])
