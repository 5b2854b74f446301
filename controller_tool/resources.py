"""Finds the device code and board descriptions that the tool puts on controllers (host).

In a checkout they lie at the top of the repository, in an installed wheel under
`controller_tool/_data` (pyproject.toml puts them there); `protocol` is an importable package in
both. Nothing else in the tool may guess such a path.
"""

import tomllib
from pathlib import Path
from typing import Any

from controller_tool.errors import ImageError

_PACKAGE = Path(__file__).resolve().parent


def _data_root() -> Path:
    checkout = _PACKAGE.parent
    # Only a checkout has the project file; site-packages may well hold a stranger's `boards`.
    return checkout if (checkout / "pyproject.toml").is_file() else _PACKAGE / "_data"


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise ImageError(f"the tool's own folder {folder} is missing", "install the tool again")
    return folder


def firmware_dir() -> Path:
    """Folder with boot.py, main.py and the modules of the firmware. Raises ImageError."""
    return _existing(_data_root() / "firmware")


def boards_dir() -> Path:
    """Folder with one folder a board, each with board.py and board.toml. Raises ImageError."""
    return _existing(_data_root() / "boards")


def describe_board(folder: str) -> dict[str, Any]:
    """boards/<folder>/board.toml; FileNotFoundError when there is none.

    One that says `like = "<folder>"` has what that board has, but for what it says itself: whole
    values, and in tables entry by entry.
    """
    path = boards_dir() / folder / "board.toml"
    own = tomllib.loads(path.read_text(encoding="utf-8"))
    like = own.pop("like", None)
    return own if like is None else _over(describe_board(like), own)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    return below | {
        key: _over(below[key], value)
        if isinstance(value, dict) and isinstance(below.get(key), dict)
        else value
        for key, value in above.items()
    }


def protocol_dir() -> Path:
    """Folder with the sources of the `protocol` package. Raises ImageError."""
    return _existing(_PACKAGE.parent / "protocol")


def demo_roster() -> Path:
    """The roster of invented workers; controller_tool/sample_roster.py makes it."""
    return _PACKAGE / "data" / "roster.csv"
