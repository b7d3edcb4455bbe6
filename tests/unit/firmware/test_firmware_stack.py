"""The bound of the stack from a call graph, and against a program whose stack is known."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from firmware_host import HERE

from toolchain.errors import BuildError
from toolchain.harness import verdict
from toolchain.stack import (
    EXCEPTION_FRAME_BYTES,
    LIBRARY_FRAME_BYTES,
    CallGraph,
    addressed,
    call_graph,
    largest_frame,
    stack_bound,
)

FLAGS = ("-mcpu=cortex-m4", "-mthumb", "-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", "-ffunction-sections")
TOP, RAM_BYTES = 0x20001000, 0x1000
PAINT = 0xA5


def test_adds_the_deepest_path_the_handlers_and_what_pointers_reach() -> None:
    graph: CallGraph = {
        "Reset_Handler": (8, {"main"}),
        "main": (100, {"shallow", "deep", "memcpy"}),
        "shallow": (200, set()),
        "deep": (40, {"deeper"}),
        "deeper": (300, {"memcpy"}),
        "UART_IRQHandler": (16, {"__indirect_call"}),
        "hal/x.c:callback": (32, {"leaf"}),
        "leaf": (4, set()),
        "uncalled": (6000, set()),
        "Fault_Handler": (5000, set()),
    }
    bound = stack_bound(graph, {"callback", "shallow", "UART_IRQHandler", "Reset_Handler", "Fault_Handler"})
    handler = 16 + 200 + EXCEPTION_FRAME_BYTES
    assert bound.handlers == {"UART_IRQHandler": handler}
    assert bound.bytes == 8 + 100 + 40 + 300 + LIBRARY_FRAME_BYTES + handler
    assert bound.deepest == ("Reset_Handler", "main", "deep", "deeper", "memcpy")
    assert bound.through_pointers == (("UART_IRQHandler",), ("callback", "shallow"))
    assert bound.assumed == ("memcpy",)
    assert largest_frame(graph) == ("uncalled", 6000)


def test_a_recursion_is_named() -> None:
    graph: CallGraph = {"Reset_Handler": (8, {"main"}), "main": (8, {"a"}), "a": (8, {"b"}), "b": (8, {"a"})}
    with pytest.raises(BuildError, match="main -> a -> b -> a"):
        stack_bound(graph, set())


def test_reads_what_the_compiler_writes(tmp_path: Path) -> None:
    (tmp_path / "x.ci").write_text(
        'graph: { title: "x.c"\n'
        'node: { title: "x.c:f" label: "f\\nx.c:1:5\\n24 bytes (static)" }\n'
        'node: { title: "g" label: "g\\nx.c:9:5\\n8 bytes (dynamic,bounded)" }\n'
        'node: { title: "h" label: "h\\ny.h:2:5" shape : ellipse }\n'
        'edge: { sourcename: "x.c:f" targetname: "h" label: "x.c:3:1" }\n}\n'
    )
    assert call_graph(tmp_path) == {"x.c:f": (24, {"h"}), "g": (8, set())}


def test_a_frame_without_a_bound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.ci").write_text('node: { title: "f" label: "f\\nx.c:1:5\\n24 bytes (dynamic)" }\n')
    with pytest.raises(BuildError, match="f needs stack without a bound"):
        call_graph(tmp_path)


def _compile(folder: Path, *options: str) -> Path:
    """Compile known_depth.c as the firmware is compiled; returns the linked program."""
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    source, target, elf = HERE / "known_depth.c", folder / "known_depth.o", folder / "known_depth.elf"
    command = [compiler, *FLAGS, *options, "-fcallgraph-info=su", "-c", str(source), "-o", str(target)]
    subprocess.run(command, check=True)
    link = ["-nostdlib", "-Wl,-Ttext=0x8000,-Tdata=0x20002000,-e,Reset_Handler"]
    subprocess.run([compiler, *FLAGS, *link, str(target), "-o", str(elf)], check=True)
    return elf


def _seen(elf: Path) -> int:
    """Run a program on an emulated core with a painted stack; returns the bytes it used."""
    unicorn = pytest.importorskip("unicorn")
    from unicorn import arm_const as arm

    core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    core.mem_map(0, 0x10000)
    core.mem_map(TOP - RAM_BYTES, 0x10000)
    core.mem_write(TOP - RAM_BYTES, bytes([PAINT]) * RAM_BYTES)
    with elf.open("rb") as stream:
        program = ELFFile(stream)
        start = program["e_entry"]
        for segment in program.iter_segments("PT_LOAD"):
            core.mem_write(segment["p_vaddr"], segment.data())
    core.reg_write(arm.UC_ARM_REG_SP, TOP)
    core.emu_start(start | 1, 0, count=20_000)
    stack = bytes(core.mem_read(TOP - RAM_BYTES, RAM_BYTES))
    return len(stack.lstrip(bytes([PAINT])))


def test_the_bound_covers_what_a_core_was_seen_to_use_and_little_more(tmp_path: Path) -> None:
    elf = _compile(tmp_path)
    graph = call_graph(tmp_path)
    bound = stack_bound(graph, addressed(tmp_path))
    seen = _seen(elf)
    assert 720 <= seen <= bound.bytes <= seen + 16
    assert bound.deepest == ("Reset_Handler", "reached_by_pointer", "middle", "deep")
    assert bound.through_pointers == (("Reset_Handler",), ("reached_by_pointer",))
    assert verdict.stack(seen, bound.bytes) == []

    # A call that the graph does not know: the run must tell.
    (middle,) = [name for name in graph if name.endswith("middle")]
    graph[middle] = (graph[middle][0], set())
    short = stack_bound(graph, addressed(tmp_path))
    assert short.bytes < seen
    (sentence,) = verdict.stack(seen, short.bytes)
    assert f"{seen:,} bytes of stack were used" in sentence


def test_a_recursion_through_a_pointer_is_named(tmp_path: Path) -> None:
    _compile(tmp_path, "-DRECURSION")
    with pytest.raises(BuildError, match=r"Reset_Handler -> \(a pointer\) -> again -> \(a pointer\)"):
        stack_bound(call_graph(tmp_path), addressed(tmp_path))


def test_nothing_is_said_of_an_image_without_a_bound() -> None:
    assert verdict.stack(4000, None) == []
