"""Every solver on the virtual board: the M4's FPU gives numpy's bits, and only the chosen solver is in the image."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from codegen_runs import Made, make_signal
from elftools.elf.elffile import ELFFile
from solver_runs import solver_run

from toolchain.board import Board
from toolchain.codegen.hostlib import FLAGS, include_flags, sources
from toolchain.ltc.solvers import SOLVERS, Solver

pytestmark = pytest.mark.emulated

HERE = Path(__file__).parent
EMULATOR = HERE.parent / "emulator"
CPU = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
SAMPLES = 24


def stored(made: Made, codes: np.ndarray, t_us: np.ndarray) -> str:
    """The program's constants as C."""
    image = ",".join(map(str, made.image))
    rows = ",".join("{" + ",".join(map(str, row)) + "}" for row in codes.tolist())
    return (
        f"#define SAMPLES {len(codes)}\n"
        f"#define ACC_LSB {np.float32(made.spec.acc_lsb).item().hex()}f\n"
        f"#define GYRO_LSB {np.float32(made.spec.gyro_lsb).item().hex()}f\n"
        f"static const uint8_t stored_image[] __attribute__((aligned(16))) = {{{image}}};\n"
        f"static const int16_t stored_codes[SAMPLES][6] = {{{rows}}};\n"
        f"static const uint64_t stored_stamps[SAMPLES] = {{{','.join(f'{t}u' for t in t_us.tolist())}}};\n"
    )


def build(made: Made, gcc: str, folder: Path, codes: np.ndarray, t_us: np.ndarray) -> Path:
    (folder / "stored.h").write_text(stored(made, codes, t_us))
    elf = folder / "solver.elf"
    files = [*sources(made.generated, "compiled")[:-1], HERE / "solver_board.c"]
    command = [gcc, *CPU, *FLAGS, "-ffunction-sections", "-fdata-sections", f"-I{folder}", f"-I{EMULATOR}"]
    command += include_flags(made.generated, "compiled")
    command += ["-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections", "-T", str(EMULATOR / "test.ld")]
    done = subprocess.run([*command, *map(str, files), "-o", str(elf)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return elf


def functions(elf: Path) -> set[str]:
    with elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        return {symbol.name for symbol in table.iter_symbols() if symbol["st_info"]["type"] == "STT_FUNC"}


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_step_on_the_board_equals_numpy(board: Board, arm_gcc: str, tmp_path: Path, solver: Solver) -> None:
    pytest.importorskip("unicorn", reason="Unicorn is not installed (tinyltc[emulator])")
    from toolchain.emulator.board import VirtualBoard

    made = solver_run(tmp_path, board, solver, "two")
    codes, t_us = make_signal(SAMPLES, 3, faults=False)
    t_us[10:] += 80_000
    elf = build(made, arm_gcc, tmp_path, codes, t_us)
    virtual = VirtualBoard(board, elf)
    virtual.run(1.0)
    expected = made.reference().run(codes, t_us)
    assert int.from_bytes(virtual.read_symbol("status"), "little") == 256
    assert virtual.read_symbol("state_crc") == expected.state_crc.astype("<u4").tobytes()
    assert virtual.read_symbol("logits") == expected.y.tobytes()
    assert ("tl_solver_step_to_int8" in functions(elf)) == (solver == "semi_implicit")

    spent = np.frombuffer(virtual.read_symbol("spent"), "<u4")
    steps = spent[1:]  # the first resets
    assert (steps.max() - steps.min()) / steps.min() < 0.02, "the time of a step must not depend on the data"
