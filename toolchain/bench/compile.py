"""From sources to the ELF file of a bench image, with arm-none-eabi-gcc directly.

The flags are the firmware's (firmware/platform/flags.toml): -O2, no fused multiply-add, all warnings are errors. There
is no board here for PlatformIO to build for, and an image takes a second.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.board.linker import linker_regions
from toolchain.build import FIRMWARE, Tflm, find_compiler
from toolchain.errors import BuildError

BENCH = FIRMWARE / "bench"
SCRIPT = BENCH / "bench.ld"
_FAULT = re.compile(r"error:|undefined reference|cannot find|overflowed by|will not fit|warning:")


@dataclass(frozen=True)
class Memory:
    """The memory of every bench image: (origin, bytes), and the stack's (lowest address, first above it)."""

    flash: tuple[int, int]
    ram: tuple[int, int]
    stack: tuple[int, int]


def memory() -> Memory:
    """Return what firmware/bench/bench.ld says."""
    regions = linker_regions(SCRIPT.read_text())
    found = re.search(r"^STACK_BYTES\s*=\s*(\w+);", SCRIPT.read_text(), re.MULTILINE)
    assert found is not None
    bottom = regions["RAM"][0]
    return Memory(regions["FLASH"], regions["RAM"], (bottom, bottom + int(found[1], 0)))


def flags() -> dict[str, Any]:
    """Return the compiler's flags that all Cortex-M4F code of this project shares."""
    return tomllib.loads((FIRMWARE / "platform" / "flags.toml").read_text())


def compile_image(
    folder: Path,
    sources: list[Path],
    includes: list[Path],
    input_bytes: int,
    defines: tuple[str, ...] = (),
    tflm: Tflm | None = None,
) -> Path:
    """Compile ``sources`` with the bench's start-up code and data, and link ``folder``/bench.elf and bench.map.

    ``folder`` holds model.bin and inputs.bin, of ``input_bytes`` bytes an input. Raises MissingToolError without the
    compiler, BuildError with its first message when it refuses.
    """
    find_compiler()
    known = flags()
    objects = folder / "obj"
    shutil.rmtree(objects, ignore_errors=True)
    objects.mkdir(parents=True)
    common = [*known["machine"], *known["compile"], f"-ffile-prefix-map={FIRMWARE}=firmware"]
    common += [f"-ffile-prefix-map={folder}=bench", f"-I{FIRMWARE}", *(f"-I{path}" for path in includes)]
    common += [f"-D{define}" for define in (*defines, f"TL_BENCH_INPUT_BYTES={input_bytes}")]
    if tflm is not None:
        common += [f"-D{define}" for define in known["tflm"]["defines"]]
        common += [flag for path in tflm.includes for flag in ("-isystem", path)]
    made = []
    for source in (BENCH / "startup.c", BENCH / "data.S", *sources):
        made.append(objects / f"{source.parent.name}_{source.stem}.o")
        language = {".c": known["c"], ".cc": known["cxx"]}.get(source.suffix, [f"-Wa,-I,{folder}"])
        compiler = "arm-none-eabi-g++" if source.suffix == ".cc" else "arm-none-eabi-gcc"
        _run([compiler, *common, *language, "-c", str(source), "-o", str(made[-1])], source.name)
    elf = folder / "bench.elf"
    linker = "arm-none-eabi-gcc" if tflm is None else "arm-none-eabi-g++"
    libraries = [] if tflm is None else [str(tflm.library), "-lm"]
    link = [*known["machine"], *known["link"], f"-Wl,-Map={elf.with_suffix('.map')}", "-T", str(SCRIPT)]
    hint = "Generated code and firmware/ must fit." if tflm is None else f"{tflm.library} must hold every operator."
    _run([linker, *link, *map(str, made), *libraries, "-o", str(elf)], "to link the bench image", hint)
    return elf


def _run(command: list[str], what: str, hint: str = "Generated code, firmware/ and the compiler must fit.") -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.splitlines()
        first = next((line.strip() for line in lines if _FAULT.search(line)), done.stderr.strip()[:300])
        raise BuildError(f"{command[0]} refuses {what}: {first}.", hint)
