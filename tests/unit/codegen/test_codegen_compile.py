"""The generated C compiles with all warnings everywhere, needs nothing, and gives the same bits on a Cortex-M4."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from codegen_runs import Made, make_signal
from elftools.elf.elffile import ELFFile

from toolchain.codegen import hostlib
from toolchain.codegen.hostlib import FLAGS, build_library, include_flags, sources
from toolchain.errors import BuildError, MissingToolError

CPU = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
C_LIBRARY = {"memcpy", "memset", "memcmp", "memchr"}
"""All that core and engine may ask of the C library."""


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def arm_objects(arm_gcc: str, two: Made, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Core and compiled engine, built for the M4 as the firmware builds them."""
    folder = tmp_path_factory.mktemp("arm")
    objects = []
    for file in sources(two.generated, "compiled")[:-1]:
        target = folder / f"{file.stem}.o"
        flags = [*FLAGS, *CPU, "-fstack-usage", *include_flags(two.generated, "compiled")]
        run(arm_gcc, *flags, "-c", file, "-o", target)
        objects.append(target)
    return objects


@pytest.mark.parametrize("name", ["one", "two", "three"])
def test_every_generated_file_compiles_alone(make: Callable[[str], Made], arm_gcc: str, name: str) -> None:
    made = make(name)
    strict = ("-Wshadow", "-Wcast-align=strict", "-Wstrict-prototypes", "-fsyntax-only")
    for file in ("engine_compiled.c", "model_tflite.c"):
        flags = [*FLAGS, *strict, *include_flags(made.generated, "compiled"), made.generated / file]
        run("cc", *flags)
        run(arm_gcc, *CPU, *flags)
    for header in ("topology.h", "board_config.h", "engine_compiled.h", "model_tflite.h"):
        run("cc", *FLAGS, "-fsyntax-only", "-x", "c", made.generated / header)


def test_objects_need_no_libm_no_malloc_and_keep_no_state(arm_objects: list[Path]) -> None:
    nm = shutil.which("arm-none-eabi-nm")
    assert nm is not None
    lines = run(nm, "--format=posix", *arm_objects).splitlines()
    symbols = [line.split() for line in lines if not line.endswith(":")]
    defined = {name for name, kind, *_ in symbols if kind.isupper() and kind != "U"}
    wanted = {name for name, kind, *_ in symbols if kind == "U"}
    assert wanted - defined <= C_LIBRARY
    assert {kind for _, kind, *_ in symbols} <= {"T", "t", "R", "r", "U"}, "no data, no bss, no common"
    assert "tl_recognizer_step" in defined


def test_stack_frames_are_static_and_small(arm_objects: list[Path]) -> None:
    frames = {}
    for file in (path.with_suffix(".su") for path in arm_objects):
        for line in file.read_text().splitlines():
            where, size, kind = line.split("\t")
            assert kind == "static", line
            frames[where.rsplit(":", 1)[1]] = int(size)
    # init: check of the image; step: recognizer, engine, its denses.
    assert frames["tl_model_open"] + frames["tl_sha256_update"] + frames["compress"] < 800
    step = ("tl_recognizer_step", "tl_engine_rhs", "tl_dense_run")
    assert sum(frames[name] for name in step) < 1000


def test_rounding_and_division_are_done_by_the_fpu(arm_objects: list[Path]) -> None:
    dump = run("arm-none-eabi-objdump", "-d", *(path for path in arm_objects if path.stem in ("prepare", "solver")))
    mnemonics = set(re.findall(r"\t(v\w+(?:\.\w+)*)", dump))
    assert "vdiv.f32" in mnemonics
    assert not {name for name in mnemonics if name.startswith(("vfma", "vmla", "vfnm", "vmls")) or "f64" in name}
    assert not re.search(r"\tbl\t(?!.*<tl_solver_step_to_int8>)", dump)


def test_memory_table_tells_the_truth(two: Made, arm_gcc: str, tmp_path: Path) -> None:
    table = dict(re.findall(r"^ \* +(.+?) +(\d+)$", (two.generated / "topology.h").read_text(), re.MULTILINE))
    assert int(table["multiplications a step"]) == 70 * 64 + 6 * 64 + 128 * 64 + 64 * 64 + 64 * 5
    probe = tmp_path / "probe.c"
    probe.write_text(
        '#include "core/recognizer.h"\n'
        f'_Static_assert(sizeof(((tl_recognizer *)0)->state) == {table["state (float32)"]}, "state");\n'
        f'_Static_assert(sizeof(((tl_engine *)0)->signal) == {table["signal vector (int16)"]}, "signal");\n'
        f'_Static_assert(sizeof(tl_engine) == {table["compiled engine context"]}, "context");\n'
        f'_Static_assert(TL_KERN_BYTES == {table["KERN in flash"]}, "kern");\n'
    )
    run(arm_gcc, *CPU, *FLAGS, *include_flags(two.generated, "compiled"), "-fsyntax-only", probe)
    assert two.topology.kern_bytes == int(table["KERN in flash"])


