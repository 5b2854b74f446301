"""The boards that this tool has firmware for, as their board.toml files describe them (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from controller_tool import resources
from controller_tool.errors import ImageError, OperatorError
from controller_tool.messages import t


@dataclass(frozen=True)
class ImageSource:
    """Where a board's MicroPython image comes from, and its SHA-256 as hex.

    confirmed: somebody compared that digest with the vendor's own page.
    """

    address: str
    version: str
    sha256: str
    confirmed: bool = False


@dataclass(frozen=True)
class Board:
    """One board.

    name: as the command line takes it; folder: its name on disk; partitions: the rows of its flash
    layout; capabilities: what it has, by name; machine: what its image calls it, "" = no name of
    its own; flash_bytes: of its chip, 0 = not told; image: the MicroPython that it runs, None = not
    told; senses_itself: it has a thermistor of its own, beside those of its ports.
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
    image: ImageSource | None = None
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
        _image(data),
        "board" in data.get("wiring", {}).get("thermistors", {}),
    )  # fmt: skip


def _image(data: dict[str, Any]) -> ImageSource | None:
    """Its own [image], or its chip's; None for one that lacks something: `board check` tells."""
    own = data.get("image")
    if own is None:
        try:
            own = resources.describe_chip(str(data.get("chip", ""))).get("image")
        except ImageError:
            return None
    if not isinstance(own, dict) or not {"address", "version", "sha256"} <= own.keys():
        return None
    return ImageSource(
        str(own["address"]), str(own["version"]), str(own["sha256"]),
        own.get("unconfirmed") is False,
    )  # fmt: skip
