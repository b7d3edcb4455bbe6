"""Build what the compiler emits for this host or for the virtual Cortex-M4, and run it on arrays."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from toolchain.compiler.emit import emit
from toolchain.compiler.ir import DTYPES, Array, Graph

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
TESTS = Path(__file__).resolve().parents[2]
VECTORS = TESTS / "vectors"
START = TESTS / "unit" / "emulator"
CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")


def write_model(graph: Graph, folder: Path, name: str = "net") -> Path:
    """Write NAME.h and NAME.c for ``graph`` and return the source."""
    emitted = emit(graph, name, "test")
    (folder / f"{name}.h").write_text(emitted.header)
    source = folder / f"{name}.c"
    source.write_text(emitted.source)
    return source


def _fields(graph: Graph) -> tuple[str, str]:
    """Positional initializers for the structures of pointers, with buffers in0.., out0.. ."""
    return tuple(
        ", ".join(f"{kind}{place}" for place in range(len(indices)))
        for kind, indices in (("in", graph.inputs), ("out", graph.outputs))
    )


def _buffers(graph: Graph) -> list[str]:
    kinds = (("in", graph.inputs), ("out", graph.outputs))
    return [
        f"static {DTYPES[graph.values[index].type].name}_t {kind}{place}[{graph.values[index].size}];"
        for kind, indices in kinds
        for place, index in enumerate(indices)
    ]


@dataclass(frozen=True)
class HostModel:
    """An executable that reads inputs from its standard input and writes outputs to its standard output."""

    graph: Graph
    program: Path

    def run(self, cases: Sequence[Sequence[Array]]) -> list[list[Array]]:
        """Return the outputs for each case, a list of one array for each input."""
        sent = b"".join(np.ascontiguousarray(array).tobytes() for case in cases for array in case)
        done = subprocess.run([self.program, str(len(cases))], input=sent, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        return split_outputs(self.graph, done.stdout, len(cases))


def split_outputs(graph: Graph, data: bytes, cases: int) -> list[list[Array]]:
    """Cut the outputs of ``cases`` runs, one after another, into arrays."""
    results, at = [], 0
    for _ in range(cases):
        outputs = []
        for index in graph.outputs:
            value = graph.values[index]
            outputs.append(np.frombuffer(data, DTYPES[value.type], value.size, at).reshape(value.shape))
            at += value.bytes
        results.append(outputs)
    assert at == len(data)
    return results


def build_host(graph: Graph, folder: Path, flags: Sequence[str] = ("-O1", *SANITIZERS)) -> HostModel:
    """Compile ``graph`` with all warnings as errors and a driver around it.

    The arena is filled with noise before every run and is exactly as large as the header says.
    """
    source = write_model(graph, folder)
    ins, outs = _fields(graph)
    reads = [f"if (fread(in{i}, sizeof in{i}, 1, stdin) != 1) return 2;" for i in range(len(graph.inputs))]
    writes = [f"fwrite(out{i}, sizeof out{i}, 1, stdout);" for i in range(len(graph.outputs))]
    driver = folder / "driver.c"
    lines = [
        '#include "net.h"',
        "#include <stdio.h>",
        "#include <stdlib.h>",
        "#include <string.h>",
        *_buffers(graph),
        "int main(int argc, char **argv) {",
        "int cases = argc > 1 ? atoi(argv[1]) : 0;",
        "void *arena = malloc(NET_ARENA_BYTES + 1);",
        "net_context net;",
        "if (!net_init(&net, arena, NET_ARENA_BYTES)) return 3;",
        f"const net_inputs in = {{{ins}}};",
        f"const net_outputs out = {{{outs}}};",
        "for (int i = 0; i < cases; ++i) {",
        *reads,
        "memset(arena, 0x5A + i, NET_ARENA_BYTES);",
        "net_invoke(&net, &in, &out);",
        *writes,
        "}",
        "free(arena);",
        "return 0;",
        "}",
    ]
    driver.write_text("\n".join(lines) + "\n")
    program = folder / "net"
    command = ["cc", "-std=c11", *WARNINGS, *flags, "-I", folder, source, driver, "-o", program]
    subprocess.run(command, check=True)
    return HostModel(graph, program)


def build_cortex_m4(graph: Graph, cases: Sequence[Sequence[Array]], folder: Path) -> Path:
    """Return the ELF of a bare program that runs ``cases`` and leaves their ``outputs`` (bytes) in memory."""
    source = write_model(graph, folder)
    ins, outs = _fields(graph)
    lines = ['#include "start.h"', '#include "net.h"', "#include <string.h>"]
    for place, index in enumerate(graph.inputs):
        c_type = f"{DTYPES[graph.values[index].type].name}_t"
        rows = [",".join(str(int(number)) for number in case[place].reshape(-1)) for case in cases]
        size = graph.values[index].size
        lines.append(f"static const {c_type} given{place}[{len(cases)}][{size}] = {{{{{'},{'.join(rows)}}}}};")
    total = sum(graph.values[index].bytes for index in graph.outputs)
    copies_in = [f"memcpy(in{i}, given{i}[k], sizeof in{i});" for i in range(len(graph.inputs))]
    copies_out = [f"memcpy(to, out{i}, sizeof out{i}); to += sizeof out{i};" for i in range(len(graph.outputs))]
    lines += [
        *_buffers(graph),
        f"uint8_t outputs[{total * len(cases)}];",
        "static net_arena arena;",
        "int main(void) {",
        "net_context net;",
        "if (!net_init(&net, &arena, sizeof arena)) { for (;;) { } }",
        f"const net_inputs in = {{{ins}}};",
        f"const net_outputs out = {{{outs}}};",
        "uint8_t *to = outputs;",
        f"for (unsigned k = 0; k < {len(cases)}u; ++k) {{",
        *copies_in,
        "net_invoke(&net, &in, &out);",
        *copies_out,
        "}",
        "return 0;",
        "}",
    ]
    program = folder / "bare.c"
    program.write_text("\n".join(lines) + "\n")
    flags = [
        "-O2",
        "-std=c11",
        "-ffp-contract=off",
        *WARNINGS,
        "-Wno-unused-function",
        "-nostartfiles",
        "--specs=nosys.specs",
    ]
    elf = folder / "bare.elf"
    command = ["arm-none-eabi-gcc", *CORTEX_M4, *flags, "-I", folder, "-I", START, "-T", START / "test.ld"]
    subprocess.run([*command, program, source, "-o", elf], check=True)
    return elf
