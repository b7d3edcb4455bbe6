"""Scores of folds as files: what was trained is never trained again, however the search ended."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from toolchain.errors import DataError
from toolchain.files import read_json, write_json


class Ledger:
    """One file for each candidate under ``folder``, which all machines of a cluster must share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scores(self, one: dict[str, Any]) -> list[float]:
        """Return the scores of the folds of a candidate (its JSON values) so far, the first ones first."""
        path = self._path(one)
        return (
            [float(score) for score in read_json(path, DataError, f"Delete {path}.")["scores"]] if path.exists() else []
        )

    def put(self, one: dict[str, Any], k: int, score: float) -> list[float]:
        """Write the score of fold ``k``, unless it is there; return all.

        A worker that outlives a search that was killed may come to its end while the next search is at the same fold.
        """
        scores = self.scores(one)
        if len(scores) == k:
            scores.append(score)
            write_json(self._path(one), {"candidate": one, "scores": scores})
        return scores

    def _path(self, one: dict[str, Any]) -> Path:
        digest = hashlib.sha256(json.dumps(one, sort_keys=True).encode()).hexdigest()
        return self._folder / f"{digest[:16]}.json"
