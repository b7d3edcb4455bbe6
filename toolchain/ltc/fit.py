"""The training loop: AdamW on a cosine, an average of the weights, early stop, and a clean end on Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from toolchain.errors import ModelError
from toolchain.ltc.batches import Batch, Batches
from toolchain.ltc.scan import Tensor
from toolchain.ltc.tf import keras, tf
from toolchain.project import Training

CLIP_NORM = 1.0
"""Largest norm of the gradient of all weights together."""
STATE_LIMIT = 3.0
"""Beyond this a state costs: all states and inputs share one int8 scale."""
STATE_COST = 1.0
LAST_RATE = 0.02
"""The cosine ends at this fraction of the learning rate."""
_CLOCK_MARGIN = 0.25
"""How far, in fractions of the whole, the steps may lag behind the clock before the cosine follows the clock."""


W = TypeVar("W")
"""What a network's weights are, copied out: :class:`toolchain.ltc.weights.Weights` of the LTC."""


W_co = TypeVar("W_co", covariant=True)


class Trainable(Protocol[W_co]):
    """What the trainer asks of a network; :class:`toolchain.ltc.model.Ltc` says what the methods do."""

    outputs: int

    @property
    def trainable_variables(self) -> list[Any]:
        """Every weight that is trained."""

    def zero_state(self, batch: int) -> list[Tensor]:
        """Return the state at rest."""

    def chunk(self, x: Tensor, dt: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Return logits, states of every layer and the state after."""

    def to_weights(self) -> W_co:
        """Copy the weights out."""


@dataclass(frozen=True)
class Epoch:
    """One line of the history: losses are means over the weighted samples; ``seconds`` since the start."""

    epoch: int
    loss: float
    validation_loss: float
    validation_accuracy: float
    seconds: float


@dataclass
class Fit(Generic[W]):
    """What training gave: the best weights, why it stopped, and how it went."""

    weights: W
    stopped: str
    seconds: float = 0.0
    steps: int = 0
    epochs: list[Epoch] = field(default_factory=list)

    def history(self) -> list[dict[str, Any]]:
        """Return the epochs as JSON values."""
        return [asdict(epoch) for epoch in self.epochs]


class Trainer(Generic[W]):
    """One network in training: the compiled step, the carried states and the averaged weights."""

    def __init__(self, model: Trainable[W], settings: Training, rows: int) -> None:
        self.model = model
        self._smoothing = settings.label_smoothing
        self._decay = settings.average
        self._optimizer = keras.optimizers.AdamW(
            settings.learning_rate, weight_decay=settings.weight_decay, global_clipnorm=CLIP_NORM
        )
        # Only matrices decay: a decaying c would pull every time constant to the same value.
        self._optimizer.exclude_from_weight_decay(
            [value for value in model.trainable_variables if len(value.shape) == 1]
        )
        self._optimizer.build(model.trainable_variables)
        self._average = [tf.Variable(value) for value in model.trainable_variables]
        self._state = model.zero_state(rows)
        self._train = tf.function(self._train_step, jit_compile=True)
        self._loss = tf.function(self._loss_of, jit_compile=True)
        self.steps = 0

    def train(self, batch: Batch, learning_rate: float) -> Tensor:
        """One step of the optimizer; returns the loss as a tensor, so that the caller decides when to wait for it."""
        self._optimizer.learning_rate.assign(learning_rate)
        average = min(self._decay, (1 + self.steps) / (10 + self.steps))
        loss, self._state = self._train(*_tensors(batch), self._state, tf.constant(average, tf.float32))
        self.steps += 1
        return loss

    def validation_loss(self, batches: list[Batch]) -> float:
        """Weighted mean loss of the averaged weights over batches that follow each other."""
        current = self._swap([value.numpy() for value in self._average])
        state = self.model.zero_state(len(batches[0].keep))
        total = weight = 0.0
        for batch in batches:
            loss, state = self._loss(*_tensors(batch), state)
            share = float(batch.weight.sum())
            total, weight = total + float(loss) * share, weight + share
        self._swap(current)
        return total / max(weight, 1.0)

    def use_average(self) -> None:
        """Let the model have the averaged weights: the end of a training whose weights are not copied out."""
        self._swap([value.numpy() for value in self._average])

    def averaged(self) -> W:
        """Copy the averaged weights out."""
        current = self._swap([value.numpy() for value in self._average])
        weights = self.model.to_weights()
        self._swap(current)
        return weights

    def _swap(self, values: list[Any]) -> list[Any]:
        before = [value.numpy() for value in self.model.trainable_variables]
        for variable, value in zip(self.model.trainable_variables, values, strict=True):
            variable.assign(value)
        return before

    def _cost(self, x: Tensor, dt: Tensor, target: Tensor, weight: Tensor, state: list[Tensor]) -> Any:
        logits, states, after = self.model.chunk(x, dt, state)
        classes = self.model.outputs
        wanted = tf.one_hot(target, classes) * (1.0 - self._smoothing) + self._smoothing / classes
        each = tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
        loss = tf.reduce_sum(each * weight) / tf.maximum(tf.reduce_sum(weight), 1.0)
        return loss, states, after

    def _loss_of(self, x: Tensor, dt: Tensor, target: Tensor, weight: Tensor, keep: Tensor, state: list[Tensor]) -> Any:
        loss, _, after = self._cost(x, dt, target, weight, [h * keep for h in state])
        return loss, after

    def _train_step(
        self, x: Tensor, dt: Tensor, target: Tensor, weight: Tensor, keep: Tensor, state: list[Tensor], average: Tensor
    ) -> Any:
        with tf.GradientTape() as tape:
            loss, states, after = self._cost(x, dt, target, weight, [h * keep for h in state])
            beyond = [tf.reduce_mean(tf.square(tf.nn.relu(tf.abs(layer) - STATE_LIMIT))) for layer in states]
            cost = loss + STATE_COST * tf.add_n(beyond)
        variables = self.model.trainable_variables
        self._optimizer.apply_gradients(zip(tape.gradient(cost, variables), variables, strict=True))
        for kept, value in zip(self._average, variables, strict=True):
            kept.assign(average * kept + (1.0 - average) * value)
        return loss, after


def fit(
    trainer: Trainer[W],
    batches: Batches,
    validation: list[Batch],
    accuracy: Callable[[W], float],
    settings: Training,
    console: Console,
    improved: Callable[[W], None],
) -> Fit[W]:
    """Train until the epochs, the patience or the seconds of ``settings`` run out, or Ctrl-C.

    ``accuracy`` gives the validation accuracy of weights; ``improved`` is told the weights of every improvement: of
    validation accuracy less validation loss, since the accuracy of few windows is coarse; with ``settings.everyone``
    of every epoch. KeyboardInterrupt ends the
    loop like any other reason, and ``stopped`` says so. Raises ModelError when the loss is no longer finite.
    """
    start = time.monotonic()
    result = Fit(trainer.averaged(), "epochs")
    best = -np.inf
    waited = 0
    # The next batch is made while the machine works on this one.
    with _progress(console) as progress, ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(batches.next_batch)
        task = progress.add_task("training", total=settings.epochs * settings.steps_per_epoch, loss="-", accuracy="-")
        try:
            for epoch in range(1, settings.epochs + 1):
                losses = []
                for _ in range(settings.steps_per_epoch):
                    rate = learning_rate(settings, trainer.steps, time.monotonic() - start)
                    batch, coming = coming.result(), ahead.submit(batches.next_batch)
                    losses.append(trainer.train(batch, rate))
                    progress.advance(task)
                    if time.monotonic() - start > settings.max_seconds:
                        result.stopped = "max_seconds"
                        break
                weights = trainer.averaged()
                loss = float(np.mean([float(value) for value in losses]))
                if not np.isfinite(loss):
                    raise ModelError(
                        f"The training diverged in epoch {epoch}.",
                        "Lower [training] learning_rate in the project file.",
                    )
                record = Epoch(
                    epoch, loss, trainer.validation_loss(validation), accuracy(weights), time.monotonic() - start
                )
                result.epochs.append(record)
                progress.update(task, loss=f"{loss:.3f}", accuracy=f"{record.validation_accuracy:.3f}")
                reached = record.validation_accuracy - record.validation_loss
                # Who was trained on cannot say which weights are best: then the last are kept.
                better = reached > best or settings.everyone
                waited = 0 if better else waited + 1
                if better:
                    best = reached
                    result.weights = weights
                    improved(weights)
                if waited >= settings.patience:
                    result.stopped = "patience"
                if result.stopped != "epochs":
                    break
        except KeyboardInterrupt:
            result.stopped = "interrupted"
            if not result.epochs:
                result.weights = trainer.averaged()
    result.seconds = time.monotonic() - start
    result.steps = trainer.steps
    return result


def learning_rate(settings: Training, step: int, seconds: float) -> float:
    """Half a cosine over all steps; where the seconds run out first, over the seconds."""
    done = step / (settings.epochs * settings.steps_per_epoch)
    # The margin keeps the clock out of it, and the run reproducible, on any machine that is not short of time.
    done = max(done, min((seconds / settings.max_seconds - _CLOCK_MARGIN) / (1.0 - _CLOCK_MARGIN), 1.0))
    return settings.learning_rate * (LAST_RATE + (1.0 - LAST_RATE) * 0.5 * (1.0 + float(np.cos(np.pi * done))))


def _tensors(batch: Batch) -> list[Tensor]:
    return [tf.constant(value) for value in (batch.x, batch.dt, batch.target, batch.weight, batch.keep)]


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]}  validation accuracy {task.fields[accuracy]}"),
        TimeElapsedColumn(),
        console=console,
    )
