"""The compiled engine's kernel alone: any rows, any inputs, on the host and on an emulated Cortex-M4, against numpy."""

from __future__ import annotations

import ctypes
import itertools
import shutil
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from toolchain.int8.kernels import multiply_by_quantized_multiplier

from toolchain.codegen.kernels import pack_rows
from toolchain.codegen.topology import ACCUMULATOR_LIMIT
from toolchain.emulator.cost import decode

HERE = Path(__file__).parent
FIRMWARE = HERE.parents[2] / "firmware"
FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-I", str(FIRMWARE))
CPU = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
Int8 = npt.NDArray[np.int8]
Run = Callable[["Case"], Int8]
INPUTS = (1, 3, 4, 5, 15, 16, 17, 60, 63, 64, 65, 70, 128, 129, 257)
ROWS = (1, 5, 7, 8, 9, 16, 23, 64)


@dataclass(frozen=True)
class Case:
    """Two FULLY_CONNECTED over the same inputs."""

    inputs: Int8
    pair: bool
    weights: tuple[Int8, Int8]
    bias: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]
    records: tuple[tuple[int, int, int], tuple[int, int, int]]
    table: Int8

    @property
    def shape(self) -> bytes:
        """The C harness's struct."""
        rows = [len(weights) for weights in self.weights]
        records = [number for record in self.records for number in (*record, 0)]
        return struct.pack("<4I8i", len(self.inputs), self.pair, *rows, *records)

    def kernel(self, index: int) -> bytes:
        """What a KERN section holds of one of them."""
        weights, bias = self.weights[index], self.bias[index]
        apart = 2 * self.pair
        padded = np.zeros((-(-len(weights) // 8) * 8, apart + -(-(weights.shape[1] - apart) // 4) * 4), np.int8)
        padded[: len(weights), : weights.shape[1]] = weights
        sums = np.zeros(len(padded), np.int32)
        sums[: len(bias)] = bias
        return pack_rows(padded, sums, self.pair).tobytes()

    def expected(self) -> Int8:
        """TFLM's arithmetic on the unpacked weights."""
        parts = []
        for weights, bias, record in zip(self.weights, self.bias, self.records, strict=True):
            multiplier, shift, zero_point = record
            sums = weights.astype(np.int64) @ self.inputs + bias
            q = multiply_by_quantized_multiplier(sums, np.int64(multiplier), np.int64(shift)) + zero_point
            parts.append(np.clip(q, -128, 127).astype(np.int8))
        parts[0] = self.table[parts[0].astype(int) + 128]
        return np.concatenate(parts)


def make_case(seed: int, inputs: int, rows: tuple[int, int], pair: bool, extreme: bool) -> Case:
    """Weights of either sign, often at their limits; shifts at which the sums spread over int8."""
    rng = np.random.default_rng(seed)
    x = rng.choice(np.array([-128, -127, 127], np.int8), inputs) if extreme else rng.integers(-128, 128, inputs)
    weights, bias, records = [], [], []
    for count in rows:
        drawn = rng.choice([-127, 127], (count, inputs)) if extreme else rng.integers(-127, 128, (count, inputs))
        free = ACCUMULATOR_LIMIT - 1 - 128 * np.abs(drawn).sum(axis=1)
        assert (free >= 0).all()
        weights.append(drawn.astype(np.int8))
        bias.append(rng.integers(-free if extreme else -3000, free + 1 if extreme else 3000, count).astype(np.int32))
        shift = -int(rng.integers(1, 21)) if extreme else -int(np.clip(np.log2(60 * np.sqrt(inputs)) + 1, 1, 20))
        records.append((int(rng.integers(1 << 30, 1 << 31)), shift, int(rng.integers(-128, 128))))
    table = rng.integers(-128, 128, 256).astype(np.int8)
    return Case(x.astype(np.int8), pair, tuple(weights), tuple(bias), tuple(records), table)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Run:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no host C compiler")
    folder = tmp_path_factory.mktemp("dense")
    sanitize = ("-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")
    command = [compiler, *FLAGS, *sanitize, "-shared", "-fPIC", str(HERE / "dense_rows.c"), "-o", str(folder / "d.so")]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(str(folder / "d.so"))

    def run(case: Case) -> Int8:
        output = np.empty(sum(map(len, case.weights)), np.int8)
        parts = (case.shape, case.inputs.tobytes(), case.kernel(0), case.kernel(1), case.table.tobytes())
        library.run(*parts, output.ctypes.data_as(ctypes.c_void_p))
        return output

    return run


@pytest.fixture(scope="module")
def m4_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("no arm-none-eabi-gcc")
    elf = tmp_path_factory.mktemp("dense") / "dense.elf"
    link = ("-nostartfiles", "--specs=nano.specs", "-Wl,-Ttext=0x10000,-Tbss=0x20080000,-e,run")
    subprocess.run([compiler, *CPU, *FLAGS, str(HERE / "dense_rows.c"), *link, "-o", str(elf)], check=True)
    return elf


@pytest.fixture(scope="module")
def m4(m4_elf: Path) -> Run:
    unicorn = pytest.importorskip("unicorn")
    from elftools.elf.elffile import ELFFile
    from unicorn import arm_const as arm

    core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    core.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
    ram, stack, returned = 0x20000000, 0x200F0000, 0xFF000
    core.mem_map(0, 0x100000)
    core.mem_map(ram, 0x100000)
    core.mem_map(0xE000E000, 0x1000)
    core.mem_write(0xE000ED88, struct.pack("<I", 0xF << 20))
    core.reg_write(arm.UC_ARM_REG_FPEXC, 1 << 30)
    with m4_elf.open("rb") as file:
        image = ELFFile(file)
        entry = image["e_entry"]
        for segment in image.iter_segments("PT_LOAD"):
            core.mem_write(segment["p_vaddr"], segment.data())

    def run(case: Case) -> Int8:
        parts = (case.shape, case.inputs.tobytes(), case.kernel(0), case.kernel(1), case.table.tobytes())
        places = [ram + 0x10000 * i for i in range(6)]
        for place, part in zip(places, parts, strict=False):
            core.mem_write(place, part)
        guard = b"\x5a" * 16
        count = sum(map(len, case.weights))
        core.mem_write(places[5], guard + bytes(count) + guard)
        for register, value in zip(("R0", "R1", "R2", "R3"), places, strict=False):
            core.reg_write(getattr(arm, f"UC_ARM_REG_{register}"), value)
        core.mem_write(stack, struct.pack("<II", places[4], places[5] + 16))
        core.reg_write(arm.UC_ARM_REG_SP, stack)
        core.reg_write(arm.UC_ARM_REG_LR, returned | 1)
        core.emu_start(entry | 1, returned)
        assert core.reg_read(arm.UC_ARM_REG_SP) == stack
        written = bytes(core.mem_read(places[5], count + 32))
        assert written[:16] == written[-16:] == guard, "written beside the output"
        return np.frombuffer(written[16:-16], np.int8)

    return run


def cases() -> list[Case]:
    result = []
    for number, inputs in enumerate(INPUTS):
        rows = ROWS[number % len(ROWS)], ROWS[(3 * number + 1) % len(ROWS)]
        for extreme in (False, True):
            result.append(make_case(number, inputs, rows, False, extreme and inputs <= 257))
    for number, inputs in enumerate((6, 70, 134)):  # one quad, 17 and 33, behind the pair
        result += [make_case(100 + number, inputs, (16, 5), True, extreme) for extreme in (False, True)]
    return result


def test_the_cases_tell_something() -> None:
    spread = [len(np.unique(case.expected())) for case in cases() if len(case.expected()) > 40]
    assert max(spread) > 25
    assert {len(case.weights[0]) % 8 for case in cases()} >= {0, 1, 5, 7}


def test_plain_c_equals_numpy(host: Run) -> None:
    for case in cases():
        np.testing.assert_array_equal(host(case), case.expected(), str(case.shape))


def test_the_m4_equals_numpy(m4: Run) -> None:
    for case in cases():
        np.testing.assert_array_equal(m4(case), case.expected(), str(case.shape))


def test_every_quad_of_the_block_has_the_size_that_the_jump_assumes(m4_elf: Path) -> None:
    """TL_DENSE_QUAD_BYTES: the block is entered at a quad that is computed from it."""
    from elftools.elf.elffile import ELFFile

    with m4_elf.open("rb") as file:
        text = ELFFile(file).get_section_by_name(".text")
        items = decode(text.data(), text["sh_addr"])
    starts = [
        item.address
        for item in items
        if item.insn is not None and item.insn.mnemonic == "ldr" and item.insn.op_str.startswith("r2, [r1")
    ]
    apart = [b - a for a, b in itertools.pairwise(starts)]
    assert apart.count(98) == 15, "sixteen quads, one behind the other"
