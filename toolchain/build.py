"""The build stage: PlatformIO makes the firmware, the model image is laid beside it, and both are measured.

PlatformIO runs as a process of its own with its workspace and its core folder inside the run, so that builds of
different runs do not meet and nothing of the user's is touched. No package registry is asked (firmware/platform/).
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile
from rich.console import Console

from toolchain.board import Board
from toolchain.board.linker import linker_script
from toolchain.board.platformio import board_manifest
from toolchain.codegen.generate import require_current
from toolchain.errors import BuildError, ConfigError, MissingToolError
from toolchain.files import replacing, write_bytes, write_json, write_text
from toolchain.runs import Run
from toolchain.stack import addressed, call_graph, largest_frame, stack_bound

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
COMPILER = "arm-none-eabi-gcc"
APT_LINE = "Install it: apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi"
ENGINES = ("compiled", "tflm")
FLASH_SECTIONS = (".vectors", ".text", ".init_array", ".ARM.exidx", ".data")
RAM_SECTIONS = (".stack", ".noinit", ".bss", ".data")
HEX_RECORD_BYTES = 16
_FAULT = re.compile(r"\b(error:|undefined reference|overflowed by|will not fit|cannot find|Error:)")


def build(run: Run, board: Board, engine: str, console: Console) -> None:
    """Build the generated C of ``run``; write run.firmware/{firmware.elf,firmware.hex,firmware.map,build.json}.

    Raises ConfigError for an unknown engine or a part that the firmware does not know, MissingToolError without the
    compiler or PlatformIO, BuildError when the run is not generated or the build fails (with the first error line
    of the compiler). A failed build leaves the files of the last good one.
    """
    if engine not in ENGINES:
        raise ConfigError(f"There is no engine '{engine}'.", f"Engines: {', '.join(ENGINES)}.")
    tflm = find_tflm(os.environ.get("TFLM_DIR", "")) if engine == "tflm" else None
    compiler = find_compiler()
    _require_generated(run, engine)
    image = require_current(run, board, engine)
    _require_parts(board)
    variables = {
        "TINYLTC_PLATFORM": str(FIRMWARE / "platform"),
        "TINYLTC_GENERATED": str(run.generated.resolve()),
        "TINYLTC_ENGINE": engine,
        "TINYLTC_SOC": board.soc,
        "TINYLTC_SENSOR": board.imu.part,
        "TINYLTC_BOARD": board.name,
    }
    if tflm is not None:
        variables |= {
            "TINYLTC_TFLM_LIBRARY": str(tflm.library),
            "TINYLTC_TFLM_INCLUDES": os.pathsep.join(tflm.includes),
        }
    products = _run_platformio(run, board, variables)

    elf = products / "firmware.elf"
    slot = board.model_slots[0]
    parts = [*_loaded(elf), (slot.origin, image)]
    report = measure(elf, products, image, board, engine) | {"compiler": compiler}
    if tflm is not None:
        report["tflm"] = tflm.variant
    hex_text = intel_hex(parts)
    for name in ("firmware.elf", "firmware.map"):
        with replacing(run.firmware / name) as temporary:
            shutil.copyfile(products / name, temporary)
    write_bytes(run.firmware / "firmware.hex", hex_text.encode())
    write_json(run.firmware / "build.json", report)
    console.print(
        f"Built {run.firmware / 'firmware.hex'} for {board.name}, engine '{engine}': {report['flash_bytes']:,} bytes "
        f"of flash (model {report['model_flash_bytes']:,}), {report['ram_bytes']:,} of RAM"
    )


def _require_parts(board: Board) -> None:
    """Raise ConfigError unless the firmware has a HAL for the board's SoC and a driver for its IMU."""
    known = {
        "soc": (board.soc, sorted({path.name for path in (FIRMWARE / "hal").iterdir() if path.is_dir()} - {"common"})),
        "imu.part": (board.imu.part, sorted({path.stem for path in (FIRMWARE / "sensors").glob("*.c")} - {"watch"})),
    }
    for key, (value, names) in known.items():
        if value not in names:
            raise ConfigError(
                f"{board.folder / 'board.toml'}: key '{key}': there is no '{value}'.", f"Known: {', '.join(names)}."
            )


def _require_generated(run: Run, engine: str) -> None:
    hint = f"Run `tinyltc generate --run {run.path.name} --engine {engine}` first."
    engine_file = {"compiled": "engine_compiled.c", "tflm": "tflm_model.h"}[engine]
    for path in (run.generated / "main.c", run.generated / engine_file, run.image):
        if not path.is_file():
            raise BuildError(f"{path} does not exist.", hint)


# ---- tools --------------------------------------------------------------------------------------------------------


