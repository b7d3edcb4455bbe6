"""Choose the decision's threshold on validation people's streams; test people are never looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence

from toolchain.ltc.decision import decision_spec
from toolchain.ltc.evaluate import Logits, StreamScore, evaluate_streams
from toolchain.ltc.modelspec import DecisionSpec, ModelSpec
from toolchain.project import Decision
from toolchain.recordings.recording import Recording

FACTORS = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
"""Thresholds that are tried, as multiples of the project's."""


def tuned_decision(
    project: Decision, background: int, y_scale: float, spec: ModelSpec, logits: Logits, validation: Sequence[Recording]
) -> tuple[DecisionSpec, StreamScore | None]:
    """Return the decision with the fewest errors on ``validation``'s streams, and its score there.

    An error is an event that was missed or a false activation; of equals, the threshold nearest to the project's
    wins. Without streams the project's own threshold is kept and the score is None.
    """
    asked = decision_spec(project, background, y_scale, spec.rate_hz)
    streams = [recording for recording in validation if recording.kind == "stream"]
    if not streams:
        return asked, None
    once = logits(streams)
    tried: list[tuple[int, float, DecisionSpec, StreamScore]] = []
    for factor in FACTORS:
        changed = project.model_copy(update={"threshold": project.threshold * factor})
        decision = decision_spec(changed, background, y_scale, spec.rate_hz)
        score = evaluate_streams(streams, lambda _: once, spec, decision)
        errors = score.events - len(score.delays_ms) + score.false_activations
        tried.append((errors, abs(math.log(factor)), decision, score))
    _, _, decision, score = min(tried, key=lambda entry: entry[:2])
    return decision, score
