"""Finds the device code and board descriptions that the tool puts on controllers (host).

In a checkout they lie at the top of the repository, in an installed wheel under
`controller_tool/_data` (pyproject.toml puts them there); `protocol` is an importable package in
both. Boards of your own lie in the folder that CONTROLLER_TOOL_BOARDS names; none of them stands
for one of the tool's. Nothing else in the tool may guess such a path.
"""

import os
import tomllib
from pathlib import Path
from typing import Any

from controller_tool.errors import ImageError

OWN_BOARDS = "CONTROLLER_TOOL_BOARDS"
DESCRIPTION = "board.toml"
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
    """Folder with boot.py and the modules of the firmware. Raises ImageError."""
    return _existing(_data_root() / "firmware")


def boards_dir() -> Path:
    """Folder with one folder a board, each with board.py and board.toml. Raises ImageError."""
    return _existing(_data_root() / "boards")


def own_boards_dir() -> Path | None:
    """Folder with boards of your own, as the environment names it."""
    named = os.environ.get(OWN_BOARDS)
    return Path(named) if named else None


def board_dir(folder: str) -> Path:
    """Where a board's files are, or would be; one of the tool's before one of your own."""
    path, own = boards_dir() / folder, own_boards_dir()
    return path if own is None or (path / DESCRIPTION).is_file() else own / folder


def board_folders() -> list[str]:
    """Names of the folders of all boards, the tool's and your own."""
    roots = [boards_dir(), *(root for root in (own_boards_dir(),) if root is not None)]
    return sorted({path.parent.name for root in roots for path in root.glob(f"*/{DESCRIPTION}")})


def chip_dirs(chip: str) -> list[Path]:
    """Folders with a chip's drivers, its own first: a chip may have those of another too."""
    own = boards_dir() / chip
    other = describe_chip(chip).get("drivers_of")
    return [own] if other is None else [own, *chip_dirs(other)]


def describe_chip(chip: str) -> dict[str, Any]:
    """boards/<chip>/chip.toml. Raises ImageError."""
    path = boards_dir() / chip / "chip.toml"
    if not path.is_file():
        raise ImageError(f"no chip is named {chip}", 'write chip = "esp32" or "esp32s3"')
    return tomllib.loads(path.read_text(encoding="utf-8"))


def describe_board(folder: str) -> dict[str, Any]:
    """A board's board.toml; FileNotFoundError when there is none, ImageError when it is no TOML.

    One that says `like = "<folder>"` has what that board has, but for what it says itself: whole
    values, and in tables entry by entry.
    """
    path = board_dir(folder) / DESCRIPTION
    try:
        own = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ImageError(f"{path} cannot be read: {error}", "mend that line") from error
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
