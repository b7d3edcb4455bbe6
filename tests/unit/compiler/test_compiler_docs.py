"""The documents cannot rot: their programs are taken out of them, compiled and run."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from compiled_model import VECTORS, WARNINGS, build_host
from rich.console import Console
from small_graphs import Net
from tflm_worker import Tflm

from toolchain.compiler import kernels
from toolchain.compiler.generate import generate_model
from toolchain.compiler.interpret import interpret
from toolchain.compiler.ops import OPERATIONS, READERS
from toolchain.compiler.pipeline import optimize
from toolchain.int8 import flatbuffer_writer, schema

ROOT = Path(__file__).resolve().parents[3]
USE = (ROOT / "docs" / "use-in-your-firmware.md").read_text()
ADDING = (ROOT / "docs" / "adding-an-op.md").read_text()

MOVE_ONLY = re.search(r"only moves numbers \((.*?)\)", ADDING).group(1)


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_example_of_use_in_your_firmware_prints_what_the_page_says(tmp_path):
    (program,) = blocks(USE, "c")
    shell = blocks(USE, "sh")
    printed = blocks(USE, "text")[0]
    (tmp_path / "main.c").write_text(program)
    model, name, folder = re.match(r"tinyltc generate (\S+) --name (\S+) --out (\S+)\n", shell[0]).groups()
    generate_model(VECTORS / model, tmp_path / folder, name, Console(quiet=True))
    command = shell[1].replace("cc ", f"cc {' '.join(WARNINGS)} ", 1)
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed


def test_the_stack_stays_below_what_the_page_says(tmp_path):
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    limit = int(re.search(r"The stack stays below (\d+) bytes", USE).group(1))
    for model in ("ltc_step_int8", "ltc_step_16x8"):
        generate_model(VECTORS / f"{model}.tflite", tmp_path, "net", Console(quiet=True))
        command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-O2", "-fstack-usage", "-c", "net.c", "-o", "net.o"]
        subprocess.run(command, cwd=tmp_path, check=True)
        usage = [line.split("\t") for line in (tmp_path / "net.su").read_text().splitlines()]
        assert all(kind == "static" for _, _, kind in usage)
        # Calls nest two deep: the model, a kernel. The sum of all is an upper bound of that.
        assert sum(int(size) for _, size, _ in usage) < limit


def test_the_page_lists_every_operator_and_no_other():
    table = re.search(r"\| operator \|.*?\n\n", USE, re.DOTALL).group().strip()
    listed = {name for row in table.splitlines()[2:] for name in re.findall(r"[A-Z_]{3,}", row.split("|")[1])}
    assert listed == set(READERS)


@pytest.mark.parametrize("name", sorted(READERS))
def test_every_operator_is_in_every_place_that_adding_an_op_names(name):
    places = re.findall(r"^## \d\. .*?: `([^`]+)`$", ADDING, re.MULTILINE)
    assert len(places) == 6
    assert all((ROOT / place).exists() for place in places)
    assert name in schema.OPCODES.values()
    assert name in (*flatbuffer_writer._PLAIN, *flatbuffer_writer._OPTIONS)
    assert f'"{name}"' in (ROOT / "tests/unit/compiler/random_graphs.py").read_text()
    moves_only = f"{name}, " in MOVE_ONLY or f", {name}" in MOVE_ONLY
    proofs = [file.read_text() for file in (ROOT / "tests/unit/ops").glob("*.py")]
    assert moves_only or any(f'"{name}"' in text for text in proofs)
    assert READERS[name] in OPERATIONS.values()
    home = sys.modules[type(READERS[name]).__module__]
    text = Path(home.__file__).read_text()
    assert re.search(r"from toolchain\.int8\.ops", text) or moves_only
    assert re.search(r"c\.include\(", text)


@pytest.fixture
def with_relu(tmp_path, monkeypatch):
    """The files of the page, in place for one test."""
    for path, text in re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", ADDING, re.DOTALL):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    folder = tmp_path / "firmware" / "engine" / "kernels"
    for header in kernels.KERNELS.glob("*.h"):
        shutil.copy(header, folder)
    monkeypatch.setattr(kernels, "KERNELS", folder)
    for package in ("toolchain.int8.ops", "toolchain.compiler.ops"):
        module = sys.modules[package]
        monkeypatch.setattr(module, "__path__", [*module.__path__, str(tmp_path / package.replace(".", "/"))])
    relu = importlib.import_module("toolchain.compiler.ops.relu").RELU
    (line,) = re.findall(r'^    (\d+): "RELU",$', ADDING, re.MULTILINE)
    monkeypatch.setitem(schema.OPCODES, int(line), "RELU")
    monkeypatch.setitem(flatbuffer_writer._OPERATOR_CODES, "RELU", int(line))
    monkeypatch.setattr(flatbuffer_writer, "_PLAIN", (*flatbuffer_writer._PLAIN, "RELU"))
    monkeypatch.setitem(READERS, "RELU", relu)
    monkeypatch.setitem(OPERATIONS, "RELU", relu)
    yield
    for module in ("toolchain.compiler.ops.relu", "toolchain.int8.ops.relu"):
        sys.modules.pop(module)


@pytest.mark.usefixtures("with_relu")
def test_the_worked_example_of_adding_an_op_works(tmp_path):
    pytest.importorskip("tflite_micro", reason="tflite_micro is not installed")
    net = Net()
    x = net.input(1, 256)
    first = net.op("RELU", [x], (1, 256), scale=0.031, zero_point=-90)
    second = net.op("RELU", [net.dense(x, 20)], (1, 20), scale=0.7, zero_point=5)
    data = net.data(first, second)
    graph = net.graph(first, second)
    every = [np.arange(-128, 128).astype(np.int8).reshape(1, 256)]
    cases = [every, *net.cases(graph, 3)]
    worker = Tflm()
    expected = worker.run(data, cases)
    worker.close()
    assert [node.op for node in optimize(graph).nodes] == ["LOOKUP", "FULLY_CONNECTED"]
    for version in (graph, optimize(graph)):
        (tmp_path / "c").mkdir(exist_ok=True)
        found = build_host(version, tmp_path / "c").run(cases)
        for case, from_c, wanted in zip(cases, found, expected, strict=True):
            for a, b, c in zip(interpret(version, case), from_c, wanted, strict=True):
                np.testing.assert_array_equal(a, c)
                np.testing.assert_array_equal(b, c)
