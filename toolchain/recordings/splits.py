"""Split people, never windows, into training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping, Set

import numpy as np

from toolchain.errors import DataError


def draw_people(people: Mapping[str, str], count: int, seed: int) -> list[str]:
    """Draw ``count`` of ``people`` (name: how they wear the sensor), sorted; the same for the same people and seed.

    Systematic sampling over people ordered by how they wear it: every way of wearing it is drawn in proportion, so
    that a rare one is neither missing from training nor crowds the test by chance.
    """
    everyone = sorted(people)
    random = np.random.default_rng(seed)
    shuffled = [everyone[i] for i in random.permutation(len(everyone))]
    ordered = sorted(shuffled, key=lambda name: people[name])
    places = (np.arange(count) + random.random()) * len(everyone) / max(count, 1)
    return sorted(ordered[int(place)] for place in places)


def split_people(
    people: Mapping[str, str], validation: float, test: float, seed: int, held_out: Set[str] = frozenset()
) -> tuple[list[str], list[str], list[str]]:
    """Split ``people`` (name: how they wear the sensor) into sorted names: train, validation, test.

    ``validation`` and ``test`` are fractions of them all. ``held_out``: where the makers of a set name its test people,
    those of them who are here are the test people. Every part gets at least one person; raises DataError when there
    are too few.
    """
    n_validation = max(1, round(validation * len(people)))
    given = set(people) & held_out
    n_test = len(given) or max(1, round(test * len(people)))
    if n_validation + n_test >= len(people):
        raise DataError(
            f"{len(people)} people cannot be split into {n_test} for test, {n_validation} for validation and at least "
            "one for training.",
            "Record more people, or give smaller fractions in [data].",
        )
    test_people = given or set(draw_people(people, n_test, seed))
    others = {name: worn for name, worn in people.items() if name not in test_people}
    validation_people = draw_people(others, n_validation, seed + 1)
    return sorted(set(others) - set(validation_people)), validation_people, sorted(test_people)
