"""A folder for a board of one's own, with everything to be filled in marked as such (host)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from controller_tool import resources
from controller_tool.board_rules import all_problems, flash
from controller_tool.errors import ImageError, OperatorError
from controller_tool.messages import t
from controller_tool.services.boards import display_name

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
MEGABYTES = (4, 8, 16, 32)
_CARDS_USUAL = 20000  # of a flash of 4 MB; a larger one has room for more


@dataclass(frozen=True)
class Made:
    """A new board: its name and folder; known: whether the tool finds it there."""

    board: str
    folder: Path
    known: bool


@dataclass(frozen=True)
class Checked:
    """What the rules say of a board; nothing: it keeps them."""

    board: str
    problems: tuple[str, ...]


def make(name: str, kind: str, chip: str, into: Path | None, megabytes: int = 4) -> Made:
    """Write board.toml and board.py of a new board. Raises OperatorError.

    megabytes: of its flash, one of MEGABYTES; the partition table goes by that.
    """
    root = into or resources.own_boards_dir()
    if root is None:
        raise OperatorError(
            t("It is not said where your own boards lie"),
            t("Give --into DIR, and set {variable} to that folder",
              variable=resources.OWN_BOARDS),
        )  # fmt: skip
    if not _NAME.fullmatch(name):
        raise OperatorError(
            t("{name} is no name for a board", name=name),
            t("Begin with a letter; small letters, digits and - may follow"),
        )
    folder_name = name.replace("-", "_")
    folder = root / folder_name
    if folder.exists() or (resources.boards_dir() / folder_name).exists():
        raise OperatorError(
            t("There is a board {board} already", board=name), t("Take another name")
        )
    rows = flash.proposed(kind, megabytes << 20)
    cards = flash.cards_that_fit(rows) if megabytes > MEGABYTES[0] else _CARDS_USUAL
    words = {
        "name": name, "title": name, "chip": chip, "partitions": _table(rows),
        "flash_bytes": hex(megabytes << 20), "cards": cards,
    }  # fmt: skip
    source = Path(__file__).resolve().parents[1] / "data" / "new_board"
    folder.mkdir(parents=True)
    for template, target in ((f"{kind}.toml", "board.toml"), (f"{kind}.py.txt", "board.py")):
        text = (source / template).read_text(encoding="utf-8")
        (folder / target).write_text(Template(text).substitute(words), encoding="utf-8")
    own = resources.own_boards_dir()
    return Made(name, folder, own is not None and own.resolve() == root.resolve())


def check(name: str | None) -> list[Checked]:
    """The boards, or the one of that name, by the rules. Raises OperatorError."""
    folders = resources.board_folders()
    if name is not None:
        wanted = name.replace("-", "_")
        if wanted not in folders:
            raise OperatorError(
                t("No board is named {board}", board=name), t("See `controller-tool board list`")
            )
        folders = [wanted]
    return [Checked(display_name(folder), tuple(_problems(folder))) for folder in folders]


def _problems(folder: str) -> list[str]:
    try:
        return all_problems(folder, resources.describe_board(folder))
    except ImageError as error:
        return [error.what]
    except (KeyError, TypeError, AttributeError, ValueError) as error:  # a row that is no row
        return [t("board.toml cannot be understood: {reason}", reason=repr(error))]


def _table(rows: list[dict[str, Any]]) -> str:
    """Partitions as board.toml has them."""
    line = '    {{ label = "{}", type = {}, subtype = 0x{:02X}, offset = 0x{:X}, size = 0x{:X} }},'
    made = [line.format(r["label"], r["type"], r["subtype"], r["offset"], r["size"]) for r in rows]
    return "\n".join(["partitions = [", *made, "]"])
