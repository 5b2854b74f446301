"""A virtual board's folder: what it is made of, where it lies, who keeps it alive (host).

board.json   its options, written once
flash.bin    the NOR chip
page.bin     the page shared with the MicroPython process
start.json   what that process is to be
status.json  how to reach it while it runs
stimuli      the socket for what happens in the world outside
lock         held by the supervisor for as long as it lives
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller_tool import resources
from controller_tool.errors import ImageError
from controller_tool.flashing import partition_table
from controller_tool.sim.page import PageView, layout

if TYPE_CHECKING:
    from collections.abc import Iterator

_ERASED_MEGABYTE = b"\xff" * (1 << 20)
_BAUD = 115200
_OWN_FILES = "/proc/self/fd"


@dataclass(frozen=True)
class Options:
    """How a virtual board behaves.

    board: folder under boards/; unique: its MAC address, hex; address: its loopback address.
    charge: flash, TLS and the cable take the time that they take on an ESP32.
    baud: of the cable, 0 = 115200 when charged, else as fast as it goes.
    corrupt_one_in, drop_one_in: bytes of the cable, 0 = none; seed: of that noise.
    until_pid: the board ends with this process, 0 = with nobody's.
    wires: to other virtual boards (wires.py).
    """

    board: str
    unique: str
    address: str = ""
    charge: bool = False
    baud: int = 0
    corrupt_one_in: int = 0
    drop_one_in: int = 0
    seed: int = 0
    until_pid: int = 0
    wires: list[dict[str, Any]] = field(default_factory=list)

    @property
    def line_baud(self) -> int:
        """Speed of the cable, 0 = not paced."""
        return self.baud or (_BAUD if self.charge else 0)


class Folder:
    """The paths of one board and what lies there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.flash_path = path / "flash.bin"
        self.page_path = path / "page.bin"
        self.log_path = path / "log.txt"
        self._options_path = path / "board.json"
        self._status_path = path / "status.json"
        self._lock_path = path / "lock"

    @property
    def name(self) -> str:
        """The board's name."""
        return self.path.name

    def exists(self) -> bool:
        """Whether a board was ever made here."""
        return self._options_path.is_file()

    def options(self) -> Options:
        """As it was started last."""
        return Options(**json.loads(self._options_path.read_text(encoding="utf-8")))

    def keep(self, options: Options) -> None:
        """Take note of options, making flash and page when there are none yet."""
        self.path.mkdir(parents=True, exist_ok=True)
        _write(self._options_path, json.dumps(asdict(options)))
        size_bytes = int(describe(options.board)["flash_bytes"])
        if not self.flash_path.is_file():
            self._blank_flash(size_bytes)
        if not self.page_path.is_file():
            self.page_path.write_bytes(bytes(layout.PAGE_BYTES))
            with PageView(self.page_path) as page:
                page.bytes[layout.WIFI_UP] = 1
                page.bytes[layout.LEVELS : layout.OUTPUTS + layout.PINS] = b"\xff" * (
                    layout.OUTPUTS + layout.PINS - layout.LEVELS
                )
        self.write_start(options, {})

    def write_start(self, options: Options, pipes: dict[int, tuple[int, int]]) -> None:
        """What the MicroPython process reads first. pipes: UART number -> (receive, send) fd."""
        description = describe(options.board)
        wiring = description["wiring"]
        rows = [
            [row["label"], row["type"], row["subtype"], row["offset"], row["size"]]
            for row in self.partitions(description)
        ]
        start = {
            "flash": str(self.flash_path.resolve()),
            "flash_bytes": description["flash_bytes"],
            "page": str(self.page_path.resolve()),
            "unique": options.unique,
            "machine": description.get(
                "machine", resources.describe_chip(description["chip"])["machine"]
            ),
            "address": options.address,
            "partitions": rows,
            "baud": options.line_baud,
            "charge": options.charge,
            "spi_select": _spi_select(description),
            "clock_chip": wiring.get("clock_chip", False),
            "expanders": wiring.get("expanders", []),
            "bus": wiring.get("bus", {}),
            "multiplexer": wiring.get("thermistors", {}).get("multiplexer", {}),
            "meter_pins": [pin for row in wiring.get("meters", []) for pin in row.get("cf", [])],
            "wires": [
                {**row, "page": str(Folder(Path(row["peer"])).page_path)} for row in options.wires
            ],
            "pipes": {str(number): list(pair) for number, pair in pipes.items()},
        }
        _write(self.path / "start.json", json.dumps(start))

    def partitions(self, description: dict[str, Any]) -> list[dict[str, Any]]:
        """By the table in the flash; a board as it is delivered has that of board.toml."""
        with self.flash_path.open("rb") as file:
            file.seek(partition_table.OFFSET)
            table = file.read(partition_table.TABLE_BYTES)
        try:
            return partition_table.parse(table)
        except ImageError:
            return list(description["partitions"])

    def status(self) -> dict[str, Any]:
        """What the supervisor says of itself; {} when none runs."""
        if not self.running():
            return {}
        try:
            return dict(json.loads(self._status_path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}

    def tell(self, status: dict[str, Any]) -> None:
        """The supervisor's own: say how to reach the board."""
        _write(self._status_path, json.dumps(status))

    def clear_status(self) -> None:
        """Nothing is known of a supervisor any more."""
        self._status_path.unlink(missing_ok=True)

    def running(self) -> bool:
        """Whether a supervisor lives: it alone holds the lock, and a dead one cannot."""
        if not self._lock_path.is_file():
            return False
        handle = self.lock()
        if handle is None:
            return True
        os.close(handle)
        return False

    def lock(self) -> int | None:
        """An open file that holds the lock; None when somebody else does."""
        handle = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle

    @contextmanager
    def socket_address(self) -> Iterator[str]:
        """Address of the stimulus socket, short however deep the folder lies.

        A socket's path may have 107 bytes; by way of the open folder it always does.
        """
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield f"{_OWN_FILES}/{handle}/stimuli"
        finally:
            os.close(handle)

    def _blank_flash(self, size_bytes: int) -> None:
        with self.flash_path.open("wb") as file:
            for _ in range(size_bytes >> 20):
                file.write(_ERASED_MEGABYTE)


def describe(board: str) -> dict[str, Any]:
    """boards/<board>/board.toml."""
    return resources.describe_board(board)


def _spi_select(description: dict[str, Any]) -> int:
    """The chip select of the reader on SPI, -1 when there is none."""
    rows = description["wiring"]["readers"]
    return int(next((row["cs"] for row in rows if row["kind"] == "rc522"), -1))


def _write(path: Path, text: str) -> None:
    """Whole or not at all: others read while we write."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
