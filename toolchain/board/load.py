"""Finding and reading board.toml files.

``TINYLTC_BOARDS`` names one more folder of boards, beside the repository's.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from toolchain.board.schema import REPOSITORY_BOARDS, Board
from toolchain.errors import ConfigError
from toolchain.files import validated

BOARDS = REPOSITORY_BOARDS
VARIABLE = "TINYLTC_BOARDS"


def board_folders(boards: Path | None = None) -> dict[str, Path]:
    """Return the folder of every board by name, sorted; of ``boards`` only, if given.

    Raises ConfigError for a TINYLTC_BOARDS that is no folder, or one that repeats a name.
    """
    places = [BOARDS] if boards is None else [boards]
    own = os.environ.get(VARIABLE, "") if boards is None else ""
    if own:
        if not Path(own).is_dir():
            raise ConfigError(f"{VARIABLE} is '{own}', which is no folder.", "Name the folder that holds your boards.")
        places.append(Path(own).resolve())
    found: dict[str, Path] = {}
    for place in places:
        for path in place.glob("*/board.toml"):
            if path.parent.name in found:
                raise ConfigError(
                    f"There are two boards '{path.parent.name}': {found[path.parent.name]} and {path.parent}.",
                    "Rename one.",
                )
            found[path.parent.name] = path.parent
    return dict(sorted(found.items()))


def board_names(boards: Path | None = None) -> list[str]:
    """Names of all boards, sorted."""
    return list(board_folders(boards))


def load_board(name: str, boards: Path | None = None) -> Board:
    """Read and check the board.toml of ``name``.

    Raises ConfigError for an unknown board, or one whose file has a wrong key.
    """
    folders = board_folders(boards)
    if name not in folders:
        raise ConfigError(f"There is no board '{name}'.", f"Boards: {', '.join(folders) or 'none'}.")
    path = folders[name] / "board.toml"
    try:
        value = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as reason:
        raise ConfigError(f"{path} is not valid TOML ({reason}).", "Mend the line it names.") from None
    board = validated(Board, value, path)
    if board.name != name:
        raise ConfigError(f"{path}: key 'name' is '{board.name}', expected '{name}'.", "Name the board as its folder.")
    board._folder = folders[name]
    return board
