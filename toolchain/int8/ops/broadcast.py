"""Two operands of unlike shapes as at most four nested loops.

Source of the rule: TFLM `kernels/internal/reference/broadcast_loop.h` (a dimension of 1 is repeated; neighbouring
dimensions that repeat alike are one loop).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.errors import ModelError

LOOPS = 4
_RANK_MAX = 6


@dataclass(frozen=True)
class Loops:
    """Four nested loops, outermost first, over an output that is written in order.

    ``extent``: rounds of each; ``stride1`` and ``stride2``: elements that each operand moves on per round,
    0 where it is repeated.
    """

    extent: tuple[int, int, int, int]
    stride1: tuple[int, int, int, int]
    stride2: tuple[int, int, int, int]


def broadcast_loops(shape1: Sequence[int], shape2: Sequence[int], output: Sequence[int]) -> Loops:
    """Return the loops of an elementwise operator; raises ModelError where the three shapes do not belong together."""
    rank = max(len(shape1), len(shape2), len(output))
    first, second, result = (_extended(shape, rank) for shape in (shape1, shape2, output))
    if rank > _RANK_MAX:
        raise ModelError(f"Shapes of {rank} dimensions cannot be combined; TFLM takes {_RANK_MAX}.")
    for a, b, c in zip(first, second, result, strict=True):
        if min(a, b, c) < 1 or (a != b and 1 not in (a, b)) or c != max(a, b):
            raise ModelError(f"Shapes {tuple(shape1)} and {tuple(shape2)} do not combine to {tuple(output)}.")
    loops: list[tuple[int, bool, bool]] = []
    for a, b, c in zip(first, second, result, strict=True):
        if c == 1:
            continue
        moves = a != 1, b != 1
        if loops and loops[-1][1:] == moves:
            loops[-1] = (loops[-1][0] * c, *moves)
        else:
            loops.append((c, *moves))
    if len(loops) > LOOPS:
        raise ModelError(f"Shapes {tuple(shape1)} and {tuple(shape2)} combine in more than {LOOPS} nested loops.")
    extents = [loop[0] for loop in loops]
    return Loops(_four(extents, 1), _strides(loops, 1), _strides(loops, 2))


def _extended(shape: Sequence[int], rank: int) -> tuple[int, ...]:
    return (1,) * (rank - len(shape)) + tuple(shape)


def _strides(loops: list[tuple[int, bool, bool]], operand: int) -> tuple[int, int, int, int]:
    moving = [loop[0] if loop[operand] else 1 for loop in loops]
    return _four([math.prod(moving[i + 1 :]) if loop[operand] else 0 for i, loop in enumerate(loops)], 0)


def _four(values: list[int], fill: int) -> tuple[int, int, int, int]:
    a, b, c, d = [fill] * (LOOPS - len(values)) + values
    return a, b, c, d
