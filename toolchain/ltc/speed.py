"""How long one training step takes, beside ncps: ``python -m toolchain.ltc.speed``, or ``make bench-train``.

ncps 1.0.1 (the extra ``bench``) is the library of the authors of LTC and CfC networks. Every contender has two layers
of 64 and a linear head, the same batch, loss and optimizer, and runs as a ``tf.function`` compiled the way that makes
it fastest (with XLA or without). The steps take turns within one process, so that a busy machine slows all of them,
and the ratio is the median over the turns.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from toolchain.errors import MissingToolError
from toolchain.files import write_json
from toolchain.ltc.batches import Batch
from toolchain.ltc.fit import Trainer
from toolchain.ltc.model import Ltc
from toolchain.ltc.prepare import CHANNELS
from toolchain.ltc.tf import keras, tf
from toolchain.project import Training

BATCH, UNITS, OUTPUTS = 64, (64, 64), 5
LONG, SHORT = 250, 50
"""Samples per chunk. ncps' LTC keeps so much for its backward pass that a long chunk does not fit a small machine."""
Step = Callable[[], Any]
_DRAWS = 2000
"""Bootstrap over the turns."""


@dataclass(frozen=True)
class Pair:
    """Milliseconds of one step, turn by turn: ``ours`` (turns,) and ``theirs`` (turns,)."""

    name: str
    samples: int
    compiled: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values: medians in milliseconds; the ratio: median, quartiles, 95 % interval of the median."""
        ratios = np.divide(self.theirs, self.ours)
        low, median, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        drawn = np.random.default_rng(0).choice(ratios, (_DRAWS, len(ratios)))
        return {
            "against": self.name,
            "samples": self.samples,
            "batch": BATCH,
            "xla": self.compiled,
            "ours_ms": float(np.median(self.ours)),
            "theirs_ms": float(np.median(self.theirs)),
            "ratio": float(median),
            "ratio_quartiles": [float(low), float(high)],
            "ratio_interval": [float(edge) for edge in np.quantile(np.median(drawn, axis=1), [0.025, 0.975])],
        }


def compare(name: str, samples: int, turns: int) -> Pair:
    """Time our step against ncps' ``CfC`` or ``LTC`` over chunks of ``samples``; raises MissingToolError without it."""
    ours = our_step(samples)
    theirs, how = min(
        ((ncps_step(name, samples, xla=xla), "with" if xla else "without") for xla in (False, True)),
        key=lambda candidate: _milliseconds(candidate[0]),
    )
    times = [(_milliseconds(ours), _milliseconds(theirs)) for _ in range(turns)]
    return Pair(name, samples, how, tuple(ms for ms, _ in times), tuple(ms for _, ms in times))


def our_step(samples: int) -> Step:
    """Return a step of this toolchain's training, compiled: all that :class:`Trainer` does for a batch."""
    trainer = Trainer(Ltc(list(UNITS), OUTPUTS, 0.05, seed=1), Training(), BATCH)
    x, target = _data(samples)
    even = np.full(target.shape, 0.035, np.float32), target, np.ones(target.shape, np.float32)
    batch = Batch(x, *even, np.ones((BATCH, 1), np.float32))

    def step() -> Any:
        return float(trainer.train(batch, 1e-3))

    step()
    return step


def ncps_step(name: str, samples: int, *, xla: bool) -> Step:
    """Return a step with two layers of ncps' ``name`` (``CfC`` or ``LTC``), compiled."""
    if importlib.util.find_spec("ncps") is None:
        raise MissingToolError("ncps is not installed.", "Install it: pip install 'tinyltc[bench]'.")
    from ncps import keras as ncps_keras

    layers = [getattr(ncps_keras, name)(units, return_sequences=True) for units in UNITS]
    model = keras.Sequential([keras.Input((samples, CHANNELS)), *layers, keras.layers.Dense(OUTPUTS)])
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=1e-4, global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)
    x, target = (tf.constant(value) for value in _data(samples))

    @tf.function(jit_compile=xla)
    def train() -> Any:
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(target, logits))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    def step() -> Any:
        return float(train())

    step()
    return step


def _data(samples: int) -> tuple[Any, Any]:
    random = np.random.default_rng(1)
    x = random.standard_normal((BATCH, samples, CHANNELS)).astype(np.float32)
    return x, random.integers(0, OUTPUTS, (BATCH, samples)).astype(np.int32)


def _milliseconds(step: Step) -> float:
    start = time.perf_counter()
    step()
    return (time.perf_counter() - start) * 1e3


def main() -> None:
    """Compare and write ``runs/bench/train.json``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--ltc-samples", type=int, default=SHORT, help="chunk for ncps' LTC; 250 needs about 16 GB")
    parser.add_argument("--out", type=Path, default=Path("runs/bench/train.json"))
    chosen = parser.parse_args()
    console = Console()
    pairs = [
        compare("CfC", LONG, chosen.turns).to_dict(),
        compare("LTC", chosen.ltc_samples, max(3, chosen.turns // 3)).to_dict(),
    ]
    write_json(
        chosen.out,
        {
            "source": "measured on host",
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "load": list(os.getloadavg()),
            "tensorflow": tf.__version__,
            "pairs": {pair["against"]: pair for pair in pairs},
        },
    )
    table = Table("one training step, batch 64, two layers of 64", "samples", "ours, ms", "theirs, ms", "ratio")
    for pair in pairs:
        table.add_row(
            f"ncps {pair['against']} ({pair['xla']} XLA)",
            str(pair["samples"]),
            f"{pair['ours_ms']:.0f}",
            f"{pair['theirs_ms']:.0f}",
            f"{pair['ratio']:.1f} ({pair['ratio_quartiles'][0]:.1f}-{pair['ratio_quartiles'][1]:.1f})",
        )
    console.print(table)


if __name__ == "__main__":
    main()