def test_without_a_compiler_the_user_is_told(two: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostlib.shutil, "which", lambda name: None)
    with pytest.raises(MissingToolError, match="no C compiler") as caught:
        build_library(two.generated, "compiled", tmp_path)
    assert "apt-get install" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_a_refused_file_leaves_no_library(two: Made, tmp_path: Path) -> None:
    generated = tmp_path / "generated"
    shutil.copytree(two.generated, generated)
    (generated / "engine_compiled.c").write_text("int main(void) { return unknown; }\n")
    with pytest.raises(BuildError, match="unknown"):
        build_library(generated, "compiled", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
    (generated / "engine_compiled.c").unlink()
    with pytest.raises(BuildError, match="does not exist"):
        build_library(generated, "compiled", tmp_path / "out")


def test_a_cortex_m4_gives_the_bits_of_the_host(two: Made, arm_gcc: str, tmp_path: Path) -> None:
    """The DSP instructions and the FPU, on an emulated core: the same trace as the host's."""
    unicorn = pytest.importorskip("unicorn")
    from unicorn import arm_const as arm

    elf = tmp_path / "core.elf"
    files = sources(two.generated, "compiled")
    link = ("-nostartfiles", "--specs=nano.specs", "-Wl,-Ttext=0x10000,-e,tl_host_run,-u,tl_host_open")
    run(arm_gcc, *CPU, *FLAGS, *include_flags(two.generated, "compiled"), *files, *link, "-o", elf)

    core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    core.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
    flash, ram, host_at, table_at, returned = 0x80000, 0x20000000, 0x20000000, 0x2000F000, 0xFF000
    core.mem_map(0, 0x100000)
    core.mem_map(ram, 0x100000)
    core.mem_map(0xE000E000, 0x1000)
    core.mem_write(0xE000ED88, struct.pack("<I", 0xF << 20))
    core.reg_write(arm.UC_ARM_REG_FPEXC, 1 << 30)
    with elf.open("rb") as file:
        image = ELFFile(file)
        symbols = {symbol.name: symbol["st_value"] for symbol in image.get_section_by_name(".symtab").iter_symbols()}
        for segment in image.iter_segments("PT_LOAD"):
            core.mem_write(segment["p_vaddr"], segment.data())
    core.mem_write(flash, two.image)

    def call(name: str, *arguments: int) -> int:
        stack = ram + 0xF0000
        core.mem_write(stack, struct.pack("<I", arguments[4]) if len(arguments) > 4 else bytes(4))
        for register, value in zip(("R0", "R1", "R2", "R3"), arguments, strict=False):
            core.reg_write(getattr(arm, f"UC_ARM_REG_{register}"), value)
        core.reg_write(arm.UC_ARM_REG_SP, stack)
        core.reg_write(arm.UC_ARM_REG_LR, returned | 1)
        core.emu_start(symbols[name] | 1, returned)
        return core.reg_read(arm.UC_ARM_REG_R0)

    for register, lsb in (("S0", two.spec.acc_lsb), ("S1", two.spec.gyro_lsb)):
        core.reg_write(getattr(arm, f"UC_ARM_REG_{register}"), struct.unpack("<I", struct.pack("<f", lsb))[0])
    assert call("tl_host_open", host_at, flash, len(two.image)) == 0

    codes, t_us = make_signal(600, seed=9)
    expected = two.host().run(codes, t_us)
    names = ("x_q", "y", "winner", "margin", "fired", "state_crc", "delta_us", "reset")
    places = [ram + 0x30000 + 0x4000 * i for i in range(len(names))]
    core.mem_write(ram + 0x10000, codes.tobytes())
    core.mem_write(ram + 0x20000, t_us.tobytes())
    core.mem_write(table_at, struct.pack("<9I", *places, 0))
    assert call("tl_host_run", host_at, len(codes), ram + 0x10000, ram + 0x20000, table_at) == len(codes)
    for name, place in zip(names, places, strict=True):
        want = getattr(expected, name)
        got = np.frombuffer(core.mem_read(place, want.nbytes), want.dtype).reshape(want.shape)
        assert (got == want).all(), name

    # The state's way into int8, where rounding and clamping decide; h is small in the trace above.
    halves = np.arange(-130, -98, 0.5, dtype=np.float32)
    extremes = [3e38, -3e38, np.inf, -np.inf, 0.0, -0.0, 1e-45, 8388607.5, -8388609, 127.49, 127.51, -127.49, -127.51]
    edges = np.concatenate([halves, -halves[: 64 - len(extremes)], extremes]).astype(np.float32)
    core.mem_write(ram + 0x10000, edges.tobytes())
    core.reg_write(arm.UC_ARM_REG_S0, struct.unpack("<I", struct.pack("<f", 1.0))[0])
    call("tl_prepare_state", ram + 0x10000, ram + 0x20000)
    got = np.frombuffer(core.mem_read(ram + 0x20000, len(edges)), np.int8)
    assert len(edges) == two.spec.states
    assert (got == np.clip(np.rint(edges), -127, 127)).all()

    # The same on its way out of the solver: with dt = 0 a step changes nothing.
    core.mem_write(ram + 0x30000, bytes(2 * len(edges)))
    core.mem_write(ram + 0x40000, np.arange(-32768, 32768, 256, dtype=np.int16).tobytes())
    for register, value in (("S0", 1.0), ("S1", 0.0), ("S2", 1.0)):
        core.reg_write(getattr(arm, f"UC_ARM_REG_{register}"), struct.unpack("<I", struct.pack("<f", value))[0])
    call("tl_solver_step_to_int8", ram + 0x10000, ram + 0x30000, ram + 0x30000, ram + 0x40000, ram + 0x20000)
    finite = np.isfinite(edges)
    got = np.frombuffer(core.mem_read(ram + 0x20000, len(edges)), np.int8)
    assert (got == np.clip(np.rint(edges), -127, 127))[finite].all()
    assert (np.frombuffer(core.mem_read(ram + 0x10000, edges.nbytes), np.float32) == edges)[finite].all()
