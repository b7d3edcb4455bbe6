"""Files appear whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolchain.errors import DataError
from toolchain.files import read_json, replacing, sha256_of, write_bytes, write_json


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    write_bytes(path, b"old")

    def fail_half_way() -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_not_a_number_is_not_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"loss": float("nan")})
    assert not list(tmp_path.iterdir())


def test_json_round_trip(tmp_path: Path) -> None:
    write_json(tmp_path / "deep" / "x.json", {"a": [1, 2.5, "x"]})
    assert read_json(tmp_path / "deep" / "x.json", DataError, "") == {"a": [1, 2.5, "x"]}


@pytest.mark.parametrize("content", [None, b"{", b"\xff\xfe"])
def test_missing_or_damaged_json_says_what_to_try(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="Train first"):
        read_json(path, DataError, "Train first.")


def test_sha256(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text(json.dumps({}))
    assert sha256_of(path) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
