"""The stage ``train``: from a project file to float weights, their scores and everything a later stage must know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console

from toolchain.board import STANDARD_GRAVITY, Board
from toolchain.files import sha256_of, write_json
from toolchain.ltc.batches import Batches, Preparer
from toolchain.ltc.curves import draw_curves
from toolchain.ltc.decision import decision_spec
from toolchain.ltc.evaluate import FLOAT_Y_SCALE, Logits, evaluate_streams, evaluate_windows, float_logits
from toolchain.ltc.modelspec import ModelSpec, save_spec
from toolchain.ltc.prepare import RATE_US, inputs_of
from toolchain.ltc.solvers import TRAINED_THROUGH, require_stable
from toolchain.ltc.step import FloatNetwork
from toolchain.ltc.weights import Weights, save_weights
from toolchain.project import Project
from toolchain.recordings.catalog import card, load_set
from toolchain.recordings.codes import refuse_clipped
from toolchain.recordings.recording import DataSet
from toolchain.runs import Run

if TYPE_CHECKING:
    from toolchain.ltc.fit import Fit, Trainable

W = TypeVar("W")
"""What a network's weights are, copied out."""

GYRO_UNIT = 2.5
"""rad/s that make an input of 1; of acceleration it is 1 g. Both reach as far as the states: one int8 scale for all."""
INPUT_CLIP = 4.0
RATE_UNIT_S = 0.1
"""A rate of change of the unit in so many seconds makes an input of 1."""
VALIDATION_BATCHES = 12
WATCHED = 3
_STOPPED = {
    "epochs": "Trained to the end",
    "patience": "Stopped without further improvement",
    "max_seconds": "Stopped at the time limit",
    "interrupted": "Interrupted; the best weights so far are the run's model,",
}


def train(run: Run, project: Project, board: Board, console: Console, start: Weights | None = None) -> str:
    """Train the network of ``project`` for ``board``, write the run's files, and return why it stopped.

    ``start``: weights to start from, of the project's shape (toolchain.ltc.adapt).

    Writes project.json, data.json, checkpoint.npz (at every improvement), model.npz, model.json, training.json and
    training.png. Ctrl-C ends the training, not the stage: the best weights so far become the run's model, and
    training.json says ``"stopped": "interrupted"``. The same seed on the same machine gives the same weights, unless
    the time limit cuts in. A network for RK4 is trained through the exponential solver and scored with RK4. Raises
    DataError for data that cannot be trained on, ModelError for a solver that would be unstable at the smallest time
    constant.
    """
    # TensorFlow takes seconds to import, so a wrong data set is found first.
    data = load_set(project.data, project.task, board.imu.rate_hz)
    refuse_clipped((*data.train, *data.validation, *data.test), board.imu)
    for warning in data.warnings:
        console.print(f"[yellow]![/yellow] {warning}", highlight=False)
    spec = model_spec(project, board, data)
    # No tau can be smaller than tau_epsilon, so no weights can make a solver unstable that is stable at it.
    require_stable(spec.solver, 1.0 / spec.tau_epsilon, spec.time_scale, spec.dt_max_us, spec.period_us)

    if spec.cell == "ltc":
        trained = train_ltc(project, board, data, spec, console, run.checkpoint, start)
    else:
        from toolchain.ltc.comparison import train_comparison

        trained = train_comparison(project, board, data, spec, console, run.checkpoint)
    result = trained.fit
    trained.save(run.checkpoint)
    # Together and last: whatever ends the training before leaves the files of an earlier one in agreement.
    run.save_project(project)
    write_json(run.data_json, card(data, board.imu.rate_hz))
    trained.save(run.weights)
    save_spec(run.model_json, spec)

    decision = decision_spec(project.decision, data.background, FLOAT_Y_SCALE)
    scored, logits = trained.data, trained.logits
    windows = {part: evaluate_windows(getattr(scored, part), logits, spec, decision) for part in ("validation", "test")}
    stream = evaluate_streams(scored.test, logits, spec, decision)
    write_json(
        run.path / "training.json",
        {
            "source": "measured on host",
            "seconds": result.seconds,
            "steps": result.steps,
            "stopped": result.stopped,
            "weights_sha256": sha256_of(run.weights),
            "seed": project.training.seed,
            "everyone": project.training.everyone,
            "parameters": trained.parameters,
            "cell": spec.cell,
            "epochs": result.history(),
            "accuracy": {part: score.accuracy for part, score in windows.items()},
            "confusion": windows["test"].confusion.tolist(),
            "stream": stream.to_dict(),
        },
    )
    draw_curves(run.path / "training.png", result.history(), data.name)
    delay = "-" if stream.delay_ms_median is None else f"{stream.delay_ms_median:.0f} ms"
    console.print(
        f"{_STOPPED[result.stopped]} after {len(result.epochs)} epochs, {result.seconds:.0f} s. "
        f"On people it never saw: end-of-window accuracy {windows['test'].accuracy:.3f} "
        f"({windows['test'].windows} windows); event recall {stream.event_recall:.3f} ({stream.events} events), "
        f"{stream.false_per_hour:.1f} false activations an hour, median delay {delay}.",
        highlight=False,
    )
    return result.stopped


