"""gcc's static analyzer over core, engine, HAL, sensors and the generated C: what it finds is an error."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from codegen_runs import Made

from toolchain.codegen.hostlib import FIRMWARE, FLAGS, include_flags

CPU = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
ANALYZER = ("-fanalyzer", "-O0", "-fomit-frame-pointer")
"""Without optimization nothing is folded away before it is looked at; the assembly needs r7, the frame pointer."""


def analyze(compiler: str, file: Path, *flags: str) -> str:
    """Return the analyzer's complaints about ``file``."""
    command = [compiler, *FLAGS, *ANALYZER, *flags, "-S", "-o", "/dev/null", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "-Wanalyzer" in done.stderr or "-Werror=analyzer" in done.stderr, done.stderr
    return done.stderr


def portable(generated: Path) -> list[Path]:
    """Return every C file that also compiles for a host."""
    folders = ("core", "host", "engine/callback", "sensors")
    files = [path for folder in folders for path in sorted((FIRMWARE / folder).glob("*.c"))]
    # A driver refuses a board that its part is not on: of the sensors, the one of the board that this run is made for.
    others = {path.stem for path in (FIRMWARE / "sensors").glob("*.c")} - {"watch", "lsm6dso"}
    return [path for path in files if path.stem not in {"engine_callback", *others}] + [
        generated / "engine_compiled.c",
        generated / "model_tflite.c",
    ]


def test_the_host_compiler_finds_nothing(two: Made) -> None:
    for file in portable(two.generated):
        assert analyze("gcc", file, *include_flags(two.generated, "compiled")) == "", file


def test_the_arm_compiler_finds_nothing_in_the_firmware(two: Made, arm_gcc: str) -> None:
    board = [*sorted((FIRMWARE / "hal" / two.board.soc).glob("*.c")), two.generated / "main.c"]
    for file in [*portable(two.generated), *board]:
        assert analyze(arm_gcc, file, *CPU, *include_flags(two.generated, "compiled")) == "", file


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("char *a = malloc(4); a[0] = 1; free(a);", "possible-null-dereference"),
        ("char *a = malloc(4); free(a); free(a);", "double-free"),
        ("int v; if (argc > 1) { v = 1; } return v;", "uninitialized"),
    ],
)
def test_it_finds_what_is_wrong(tmp_path: Path, body: str, complaint: str) -> None:
    path = tmp_path / "wrong.c"
    path.write_text(
        f"#include <stdlib.h>\nint main(int argc, char **argv) {{ (void)argc; (void)argv; {body} return 0; }}\n"
    )
    assert complaint in analyze("gcc", path)
