"""Names and numbers of a .tflite as C can hold them. Names come from a file that nobody vouches for."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from toolchain.errors import ConfigError

_MOST = 48
_WORDS = (
    "alignas alignof and asm auto bool break case catch char class compl const consteval constexpr constinit "
    "continue decltype default delete do double else enum explicit export extern false float for friend goto "
    "if inline int long mutable namespace new noexcept not nullptr operator or private protected public "
    "register requires restrict return short signed sizeof static struct switch template this throw true try "
    "typedef typeid typename typeof union unsigned using virtual void volatile while xor main errno assert "
    "stdin stdout stderr "
)
_RESERVED = frozenset(_WORDS.split())
"""Keywords of C and C++, and macros that a header may not survive."""


def identifier(text: str, fallback: str) -> str:
    """Return a C identifier in small letters that resembles ``text``; ``fallback`` if nothing is left of it."""
    text = text.removeprefix("serving_default_").removesuffix(":0")
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:_MOST].strip("_")
    if not name:
        name = fallback
    if name[0].isdigit():
        name = f"{fallback}_{name}"
    return f"{name}_" if name in _RESERVED else name


def distinct(names: Iterable[str]) -> list[str]:
    """Return ``names`` with numbers behind those that occurred before."""
    found: list[str] = []
    for name in names:
        candidate, number = name, 2
        while candidate in found:
            candidate, number = f"{name}_{number}", number + 1
        found.append(candidate)
    return found


def checked_name(name: str) -> str:
    """Return ``name`` if it can be the prefix of a C API; raises ConfigError."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,47}", name) or name in _RESERVED or name.startswith("tl_"):
        raise ConfigError(
            f"'{name}' cannot be the name of the generated code.",
            "Take small letters, digits and _, a letter first, no word of C or C++, not tl_...: --name gesture_net",
        )
    return name


def comment(text: str) -> str:
    """Return ``text`` for the inside of a C comment, at most 60 characters."""
    clean = re.sub(r"[^A-Za-z0-9_ .:;,()'=-]", "_", text)
    return clean if len(clean) <= 60 else f"{clean[:57]}..."


def float_literal(value: float) -> str:
    """Return a C float constant with exactly the bits of ``value`` rounded to float32."""
    text = np.format_float_scientific(np.float32(value), unique=True, trim="0")
    return f"{text}f"
