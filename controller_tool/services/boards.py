"""The boards that this tool has firmware for, as their board.toml files describe them (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from controller_tool import resources
from controller_tool.errors import OperatorError
from controller_tool.messages import t


@dataclass(frozen=True)
class Board:
    """One board.

    name: as the command line takes it; folder: its name on disk; partitions: the rows of its flash
    layout; capabilities: what it has, by name; machine: what its image calls it, "" = no name of
    its own; flash_bytes: of its chip, 0 = not told; image_sha256: of
    MicroPython images that somebody compared with the vendor's; senses_itself: it has a thermistor
    of its own, beside those of its ports.
    """

    name: str
    folder: str
    kind: str
    chip: str
    summary: str
    partitions: tuple[dict[str, Any], ...]
    capabilities: dict[str, Any]
    machine: str = ""
    flash_bytes: int = 0
    image_sha256: tuple[str, ...] = ()
    senses_itself: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the partitions."""
        return tuple(str(row["label"]) for row in self.partitions)

    @property
    def capabilities_and_kind(self) -> set[str]:
        """Names of what it has, its kind among them: what a setting may need."""
        return {self.kind} | {name for name, has in self.capabilities.items() if has}

    @property
    def points(self) -> int:
        """Doors or ports."""
        return int(self.capabilities.get("points", 1))

    @property
    def readers(self) -> int:
        """Readers, at all its doors or ports."""
        return int(self.capabilities.get("readers", 1))


def list_boards() -> list[Board]:
    """All of them, by name."""
    return [_read(folder) for folder in resources.board_folders()]


def show(name: str) -> Board:
    """The board of that name (``-`` and ``_`` are the same); OperatorError when there is none."""
    folder = name.replace("-", "_")
    if not (resources.board_dir(folder) / resources.DESCRIPTION).is_file():
        raise OperatorError(
            t("No board is named {board}", board=name), t("See `controller-tool board list`")
        )
    return _read(folder)


def display_name(folder: str) -> str:
    """The board's name as people write it, from its folder's."""
    return folder.replace("_", "-")


def _read(folder: str) -> Board:
    data = resources.describe_board(folder)
    return Board(
        display_name(folder), folder, str(data.get("kind", "")), str(data.get("chip", "")),
        str(data.get("description", "")), tuple(data.get("partitions", ())),
        dict(data.get("capabilities", {})), str(data.get("machine", "")),
        int(data.get("flash_bytes", 0)),
        tuple(data.get("image", {}).get("sha256", ())),
        "board" in data.get("wiring", {}).get("thermistors", {}),
    )  # fmt: skip