def find_compiler() -> str:
    """Return the first line of the compiler's version; raises MissingToolError with the line that installs it."""
    path = shutil.which(COMPILER)
    if path is None:
        raise MissingToolError(f"{COMPILER} is not on PATH.", APT_LINE)
    specs = subprocess.run([path, "--print-file-name=nano.specs"], capture_output=True, text=True, check=False)
    if Path(specs.stdout.strip()).name == specs.stdout.strip():
        raise MissingToolError(f"{COMPILER} has no C library (nano.specs).", APT_LINE)
    if importlib.util.find_spec("platformio") is None:
        raise MissingToolError("PlatformIO is not installed in this Python.", "Install it: pip install -e .")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return version.stdout.splitlines()[0] if version.stdout else COMPILER


@dataclass(frozen=True)
class Tflm:
    """What the firmware links of a TensorFlow Lite Micro checkout."""

    library: Path
    includes: tuple[str, ...]

    @property
    def variant(self) -> str:
        """Target, build type, kernels and compiler, as TFLM's Makefile names the library's folder."""
        return self.library.parts[-3]


def find_tflm(folder: str) -> Tflm:
    """Return the built library and the header folders of the checkout that TFLM_DIR names; raises BuildError.

    Of several libraries, the smallest and fastest is taken: without log texts, then with CMSIS-NN.
    """
    how = (
        "Set TFLM_DIR to a tflite-micro checkout where `make -f tensorflow/lite/micro/tools/make/Makefile "
        "TARGET=cortex_m_generic TARGET_ARCH=cortex-m4+fp OPTIMIZED_KERNEL_DIR=cmsis_nn BUILD_TYPE=release microlite` "
        "has run, "
        "or build with --engine compiled."
    )
    if not folder:
        raise BuildError("Engine 'tflm' needs TensorFlow Lite Micro, and TFLM_DIR is not set.", how)
    root = Path(folder).resolve()
    if not (root / "tensorflow" / "lite" / "micro").is_dir():
        raise BuildError(f"TFLM_DIR is {root}, which is no tflite-micro checkout.", how)
    # That build type lays TfLiteTensor out in another way than the engine is compiled for.
    libraries = [
        path
        for path in sorted(root.glob("gen/cortex_m_generic_cortex-m4+fp_*/lib/libtensorflow-microlite.a"))
        if "_no_tf_lite_static_memory_" not in path.parts[-3]
    ]
    if not libraries:
        raise BuildError(f"{root}/gen holds no libtensorflow-microlite.a for cortex-m4+fp.", how)
    downloads = root / "tensorflow/lite/micro/tools/make/downloads"
    includes = [root, downloads / "flatbuffers/include", downloads / "gemmlowp"]
    return Tflm(min(libraries, key=_preference), tuple(str(path) for path in includes if path.is_dir()))


def _preference(library: Path) -> tuple[int, bool, str]:
    variant = library.parts[-3]
    build_type = next((i for i, name in enumerate(("release", "default", "debug")) if f"_{name}_" in variant), 3)
    return build_type, "_cmsis_nn_" not in variant, variant


