"""The generate stage: from a converted run to generated C and a model image.

Everything in ``runs/<name>/generated/`` is made here; every ``*.c`` there belongs to the firmware of the chosen
engine. The same run, board and engine give the same bytes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.console import Console

import toolchain
from toolchain.board import Board
from toolchain.codegen import image as model_image
from toolchain.codegen import kernels
from toolchain.codegen.topology import ALIGNMENT, KINDS, PREPARATIONS, ROWS_TOGETHER, Topology, aligned
from toolchain.errors import ConfigError, ModelError
from toolchain.files import write_bytes, write_text
from toolchain.int8.flatbuffer import TfliteModel, read_tflite
from toolchain.int8.network import Network, input_names, output_names, read_network
from toolchain.int8.reference import matching_int8
from toolchain.int8.tflm import ARENA_MARGIN, smallest_arena
from toolchain.ltc.modelspec import ModelSpec, load_spec
from toolchain.ltc.step import dt_per_us, rate_tables, rate_unit, require_stable_rates
from toolchain.project import Project
from toolchain.runs import Run

TEMPLATES = Path(__file__).resolve().parent / "templates"
ENGINES = ("compiled", "tflm")
ENGINE_FILES = {
    "compiled": ("engine_compiled.h", "engine_compiled.c"),
    "tflm": ("tflm_model.h",),
}
COMMON_FILES = ("topology.h", "board_config.h", "model_tflite.h", "model_tflite.c", "main.c")
TFLM_REGISTRATION = {"CONCATENATION": "AddConcatenation", "FULLY_CONNECTED": "AddFullyConnected", "TANH": "AddTanh"}
"""MicroMutableOpResolver's method for each operator."""
_POINTER_BYTES = 4
PLAN_BYTES = 60
"""sizeof(tl_dense) on the device."""


@dataclass(frozen=True)
class Descriptor:
    """All that the main loop knows of the task."""

    inputs: int
    states: int
    outputs: int
    kind: str


@dataclass(frozen=True)
class Sources:
    """What the templates are rendered from, read and checked against each other."""

    spec: ModelSpec
    tflite: bytes
    model: TfliteModel
    network: Network
    topology: Topology

    @property
    def model_hash(self) -> str:
        """First 16 hexadecimal digits of the .tflite's SHA-256."""
        return hashlib.sha256(self.tflite).hexdigest()[:16]


def generate(run: Run, board: Board, engine: str, console: Console) -> None:
    """Render the C of ``run`` for ``board`` and ``engine`` into run.generated, and write the image to run.image.

    Raises ConfigError for an unknown engine; ModelError when the run is not converted, its files contradict each
    other, it was trained for another IMU range than the board's, or the image is larger than the board's slots.
    """
    if engine not in ENGINES:
        raise ConfigError(f"There is no engine '{engine}'.", f"Engines: {', '.join(ENGINES)}.")
    sources = load_sources(run)
    data = make_image(sources, board, engine)
    files = render(sources, board, engine, run.project())

    # Files of the other engine would be compiled too if they stayed.
    for name in {name for names in ENGINE_FILES.values() for name in names} - files.keys():
        (run.generated / name).unlink(missing_ok=True)
    for name, text in files.items():
        write_text(run.generated / name, text)
    write_bytes(run.image, data)
    console.print(
        f"Generated {len(files)} files for engine '{engine}' in {run.generated}; "
        f"model image {len(data):,} bytes, {sources.topology.string}"
    )


def load_sources(run: Run) -> Sources:
    """Read model.json and model.tflite of a run; raises ModelError if they are missing or do not fit each other.

    So it does if the solver is unstable with this network.
    """
    spec = load_spec(run.model_json)
    if spec.int8 is None or spec.decision is None:
        raise ModelError(f"{run.model_json} is not converted.", f"Run `tinyltc convert --run {run.path.name}` first.")
    model = read_tflite(run.tflite)
    network = read_network(model)
    matching_int8(spec, network)
    require_stable_rates(spec)
    topology = kernels.topology_of(network, spec.kind, spec.solver, spec.preparation)
    return Sources(spec, run.tflite.read_bytes(), model, network, topology)


