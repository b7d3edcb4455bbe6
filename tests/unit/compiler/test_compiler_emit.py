"""The C that is written: its API, its names, and the command that writes it."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest
from compiled_model import VECTORS, WARNINGS, build_host, write_model
from small_graphs import TANH, Net
from typer.testing import CliRunner

from toolchain.cli import app
from toolchain.compiler.emit import emit
from toolchain.compiler.generate import compile_model
from toolchain.compiler.interpret import interpret
from toolchain.compiler.names import checked_name, comment, distinct, float_literal, identifier
from toolchain.compiler.pipeline import optimize
from toolchain.errors import ConfigError, ModelError

MODEL = VECTORS / "ltc_step_int8.tflite"


def tinyltc(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], standalone_mode=False)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("serving_default_x:0", "x"),
        ("StatefulPartitionedCall:1", "statefulpartitionedcall_1"),
        ("a/b;c d", "a_b_c_d"),
        ("", "in0"),
        ("+++", "in0"),
        ("7up", "in0_7up"),
        ("Int", "int_"),
        ("class", "class_"),
        ("é*/ evil(); /*", "evil"),
    ],
)
def test_tensor_names_become_identifiers(text, name):
    assert identifier(text, "in0") == name


def test_names_that_meet_are_numbered():
    assert distinct(["a", "b", "a", "a", "a_2"]) == ["a", "b", "a_2", "a_3", "a_2_2"]


@pytest.mark.parametrize("name", ["", "7up", "Net", "net-1", "int", "tl_net", "n" * 49, "net\n"])
def test_names_that_c_does_not_take_are_refused(name):
    with pytest.raises(ConfigError, match="cannot be the name"):
        checked_name(name)


def test_comments_cannot_end_early():
    assert comment('*/ system("x"); /*\\\n') == "__ system(_x_); ____"
    assert len(comment("x" * 500)) == 60


@pytest.mark.parametrize("value", [1 / 256, 0.1, 1e-30, 3e20, 2.0, 1.17549435e-38])
def test_scales_keep_their_bits(value, tmp_path):
    text = float_literal(value)
    assert np.float32(text.removesuffix("f")) == np.float32(value)
    (tmp_path / "a.c").write_text(f"extern float x;\nfloat x = {text};\n")
    subprocess.run(["cc", "-std=c11", *WARNINGS, "-c", "a.c"], cwd=tmp_path, check=True)


def test_tensor_names_of_a_hostile_file_stay_inside_comments_and_identifiers(tmp_path):
    net = Net()
    x = net.input(1, 4, name='*/ #error "in" /* \\')
    hidden = net.op("TANH", [x], (1, 4), **TANH, name="*/ int evil; /* ??/\n#error")
    y = net.op("MUL", [x, hidden], (1, 4), name="*/ #error out \\\n")
    again = net.op("ADD", [hidden, y], (1, 4), name="int")
    graph = net.graph(y, again)
    cases = net.cases(graph, 2)
    for case, found in zip(cases, build_host(graph, tmp_path).run(cases), strict=True):
        for a, b in zip(found, interpret(graph, case), strict=True):
            np.testing.assert_array_equal(a, b)
    assert "int_;" in re.sub(r" /\*.*?\*/", "", (tmp_path / "net.h").read_text())


def test_a_model_without_intermediate_values_compiles(tmp_path):
    net = Net()
    graph = net.graph(net.op("TANH", [net.input(3)], (3,), **TANH))
    write_model(optimize(graph), tmp_path)
    for case, found in zip(cases := net.cases(graph), build_host(optimize(graph), tmp_path).run(cases), strict=True):
        np.testing.assert_array_equal(found[0], interpret(graph, case)[0])
    assert "#define NET_ARENA_BYTES 4\n" in (tmp_path / "net.h").read_text()


def test_init_refuses_memory_that_will_not_do(tmp_path):
    net = Net()
    write_model(net.graph(net.dense(net.input(1, 9), 3)), tmp_path)
    (tmp_path / "main.c").write_text(
        """
        #include "net.h"
        int main(void) {
            static net_arena arena;
            net_context net;
            if (net_init(NULL, &arena, sizeof arena)) return 1;
            if (net_init(&net, NULL, sizeof arena)) return 2;
            if (net_init(&net, &arena, NET_ARENA_BYTES - 1)) return 3;
            if (net_init(&net, arena.bytes + 2, sizeof arena)) return 4;
            return !net_init(&net, &arena, sizeof arena) || sizeof arena != NET_ARENA_BYTES;
        }
        """
    )
    subprocess.run(["cc", "-std=c11", *WARNINGS, "main.c", "net.c", "-o", "main"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"], check=False).returncode == 0


def test_the_header_works_in_cpp_with_a_source_in_c(tmp_path):
    net = Net()
    write_model(net.graph(net.dense(net.input(1, 9), 3)), tmp_path)
    (tmp_path / "main.cc").write_text(
        '#include "net.h"\nint main() { static net_arena a; net_context c; return !net_init(&c, &a, sizeof a); }\n'
    )
    subprocess.run(["cc", "-std=c11", "-c", "net.c"], cwd=tmp_path, check=True)
    subprocess.run(["c++", "-std=c++14", *WARNINGS, "main.cc", "net.o", "-o", "main"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"], check=False).returncode == 0


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_the_analyzer_finds_nothing(tmp_path):
    net = Net()
    source = write_model(net.graph(net.dense(net.input(1, 9), 3)), tmp_path)
    command = ["gcc", "-std=c11", "-O0", "-fanalyzer", *WARNINGS, "-c", source, "-o", tmp_path / "o"]
    subprocess.run(command, check=True)


def test_the_same_constant_is_written_once():
    net = Net()
    x = net.input(1, 6)
    first, second = (net.op("TANH", [x], (1, 6), **TANH) for _ in range(2))
    text = emit(optimize(net.graph(first, second)), "net", "hash").source
    assert text.count("static const int8_t table_") == 1


def test_writable_globals_and_libraries_are_absent(tmp_path):
    source = tmp_path / "step.c"
    compiled = compile_model((VECTORS / "ltc_step_16x8.tflite").read_bytes(), "step")
    (tmp_path / "step.h").write_text(compiled.emitted.header)
    source.write_text(compiled.emitted.source)
    subprocess.run(["cc", "-std=c11", "-O2", "-c", source, "-o", tmp_path / "o"], check=True)
    symbols = subprocess.run(["nm", tmp_path / "o"], capture_output=True, text=True, check=True).stdout.splitlines()
    kinds = {line.split()[-2]: line.split()[-1] for line in symbols}
    assert not {"B", "b", "D", "C"} & kinds.keys()
    undefined = {line.split()[-1] for line in symbols if " U " in line}
    assert undefined <= {"memcpy", "memset", "_GLOBAL_OFFSET_TABLE_"}
    assert {line.split()[-1] for line in symbols if " T " in line} == {"step_init", "step_invoke"}


def test_the_command_says_what_it_made_and_replaces_what_was_there(tmp_path):
    (tmp_path / "net.c").write_text("old")
    done = tinyltc("generate", MODEL, "--out", tmp_path, "--name", "net")
    assert done.exit_code == 0, done.output
    assert "20 operators in 16 steps, 17,472 MACs, 18,516 bytes of weights" in done.output.replace("\n", " ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.c", "net.h"]
    first = (tmp_path / "net.c").read_text()
    assert first.startswith("/* Generated by tinyltc ")
    tinyltc("generate", MODEL, "--out", tmp_path, "--name", "net")
    assert (tmp_path / "net.c").read_text() == first


def test_the_file_names_the_code(tmp_path):
    tinyltc("generate", MODEL, "--out", tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder" / "ltc_step_int8.h").is_file()


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((MODEL, "--run", "demo"), ConfigError, "Give either MODEL.tflite or --run NAME"),
        ((MODEL, "--engine", "tflm"), ConfigError, "--run, --board and --engine belong to a run"),
        (("--out", "x"), ConfigError, "--out and --name belong to a .tflite"),
        (("--run", "demo", "--name", "x"), ConfigError, "--out and --name belong to a .tflite"),
        ((MODEL, "--name", "9"), ConfigError, "'9' cannot be the name"),
        (("nothing.tflite",), ModelError, "nothing.tflite cannot be read"),
        ((VECTORS / "ltc_step_f32.tflite",), ModelError, "FLOAT32"),
    ],
)
def test_wrong_uses_are_one_clear_error_and_leave_nothing(arguments, error, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = tinyltc("generate", *arguments)
    assert isinstance(done.exception, error)
    assert said in str(done.exception)
    assert not list(tmp_path.iterdir())