def _run_platformio(run: Run, board: Board, variables: dict[str, str]) -> Path:
    """Run PlatformIO; returns the folder with its products."""
    workspace = run.path.resolve() / ".pio"
    script = workspace / f"{board.name}.ld"
    write_text(script, linker_script(board))
    write_json(workspace / "boards" / f"{board.name}.json", board_manifest(board))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PLATFORMIO_", "TINYLTC_TFLM"))},
        **variables,
        "TINYLTC_LINKER_SCRIPT": str(script),
        "PLATFORMIO_BOARDS_DIR": str(workspace / "boards"),
        "PLATFORMIO_CORE_DIR": str(workspace / "core"),
        "PLATFORMIO_WORKSPACE_DIR": str(workspace),
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "No",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_NO_ANSI": "true",
    }
    products = workspace / "build" / "device"
    # PlatformIO keeps products of sources that are gone; their stack figures would be counted.
    shutil.rmtree(products, ignore_errors=True)
    command = [sys.executable, "-m", "platformio", "run", "--environment", "device", "--jobs", "2"]
    result = subprocess.run(
        command, cwd=FIRMWARE, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    log = workspace / "build.log"
    log.write_text(result.stdout + result.stderr)
    if result.returncode != 0 or not (products / "firmware.elf").is_file():
        lines = (result.stderr + result.stdout).splitlines()
        first = next((line.strip() for line in lines if _FAULT.search(line)), "PlatformIO failed")
        raise BuildError(f"The firmware did not build: {first}.", f"Everything it said is in {log}.")
    return products


# ---- the image ----------------------------------------------------------------------------------------------------


def _loaded(elf: Path) -> list[tuple[int, bytes]]:
    with elf.open("rb") as stream:
        segments = ELFFile(stream).iter_segments("PT_LOAD")
        return [(segment["p_paddr"], segment.data()) for segment in segments if segment["p_filesz"] > 0]


def intel_hex(parts: list[tuple[int, bytes]]) -> str:
    """Return ``parts`` (address, bytes) as Intel HEX with extended linear addresses; raises BuildError on an overlap.

    Source: Intel, Hexadecimal Object File Format Specification, revision A, 1988.
    """
    lines = []
    end, upper = 0, -1
    for address, data in sorted(parts):
        if address < end:
            raise BuildError(
                f"The parts of the image overlap at {address:#x}.", "Look at the model slots in board.toml."
            )
        end = address + len(data)
        position = 0
        while position < len(data):
            at = address + position
            if at >> 16 != upper:
                upper = at >> 16
                lines.append(_record(0, 4, upper.to_bytes(2, "big")))
            # A record must not cross a 64 KB border.
            count = min(HEX_RECORD_BYTES, len(data) - position, 0x10000 - (at & 0xFFFF))
            lines.append(_record(at & 0xFFFF, 0, data[position : position + count]))
            position += count
    lines.append(_record(0, 1, b""))
    return "\n".join(lines) + "\n"


def _record(offset: int, kind: int, data: bytes) -> str:
    body = bytes([len(data), offset >> 8, offset & 0xFF, kind]) + data
    return ":" + body.hex().upper() + f"{-sum(body) & 0xFF:02X}"


# ---- figures ------------------------------------------------------------------------------------------------------


def measure(elf: Path, products: Path, image: bytes, board: Board, engine: str) -> dict[str, Any]:
    """Return build.json without the compiler. All sizes in bytes; ``products`` holds firmware.map, .ci and .o files.

    ``engine_flash_bytes`` is code and constants of the engine's own objects; its weights are ``model_flash_bytes``.
    ``stack_bytes`` is what is reserved, ``stack_bound_bytes`` the most that can be needed, and ``stack`` how it
    comes about (toolchain/stack.py; both None for the tflm engine), ``stack_largest_function`` the largest frame.
    Raises BuildError if the reserve is too small.
    """
    with elf.open("rb") as stream:
        file = ELFFile(stream)
        sections = {
            section.name: section["sh_size"]
            for section in file.iter_sections()
            if section["sh_flags"] & 2 and section["sh_size"]
        }
        names = [section.name for section in file.iter_sections()]
        table: Any = file.get_section_by_name(".symtab")
        symbols = [
            {"name": symbol.name, "bytes": symbol["st_size"], "section": names[symbol["st_shndx"]]}
            for symbol in table.iter_symbols()
            if symbol["st_size"] and isinstance(symbol["st_shndx"], int)
        ]
    firmware = sum(sections.get(name, 0) for name in FLASH_SECTIONS)
    graph = call_graph(products)
    name, frame = largest_frame(graph)
    # The calls inside TensorFlow Lite Micro's library are not known.
    bound = stack_bound(graph, addressed(products)) if engine == "compiled" else None
    if bound is not None and bound.bytes > board.memory.stack_bytes:
        raise BuildError(
            f"The firmware may need {bound.bytes:,} bytes of stack, {board.memory.stack_bytes:,} are reserved.",
            "Make stack_bytes in board.toml larger.",
        )
    return {
        "board": board.name,
        "engine": engine,
        "source": "measured on the ELF file",
        "flash_bytes": firmware + len(image),
        "ram_bytes": sum(sections.get(name, 0) for name in RAM_SECTIONS),
        "stack_bytes": board.memory.stack_bytes,
        "stack_bound_bytes": bound.bytes if bound else None,
        "stack_largest_function": {"name": name, "bytes": frame},
        "stack": bound.to_dict() if bound else None,
        "engine_flash_bytes": sum(
            size for name, size in flash_by_object(products / "firmware.map").items() if _is_engine(name)
        ),
        "model_flash_bytes": len(image),
        "sections": [{"name": name, "bytes": size} for name, size in sections.items()],
        "symbols": sorted(symbols, key=lambda symbol: (-symbol["bytes"], symbol["name"])),
    }


def _is_engine(name: str) -> bool:
    return "/engine/" in name or "engine_compiled" in name or "libtensorflow-microlite" in name


def flash_by_object(map_file: Path) -> Counter[str]:
    """Return bytes of code and constants per object file, from a map file of GNU ld (.text and .rodata of .text)."""
    text = map_file.read_text()
    text = text[text.index("Linker script and memory map") :]
    sizes: Counter[str] = Counter()
    for name, size, path in re.findall(r"^ (\.\S+)\s+0x[0-9a-f]+\s+(0x[0-9a-f]+) (\S.*)$", text, re.MULTILINE):
        if name.startswith((".text", ".rodata")):
            sizes[path] += int(size, 16)
    return sizes
