"""From a .tflite of anybody's to C that anybody can use: `tinyltc generate MODEL.tflite`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from toolchain.compiler.emit import Emitted, emit
from toolchain.compiler.frontend import read_graph
from toolchain.compiler.names import checked_name, identifier
from toolchain.compiler.ops import OPERATIONS
from toolchain.compiler.pipeline import optimize
from toolchain.errors import ModelError
from toolchain.files import write_text
from toolchain.int8.flatbuffer import read_tflite


@dataclass(frozen=True)
class Compiled:
    """What a model became. ``operators`` counts those of the .tflite, ``nodes`` what is left of them."""

    emitted: Emitted
    operators: int
    nodes: int
    macs: int
    weight_bytes: int


def compile_model(data: bytes, name: str) -> Compiled:
    """Return the C of the .tflite ``data`` under the prefix ``name``; raises ModelError for what is not supported."""
    model = read_tflite(data)
    read = read_graph(model)
    graph = optimize(read)
    return Compiled(
        emitted=emit(graph, name, hashlib.sha256(data).hexdigest()[:16]),
        operators=len(model.operators),
        nodes=len(graph.nodes),
        macs=sum(OPERATIONS[node.op].macs(node, graph) for node in graph.nodes),
        weight_bytes=sum(OPERATIONS[node.op].weight_bytes(node) for node in graph.nodes),
    )


def generate_model(source: Path, folder: Path, name: str | None, console: Console) -> Compiled:
    """Compile the .tflite ``source`` into ``folder``/NAME.h and NAME.c; ``name`` defaults to the file's.

    Raises ModelError for a file that cannot be read or compiled, ConfigError for a name that C does not take.
    """
    chosen = checked_name(identifier(source.stem, "model") if name is None else name)
    try:
        data = source.read_bytes()
    except OSError as reason:
        raise ModelError(f"{source} cannot be read ({reason.strerror}).", "Name a .tflite file.") from None
    compiled = compile_model(data, chosen)
    for kind, text in (("h", compiled.emitted.header), ("c", compiled.emitted.source)):
        write_text(folder / f"{chosen}.{kind}", text)
    console.print(
        f"Generated {folder / chosen}.h and .c: {compiled.operators} operators in {compiled.nodes} steps, "
        f"{compiled.macs:,} MACs, {compiled.weight_bytes:,} bytes of weights "
        f"({compiled.emitted.constant_bytes:,} as packed with tables), arena {compiled.emitted.arena_bytes:,} bytes",
        soft_wrap=True,
    )
    return compiled