@dataclass(frozen=True)
class Trained:
    """A network after its training. ``save`` writes its weights; ``logits`` runs it over the recordings of ``data``."""

    fit: Fit[Any]
    save: Callable[[Path], None]
    parameters: int
    logits: Logits
    data: DataSet


def train_ltc(
    project: Project,
    board: Board,
    data: DataSet,
    spec: ModelSpec,
    console: Console,
    checkpoint: Path,
    start: Weights | None = None,
) -> Trained:
    """Train the LTC of ``project``; every improvement is written to ``checkpoint``."""
    made = fit_network(project, board, data, spec, console, lambda weights: save_weights(checkpoint, weights), start)
    logits = float_logits(FloatNetwork(made.weights, spec.tau_epsilon, spec.solver), spec, board.imu)
    return Trained(made, lambda path: save_weights(path, made.weights), made.weights.parameters, logits, data)


def fit_network(
    project: Project,
    board: Board,
    data: DataSet,
    spec: ModelSpec,
    console: Console,
    improved: Callable[[Weights], None] = lambda _: None,
    start: Weights | None = None,
) -> Fit[Weights]:
    """Train the LTC on the training people of ``data``; return the weights that are best on its validation people.

    With ``[training] everyone`` on both, and the last weights. ``improved`` is told weights worth keeping.
    """
    from toolchain.ltc.model import Ltc
    from toolchain.ltc.sparse import SparseLtc

    decision = decision_spec(project.decision, data.background, FLOAT_Y_SCALE)

    # People who are trained on choose nothing, so that a third of their windows is enough to follow the training.
    watched = data.validation[:: WATCHED if project.training.everyone else 1]

    def accuracy(weights: Weights) -> float:
        network = FloatNetwork(weights, spec.tau_epsilon, spec.solver)
        return evaluate_windows(watched, float_logits(network, spec, board.imu), spec, decision).accuracy

    through, density = TRAINED_THROUGH[spec.solver], project.model.density
    shape = (spec.units, len(spec.classes), spec.tau_epsilon, project.training.seed, spec.inputs)
    model = Ltc(*shape, through) if density == 1 else SparseLtc(*shape, density, through)
    if start is not None:
        model.set_from(start)
    return fit_model(model, accuracy, project, board, data, spec, console, improved)


def fit_model(
    model: Trainable[W],
    accuracy: Callable[[W], float],
    project: Project,
    board: Board,
    data: DataSet,
    spec: ModelSpec,
    console: Console,
    improved: Callable[[W], None],
) -> Fit[W]:
    """As :func:`fit_network`, of any network; ``accuracy`` scores weights on the validation people."""
    from toolchain.ltc.fit import Trainer, fit

    settings = project.training
    prepare = Preparer(spec, board.imu, data.background, settings)
    length = chunk_length(data, spec.rate_hz, settings.chunk_s) // prepare.stride
    validation = Batches(
        data.validation, prepare, data.background, settings=settings, length=length, seed=0, varied=False
    )
    people = (*data.train, *data.validation) if settings.everyone else data.train
    batches = Batches(
        people, prepare, data.background, settings=settings, length=length, seed=settings.seed, varied=True
    )
    return fit(
        Trainer(model, settings, settings.batch),
        batches,
        [validation.next_batch() for _ in range(VALIDATION_BATCHES)],
        accuracy,
        settings,
        console,
        improved,
    )


def model_spec(project: Project, board: Board, data: DataSet) -> ModelSpec:
    """Return what later stages must know about the network; decision and int8 are convert's to add."""
    imu = board.imu
    preparation = project.model.preparation
    gain = [imu.acc_lsb / STANDARD_GRAVITY] * 3 + [imu.gyro_lsb / GYRO_UNIT] * 3
    if preparation == "difference":
        gain += [value * RATE_UNIT_S / (RATE_US * 1e-6) for value in gain]
    return ModelSpec(
        cell=project.model.cell,
        classes=list(data.classes),
        units=list(project.model.layers),
        rate_hz=imu.rate_hz,
        period_us=imu.period_us,
        time_scale=project.model.time_scale,
        dt_max_us=round(project.model.dt_max_s * 1e6),
        acc_lsb=imu.acc_lsb,
        gyro_lsb=imu.gyro_lsb,
        preparation=preparation,
        inputs=inputs_of(preparation),
        input_gain=gain,
        input_clip=INPUT_CLIP,
        tau_epsilon=project.model.tau_epsilon,
        solver=project.model.solver,
    )


def chunk_length(data: DataSet, rate_hz: float, chunk_s: float) -> int:
    """Return samples per chunk: the longest training window, but at most ``chunk_s``."""
    longest = max((len(recording.t_us) for recording in data.train if recording.kind == "window"), default=1)
    return min(longest, round(chunk_s * rate_hz))
