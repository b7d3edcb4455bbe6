"""Bench images of the recognizer: the firmware's own step with an engine, on a model image of a converted run."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console

from toolchain.bench.compile import BENCH, compile_image
from toolchain.bench.figures import BenchImage, Check
from toolchain.board import Board
from toolchain.build import FIRMWARE, Tflm
from toolchain.codegen.generate import generate, load_sources
from toolchain.codegen.hostlib import CORE
from toolchain.codegen.image import HEADER, SECTION
from toolchain.emulator.bare import BareCore
from toolchain.int8.reference import Int8Reference
from toolchain.ltc.modelspec import ModelSpec, load_spec, save_spec
from toolchain.ltc.prepare import CHANNELS
from toolchain.ltc.step import model_dt
from toolchain.runs import Run

INPUTS = 64
INPUT_BYTES = 16
VARIABLES = ("bench_result", "bench_next", "bench_now_us")
_SEED = 2


def stored_inputs(spec: ModelSpec, count: int = INPUTS) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint32]]:
    """Return IMU codes int16 (count, 6) and microseconds since the sample before uint32 (count,).

    Data that a step could be slow or fast on: rest, both ends of the range, noise of every size, a wandering signal;
    stamps with jitter and here and there a lost sample.
    """
    rng = np.random.default_rng(_SEED)
    codes = np.clip(np.cumsum(rng.normal(0, 4000, (count, CHANNELS)), axis=0), -32768, 32767)
    kind = np.arange(count) % 8
    codes[kind == 1] = 0
    codes[kind == 3] = rng.choice([-32768, 32767], (int((kind == 3).sum()), CHANNELS))
    codes[kind == 5] = rng.normal(0, 30, (int((kind == 5).sum()), CHANNELS))
    delta = rng.integers(spec.period_us * 9 // 10, spec.period_us * 11 // 10, count)
    delta[kind == 6] *= 2
    return codes.astype(np.int16), np.minimum(delta, spec.dt_max_us).astype(np.uint32)


def recognizer_image(
    folder: Path,
    source: Run,
    board: Board,
    engine: str,
    option: str,
    *,
    solver: str,
    weights_in_ram: bool = False,
    tflm: Tflm | None = None,
) -> BenchImage:
    """Generate the network of run ``source`` with ``solver`` for ``engine`` into ``folder``; compile its bench image.

    Raises ModelError when the run is not converted or the generator refuses it, BuildError when it does not compile.
    """
    run = _copy(source, folder, solver)
    generate(run, board, engine, Console(file=io.StringIO()))
    spec = load_spec(run.model_json)
    codes, delta_us = stored_inputs(spec)
    records = np.zeros(len(codes), np.dtype([("code", "<i2", (CHANNELS,)), ("delta_us", "<u4")]))
    records["code"], records["delta_us"] = codes, delta_us
    (folder / "inputs.bin").write_bytes(records.tobytes())

    # What stands in the folders is what the firmware is made of, the main loop left out.
    files = [BENCH / "bench.c", *(FIRMWARE / "core" / f"{name}.c" for name in CORE)]
    files += sorted(path for path in (FIRMWARE / "engine" / engine).iterdir() if path.suffix in (".c", ".cc"))
    files += sorted(path for path in run.generated.glob("*.c") if path.name not in ("main.c", "model_tflite.c"))
    elf = compile_image(
        folder.resolve(),
        files,
        [run.generated.resolve(), FIRMWARE / "engine" / engine],
        INPUT_BYTES,
        ("TL_BENCH_WEIGHTS_IN_RAM",) if weights_in_ram else (),
        tflm,
    )
    return BenchImage(
        engine=engine,
        option=option,
        elf=elf,
        inputs=len(codes),
        variables=VARIABLES,
        check=_check(Int8Reference(spec, run.tflite.read_bytes()), codes, delta_us),
        model_sections=image_sections(run.image.read_bytes()),
    )


def image_sections(image: bytes) -> dict[str, int]:
    """Return the bytes of every section of a model image; ``rest`` is header, table, padding and hash."""
    count = HEADER.unpack_from(image)[-3]
    entries = [SECTION.unpack_from(image, HEADER.size + SECTION.size * index) for index in range(count)]
    found = {tag.decode(): size for tag, _, size in entries}
    return found | {"rest": len(image) - sum(found.values())}


def _copy(source: Run, folder: Path, solver: str) -> Run:
    """Copy what generate reads, with another solver; raises ModelError if the run is not converted."""
    spec = load_sources(source).spec
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run = Run(folder)
    save_spec(run.model_json, ModelSpec.model_validate(spec.model_dump() | {"solver": solver}))
    shutil.copyfile(source.tflite, run.tflite)
    shutil.copyfile(source.project_json, run.project_json)
    return run


def _check(reference: Int8Reference, codes: npt.NDArray[np.int16], delta_us: npt.NDArray[np.uint32]) -> Check:
    dt = model_dt(delta_us, reference.spec)
    never = np.zeros(len(codes), np.bool_)
    # The image starts as if a sample of zeros had just passed (firmware/bench/bench.c), which a preparation remembers.
    passed = np.concatenate([np.zeros((1, CHANNELS), codes.dtype), codes])
    x_q = reference.prepare(passed, np.append(delta_us[:1], delta_us), np.append(True, never))[1:]
    y, states = reference.integrate(x_q[None], dt[None], never[None], keep_state=True)
    assert states is not None
    wanted = [(state.astype("<f4").tobytes(), logits.tobytes()) for state, logits in zip(states[0], y[0], strict=True)]

    def check(core: BareCore, number: int) -> bool:
        return (core.read("bench_state"), core.read("bench_logits")) == wanted[number]

    return check