def make_image(sources: Sources, board: Board, engine: str) -> bytes:
    """Return the model image for ``engine``; raises ModelError if the board cannot run it."""
    spec = sources.spec
    assert spec.int8 is not None
    assert spec.decision is not None
    if spec.rate_hz != board.imu.rate_hz:
        raise ModelError(
            f"The model was trained for {spec.rate_hz:g} Hz, board '{board.name}' gives {board.imu.rate_hz:g}.",
            f"Train it for this board: `tinyltc train --board {board.name}`.",
        )
    for name, trained, device in (
        ("acceleration", spec.acc_lsb, board.imu.acc_lsb),
        ("angular rate", spec.gyro_lsb, board.imu.gyro_lsb),
    ):
        if np.float32(trained) != np.float32(device):
            raise ModelError(
                f"The model was trained for {trained:.9g} per code of {name}, board '{board.name}' gives {device:.9g}.",
                f"Train it for this board: `tinyltc train --board {board.name}`.",
            )
    for label in spec.classes:
        if len(label.encode()) > model_image.MAX_LABEL_BYTES or "\0" in label:
            raise ModelError(
                f"Class '{label}' does not fit a model image, at most {model_image.MAX_LABEL_BYTES} bytes of UTF-8.",
                "Give it a shorter name.",
            )
    data = model_image.build(
        model_image.ModelImage(
            topology=sources.topology,
            rate_hz=spec.rate_hz,
            inv_scale=float(np.float32(1.0 / spec.int8.state_scale)),
            dt_per_us=float(dt_per_us(spec)),
            dt_max_us=spec.dt_max_us,
            period_us=spec.period_us,
            acc_lsb=spec.acc_lsb,
            gyro_lsb=spec.gyro_lsb,
            multipliers=np.array(spec.int8.prepare_multiplier, np.int32),
            rate_unit=rate_unit(spec),
            rate_table=rate_tables(spec)[: sources.topology.rate_tables],
            decision=spec.decision,
            labels=tuple(spec.classes),
            kernels=kernels.pack(sources.network) if engine == "compiled" else None,
            tflite=sources.tflite if engine == "tflm" else None,
        )
    )
    slot = min(board.model_slots, key=lambda slot: slot.bytes)
    if len(data) > slot.bytes:
        raise ModelError(
            f"The model image has {len(data):,} bytes, slot '{slot.name}' of board '{board.name}' {slot.bytes:,}.",
            "Make [model] layers smaller, or the slots in board.toml larger.",
        )
    return data


def require_current(run: Run, board: Board, engine: str) -> bytes:
    """Return the model image of a run; raises ModelError unless it is what its model.tflite gives today.

    Generated code and image are written together, so this also tells code that belongs to an older network.
    """
    generate_again = f"Run `tinyltc generate --run {run.path.name} --board {board.name} --engine {engine}`."
    try:
        data = run.image.read_bytes()
        model_image.check_whole(data)
    except FileNotFoundError:
        raise ModelError(f"{run.image} does not exist.", generate_again) from None
    except model_image.ImageError as error:
        raise ModelError(f"{run.image}: {error.what}", generate_again) from None
    if data != make_image(load_sources(run), board, engine):
        raise ModelError(f"{run.image} does not belong to {run.tflite.name} as it is now.", generate_again)
    header = run.generated / "board_config.h"
    if f'TL_BOARD_NAME "{board.name}"' not in (header.read_text() if header.is_file() else ""):
        raise ModelError(f"{header} was not made for board '{board.name}'.", generate_again)
    return data


def render(sources: Sources, board: Board, engine: str, project: Project) -> dict[str, str]:
    """Return every generated file as name -> text."""
    environment = make_environment()
    context = make_context(sources, board, engine, project)
    names = (*COMMON_FILES, *ENGINE_FILES[engine])
    return {name: environment.get_template(f"{name}.j2").render(context) for name in names}


