"""Whose the bytes of a bench image are."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from toolchain.build import flash_by_object
from toolchain.emulator.image import Program

CODE = (".text", ".init_array", ".ARM.exidx", ".data")
"""Sections in flash that hold code, constants and what .data starts with."""
READER = ("core_model.o", "core_sha256.o")
APART = ("bench_startup.o", "bench_bench.o", "core_decision.o")


@dataclass(frozen=True)
class Sizes:
    """Bytes of an image.

    ``engine``: everything in flash that is nobody else's: the engine, the step (recognizer, prepare, solver), their
    tables, TensorFlow Lite Micro and the C library as far as linked. ``reader``: the code that checks a model image
    and its SHA-256. ``model``: the whole model image or .tflite; of C made ahead of time, its constants
    that are named so. ``apart``: vector table, start-up code, decision stage
    and the bench's own code and stored inputs. ``ram``: all of .bss and .data but the bench's own variables.
    """

    engine: int
    reader: int
    model: int
    apart: int
    ram: int


def sizes(elf: Path, bench_variables: tuple[str, ...], model_symbols: re.Pattern[str] | None = None) -> Sizes:
    """Account for the flash and RAM of a bench image; its map file lies beside it.

    ``model_symbols``: names of objects among the code's constants that belong to the model.
    """
    with elf.open("rb") as stream:
        section = {part.name: int(part["sh_size"]) for part in ELFFile(stream).iter_sections()}
    by_object: Counter[str] = Counter()
    for path, size in flash_by_object(elf.with_suffix(".map")).items():
        by_object[Path(path).name] += size
    reader = sum(by_object[name] for name in READER)
    apart = sum(by_object[name] for name in APART)
    objects = Program(elf).objects
    own = sum(objects[name].size for name in bench_variables)
    in_code = 0
    if model_symbols is not None:
        in_code = sum(found.size for name, found in objects.items() if model_symbols.fullmatch(name))
    return Sizes(
        engine=sum(section.get(name, 0) for name in CODE) - reader - apart - in_code,
        reader=reader,
        model=section.get(".model", 0) + in_code,
        apart=apart + section[".vectors"] + section[".inputs"],
        ram=section.get(".bss", 0) + section.get(".data", 0) - own,
    )
