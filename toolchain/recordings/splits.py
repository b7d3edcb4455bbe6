"""Split people, never windows, into training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping, Set

import numpy as np

from toolchain.errors import ConfigError, DataError


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


def parse_fold(text: str) -> tuple[int, int]:
    """Return (k, n) of ``"k/n"``, 1 <= k <= n and n >= 2; raises ConfigError."""
    parts = text.split("/")
    if len(parts) == 2 and all(part.isdecimal() for part in parts):
        k, n = int(parts[0]), int(parts[1])
        if 1 <= k <= n and n >= 2:
            return k, n
    raise ConfigError(f"'{text}' is not a fold.", "Write 2/4 for the second of four; n people as n: one person each.")


def fold_people(people: Mapping[str, str], folds: int, seed: int) -> list[list[str]]:
    """Deal ``people`` (name: how they wear the sensor) to ``folds`` sorted lists; with as many as people, one each.

    Every way of wearing it is spread over the folds; sizes differ by one at most. The same for the same people and
    seed. Raises DataError when there are fewer people than folds.
    """
    if not 2 <= folds <= len(people):
        raise DataError(f"{len(people)} people cannot be dealt to {folds} folds.", "Ask for at most as many as people.")
    everyone = sorted(people)
    random = np.random.default_rng(seed)
    shuffled = [everyone[i] for i in random.permutation(len(everyone))]
    ordered = sorted(shuffled, key=lambda name: people[name])
    return [sorted(ordered[fold::folds]) for fold in range(folds)]


def split_fold(
    people: Mapping[str, str], fold: str, validation: float, seed: int
) -> tuple[list[str], list[str], list[str]]:
    """Split for cross-validation: train, validation, test; the test people are fold k of n (``fold``, "k/n").

    ``validation`` is a fraction of them all, drawn among the others, who are the training people of this fold: at
    least one. Raises ConfigError for a wrong fold, DataError for too few people.
    """
    k, n = parse_fold(fold)
    test_people = fold_people(people, n, seed)[k - 1]
    others = {name: worn for name, worn in people.items() if name not in test_people}
    count = max(1, round(validation * len(people)))
    if count >= len(others):
        raise DataError(
            f"Fold {fold} of {len(people)} people leaves {len(others)} for training, {count} of them for validation.",
            "Record more people, or give a smaller validation_people.",
        )
    validation_people = draw_people(others, count, seed + k)
    return sorted(set(others) - set(validation_people)), validation_people, test_people


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