def make_environment(templates: Path = TEMPLATES) -> Environment:
    """Return the Jinja environment: an undefined name is an error, nothing is escaped (C is not HTML)."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        c_string=_c_string,
        f32=_f32,
        number=_number,
        hex32=lambda value: f"0x{value:08X}u",
        hex_bytes=_hex_bytes,
        hex_lines=_hex_lines,
    )
    return environment


def make_context(sources: Sources, board: Board, engine: str, project: Project) -> dict[str, Any]:
    """Return what the templates may use."""
    spec, topology, network = sources.spec, sources.topology, sources.network
    context: dict[str, Any] = {
        "version": toolchain.__version__,
        "model_hash": sources.model_hash,
        "engine": engine,
        "project": project,
        "board": board,
        "pins": sorted(board.pins.wired.items()),
        "rate_mhz": round(board.imu.rate_hz * 1000),
        "spec": spec,
        "descriptor": Descriptor(topology.inputs, topology.states, topology.outputs, spec.kind),
        "topology": topology,
        "kind_number": KINDS[topology.kind],
        "preparation_number": PREPARATIONS[topology.preparation],
        "context_bytes": _context_bytes(topology),
        "weight_bytes": topology.kern_bytes - topology.activation_offset - 256 * topology.layers,
        "layers": _layers(topology),
        "tflite": sources.tflite,
    }
    if engine == "tflm":
        smallest = smallest_arena(sources.tflite, network)
        context |= {
            "operators": [TFLM_REGISTRATION[name] for name in sorted({op.name for op in sources.model.operators})],
            "ports": _ports(network),
            "arena": {
                "smallest": smallest,
                "margin": ARENA_MARGIN,
                "bytes": aligned(smallest + ARENA_MARGIN, ALIGNMENT),
            },
        }
    return context


def _layers(topology: Topology) -> list[dict[str, int]]:
    first = 0
    result = []
    for index, units in enumerate(topology.units):
        quad = topology.signal_offsets[index + 1]
        result.append({"index": index, "first": first, "units": units, "signal_quad": quad})
        first += units
    return result


def _context_bytes(topology: Topology) -> int:
    """Size of the compiled engine's context on the device (firmware/engine/compiled/engine_context.h)."""
    signal, plans = 8 * topology.signal_offsets[-1], PLAN_BYTES * len(topology.denses)
    return _POINTER_BYTES + signal + plans + ROWS_TOGETHER * topology.broken


def _ports(network: Network) -> dict[str, Any]:
    layers = len(network.units)
    places = {name: network.input_position[name] for name in input_names(layers)}
    places |= {name: network.output_position[name] for name in output_names(layers)}
    listed = {kind: [places[f"{kind}{layer + 1}"] for layer in range(layers)] for kind in "hfz"}
    return {"x": places["x"], "y": places["y"], **listed}


def _f32(value: float) -> str:
    """Return a C constant with exactly the bits of ``value`` rounded to float32."""
    single = struct.unpack("<f", struct.pack("<f", value))[0]
    mantissa, exponent = single.hex().split("p")
    return f"{mantissa.rstrip('0').rstrip('.')}p{exponent}f"


def _number(value: float) -> str:
    """Return a C constant that the preprocessor can compare where ``value`` is whole, else a float."""
    return str(int(value)) if value == int(value) else _f32(value)


def _c_string(text: str) -> str:
    """Return ``text`` as a C string literal."""
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}" for byte in text.encode()
    )
    return f'"{escaped}"'


def _hex_bytes(data: bytes) -> str:
    return ", ".join(f"0x{byte:02X}" for byte in data)


def _hex_lines(data: bytes, per_line: int = 16) -> Iterator[str]:
    for start in range(0, len(data), per_line):
        yield _hex_bytes(data[start : start + per_line]) + ","
