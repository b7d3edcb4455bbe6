"""A run folder as the stages before the report leave it, with made-up but plausible contents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from toolchain.project import Data, Project, Task
from toolchain.report.make import make_report
from toolchain.runs import Run

CLASSES = ["none", "swipe_left", "swipe_right", "tap", "rotate"]
MISMATCHES = [f"{kind}_mismatches" for kind in ("code", "timing", "int8", "state", "decision", "command")]
HOST = "measured on host"
EMULATED = "emulated (cycle estimate)"
STAGES = [
    "data-ready to burst read",
    "prepare",
    "right-hand side",
    "solver",
    "decision",
    "transmit set-up",
    "decision to last bit",
]
STAGE_US = [58.0, 3.1, 402.5, 61.2, 4.4, 6.5, 132.0]
RATE_HZ = 208.0

Files = dict[str, Any]


def confusion() -> list[list[int]]:
    table = (np.eye(5, dtype=int) * 46).tolist()
    table[1][2], table[3][0], table[4][0] = 1, 3, 1
    return table


def timeline(person: str, seconds: float, seed: int, missed: int = -1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * 26)) / 26.0
    gyro = 0.3 + 0.2 * rng.random(len(t))
    truth, commands = [], []
    for i, start in enumerate(np.arange(2.5, seconds - 2, 4.3)):
        name, end = CLASSES[1 + i % 4], start + 0.6
        gyro += 7 * np.exp(-(((t - start - 0.3) / 0.15) ** 2))
        truth.append({"class": name, "start_s": float(start), "end_s": float(end), "hit": i != missed})
        if i != missed:
            commands.append({"class": name, "t_s": float(end + 0.05), "correct": True})
    if missed >= 0:
        commands.append({"class": "tap", "t_s": 5.4, "correct": False})
    acc = 9.81 + rng.normal(0, 0.3, len(t))
    signal = {"rate_hz": 26.0, "acc": acc.round(3).tolist(), "gyro": gyro.round(3).tolist()}
    return {"person": person, "seconds": seconds, "truth": truth, "commands": commands, "signal": signal}


def contents() -> Files:
    """JSON by file name; ``model.tflite`` is bytes."""
    tflite, image, weights = bytes(range(256)) * 88, bytes(range(96, 192)), b"weights"
    stream = {"event_recall": 0.9712, "false_per_hour": 11.25, "delay_ms_median": 142.0, "events": 312, "hours": 0.8}
    project = Project(task=Task(name="wrist", classes=CLASSES), data=Data(set="wrist", people=24))
    spec = {
        "classes": CLASSES,
        "units": [64, 64],
        "rate_hz": RATE_HZ,
        "period_us": 4808,
        "time_scale": 40.0,
        "dt_max_us": 100000,
        "acc_lsb": 0.00239,
        "gyro_lsb": 0.00122,
        "input_gain": [1e-3] * 6,
        "input_clip": 4.0,
        "tau_epsilon": 0.05,
    }
    people = {"train": [f"p{i:02}" for i in range(14)], "validation": ["p14", "p15", "p16"], "test": ["p17", "p18"]}
    return {
        "project.json": project.model_dump(),
        "model.json": spec,
        "model.npz": weights,
        "model.tflite": tflite,
        "model.bin": image,
        "data.json": {
            "name": "wrist",
            "source": "simulated, seed 1",
            "licence": "Apache-2.0",
            "classes": CLASSES,
            "background": "none",
            "rate_hz": RATE_HZ,
            "people": people,
            "windows": {"train": 1400, "validation": 300, "test": 235},
            "streams": {"train": 28, "validation": 6, "test": 4},
            "seconds": {"train": 3780.0, "validation": 810.5, "test": 1050.0},
            "notes": "more keys are allowed",
        },
        "training.json": {
            "source": HOST,
            "seconds": 96.4,
            "stopped": "patience",
            "seed": 1,
            "parameters": 17733,
            "weights_sha256": hashlib.sha256(weights).hexdigest(),
            "epochs": [
                {
                    "epoch": i + 1,
                    "loss": 0.31 + 1.3 * 0.8**i,
                    "validation_accuracy": 0.985 - 0.7 * 0.75**i,
                    "validation_loss": 0.36 + 1.2 * 0.78**i,
                    "seconds": 2.9,
                }
                for i in range(33)
            ],
            "accuracy": {"validation": 0.985, "test": 0.9787},
            "confusion": confusion(),
        },
        "int8.json": {
            "source": HOST,
            "tflite_bytes": len(tflite),
            "sha256": hashlib.sha256(tflite).hexdigest(),
            "weights_sha256": hashlib.sha256(weights).hexdigest(),
            "parameters": 17733,
            "people_test": 2,
            "accuracy": {"float": 0.9791, "int8": 0.9783},
            "confusion": confusion(),
            "stream": stream,
            "parity": {
                "float": {"streams": 4, "seconds": 240.0, "agreement": 0.9974, "max_state_error_lsb": 1.42},
                "tflm": {"samples": 100352, "mismatches": 0},
            },
        },
        "firmware/build.json": {
            "source": "measured on the ELF file",
            "board": "nrf52840",
            "engine": "compiled",
            "compiler": "arm-none-eabi-gcc 12.2.1",
            "flash_bytes": 41872,
            "ram_bytes": 9344,
            "stack_bytes": 4096,
            "engine_flash_bytes": 3120,
            "model_flash_bytes": 25344,
            "sections": [
                {"name": ".text", "bytes": 14880},
                {"name": ".rodata", "bytes": 1648},
                {"name": "model image", "bytes": 25344},
                {"name": ".data", "bytes": 0},
                {"name": ".bss", "bytes": 5248},
            ],
            "symbols": [{"name": f"tl_function_{i}", "bytes": 900 - 31 * i, "section": ".text"} for i in range(20)],
        },
        "device.json": {
            "source": EMULATED,
            "accuracy": 0.9783,
            "confusion": confusion(),
            "stream": stream | {"event_recall": 0.9688, "hours": 0.1, "events": 32},
            "parity": {"samples_fed": 74880, "samples": 74880, **dict.fromkeys(MISMATCHES, 0), "first": {}},
            "device": {
                "board": "nrf52840",
                "engine": "compiled",
                "emulator": "virtual",
                "clock_hz": 64000000,
                "rate_hz": RATE_HZ,
                "model_sha256": image[-32:].hex(),
                "tflite_sha256": hashlib.sha256(tflite).hexdigest(),
            },
            "step_cycles": {"median": 30122.0, "max": 31020.0, "definition": "everything but the burst"},
            "latency_us": {
                "p50": 661.0,
                "p95": 672.5,
                "p99": 684.0,
                "p99_9": 1020.0,
                "max": 1033.5,
                "stages": dict(zip(STAGES, STAGE_US, strict=True)),
                "pipeline_delay": 9615.0,
                "samples": 4000,
                "definition": "data-ready to the command's last bit",
            },
            "speed": {"virtual_s": 360.0, "wall_s": 41.1, "ratio": 8.76, "hook": "C"},
            "functions": [
                {"name": "tl_engine_rhs", "cycles": 1930212000, "share": 0.81},
                {"name": "tl_solver_step", "cycles": 293000000, "share": 0.123},
                {"name": "tl_prepare", "cycles": 15000000, "share": 0.0063},
            ],
            "stack_used_bytes": 612,
            "health": {"overruns": 0, "lost_samples": 0, "dropped_frames": 0},
            "link": {"frames": 81234, "lost": 0},
            "pty": {"samples": 600, "ping_ms": 1.9, "virtual_s": 3.0, "pace": 1.0},
            "errors": [],
            "timelines": [timeline("p17", 90.0, 1), timeline("p18", 60.0, 2, missed=3), timeline("p17", 20.0, 3)],
        },
    }


def write_run(path: Path, files: Files, *, traces: bool = True) -> Run:
    """Write the files of a run folder; device.npz only together with device.json."""
    for name, value in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, bytes):
            file.write_bytes(value)
        else:
            file.write_text(json.dumps(value))
    if traces and "device.json" in files:
        rng = np.random.default_rng(5)
        stages = np.abs(rng.normal(STAGE_US, np.array(STAGE_US) * 0.02, (4000, len(STAGES))))
        latency = stages.sum(axis=1)
        latency[7] = 1033.5
        np.savez(
            path / "device.npz",
            latency_us=latency[:9],
            latency_all_us=latency,
            stages=np.array(STAGES),
            stages_us=stages,
        )
    return Run(path)


@pytest.fixture
def files() -> Files:
    return contents()


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A complete run with its report; drawing takes a while, so tests that change nothing share it."""
    run = write_run(tmp_path_factory.mktemp("runs") / "demo", contents())
    make_report(run, Console(quiet=True))
    return run


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[[Files], Run]:
    return lambda files: write_run(tmp_path / "demo", files)
