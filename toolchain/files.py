"""Files are written beside their place and renamed, so that an error never leaves half of one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import lzma
import os
import struct
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ValidationError

from toolchain.errors import ConfigError, TinyLtcError

_Model = TypeVar("_Model", bound=BaseModel)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to ``path`` if the block ends well, else delete it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` (UTF-8) to ``path`` whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON to ``path`` whole or not at all."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path, error: type[TinyLtcError], hint: str) -> Any:
    """Read JSON; a missing or damaged file raises ``error`` with ``hint``."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise error(f"{path} does not exist.", hint) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as reason:
        raise error(f"{path} is not valid JSON ({reason}).", hint) from None


# What zipfile, zlib, lzma and numpy's header parser (a tokenizer) raise on bytes that are no sound .npz; RuntimeError:
# a flipped "encrypted" bit; MemoryError: a header that claims more than there is.
_UNSOUND_NPZ = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, tokenize.TokenError, SyntaxError),
    *(OSError, EOFError, ValueError, KeyError, RuntimeError, MemoryError, OverflowError),
)


def read_npz(path: Path, error: type[TinyLtcError], hint: str, max_bytes: int = 1 << 30) -> dict[str, npt.NDArray[Any]]:
    """Read every array of an .npz once, without pickles; raises ``error`` with ``hint`` for an unsound file.

    ``max_bytes``: more would not be unpacked.
    """
    try:
        # numpy leaves a file open that it finds damaged, so it is not the one to open it.
        with path.open("rb") as handle:
            with zipfile.ZipFile(handle) as archive:
                size = sum(member.file_size for member in archive.infolist())
            if size > max_bytes:
                raise error(f"{path} would unpack to {size} bytes, more than {max_bytes}.", hint)
            handle.seek(0)
            with np.load(handle, allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
    except FileNotFoundError:
        raise error(f"{path} does not exist.", hint) from None
    except _UNSOUND_NPZ as reason:
        raise error(f"{path} is truncated or not an .npz of plain arrays ({reason}).", hint) from None


def validated(model: type[_Model], value: Any, path: Path | str, error: type[TinyLtcError] = ConfigError) -> _Model:
    """Check ``value`` against a pydantic model; the first fault names the file, the key and what was expected."""
    try:
        return model.model_validate(value)
    except ValidationError as reason:
        first = reason.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(top level)"
        more = f" (and {len(reason.errors()) - 1} more)" if len(reason.errors()) > 1 else ""
        unknown = first["type"] == "extra_forbidden"
        what = "is not a known key" if unknown else first["msg"]
        hint = f"Known keys there: {', '.join(_keys(model, first['loc'][:-1]))}." if unknown else "Mend that key."
        raise error(f"{path}: key '{key}': {what}{more}.", hint) from None


def _keys(model: type[BaseModel], where: tuple[int | str, ...]) -> list[str]:
    """Return the keys that ``model`` knows at ``where``: keys, list indices and names of a union's members."""
    models = [model]
    for part in where:
        if not isinstance(part, str):
            continue
        field = next((one.model_fields[part] for one in models if part in one.model_fields), None)
        if field is not None:
            models = _inner(field.annotation) or models
        else:  # pydantic names the member of a discriminated union by the value of its discriminator
            models = [one for one in models if part in _literals(one)] or models
    return list(models[0].model_fields)


def _literals(model: type[BaseModel]) -> set[str]:
    return {value for field in model.model_fields.values() for value in get_args(field.annotation)}


def _inner(annotation: Any) -> list[type[BaseModel]]:
    """Return the models in an annotation such as list[Model], Model | None or a union of models."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _inner(part)]


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
