"""Virtual boards for everything else in the tool: start, find, stop, and act upon (host).

board = start(site.path / "sim", "door-1", "virtual_door")
board.serial_port, board.tcp_address
board.stimulate("swipe_card", type=2, credential="0112233445")
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from controller_tool import resources
from controller_tool.errors import ImageError, LinkError, OperatorError
from controller_tool.messages import t
from controller_tool.sim import bridge
from controller_tool.sim.folder import Folder, Options, describe
from controller_tool.sim.shims import prepare
from protocol.constants import TCP_PORT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_START_S = 20.0
_STOP_S = 10.0
_STEP_S = 0.01
_ANSWER_S = 10.0
_ADDRESSES = 254 * 254
_CHIP = "esp32"  # that boards/virtual plays
_NEW_BOARD = "virtual_door"


@dataclass(frozen=True)
class Board:
    """One virtual board of a site."""

    folder: Folder

    @property
    def name(self) -> str:
        """Its name."""
        return self.folder.name

    @property
    def options(self) -> Options:
        """How it was started."""
        return self.folder.options()

    @property
    def running(self) -> bool:
        """Whether its supervisor lives (its power may be off all the same)."""
        return self.folder.running()

    @property
    def serial_port(self) -> str:
        """The host's end of its cable; LinkError when it does not run."""
        return str(self._status()["serial_port"])

    @property
    def bridge_address(self) -> str:
        """The cable again, with its modem lines, for pyserial; sim/bridge.py says how."""
        return f"rfc2217://{self.options.address}:{bridge.PORT}"

    @property
    def tcp_address(self) -> str:
        """HOST:PORT on the loopback network."""
        return f"{self.options.address}:{TCP_PORT}"

    @property
    def pid(self) -> int:
        """The supervisor's process; LinkError when there is none."""
        return int(self._status()["pid"])

    def stimulate(self, verb: str, **arguments: Any) -> Any:
        """Something happens around the board; see stimuli.py for verbs and what they return.

        Raises OperatorError when the board cannot do that, LinkError when it does not run.
        """
        request = json.dumps({"verb": verb, **arguments}).encode() + b"\n"
        try:
            answer = json.loads(_exchange(self.folder, request))
        except (OSError, ValueError) as error:
            raise _not_running(self.name) from error
        if not answer["ok"]:
            raise OperatorError(
                t("{name} cannot do that ({detail})", name=self.name, detail=answer["error"]),
                t("See `controller-tool sim --help`"),
            )
        return answer["value"]

    def counters(self) -> dict[str, Any]:
        """What was counted since the board was made."""
        return dict(self.stimulate("counters"))

    def heap(self) -> dict[str, int]:
        """Heap figures after a collection; LinkError when the firmware never looks up."""
        self.stimulate("ask_heap")
        return dict(self.until(lambda: self.counters()["heap"], _ANSWER_S))

    def wait_until_up(self, seconds: float = _START_S) -> None:
        """Until it is at its prompt or serves; LinkError when it does not come up."""
        self.until(lambda: self._is_up(self.counters()), seconds)

    @staticmethod
    def _is_up(counters: dict[str, Any]) -> bool:
        return bool(counters["at_prompt"] or counters["serves"])

    def until(self, ask: Callable[[], Any], seconds: float) -> Any:
        """The first answer of `ask` that is true; LinkError when the time is up."""
        end_s = time.monotonic() + seconds
        while True:
            found = ask()
            if found:
                return found
            if time.monotonic() > end_s:
                raise LinkError(
                    t("The virtual board {name} does not answer", name=self.name),
                    t("Look into {path}", path=str(self.folder.log_path)),
                )
            time.sleep(_STEP_S)

    def _status(self) -> dict[str, Any]:
        status = self.folder.status()
        if not status:
            raise _not_running(self.name)
        return status


def lay_out(root: Path, name: str, board: str) -> Board:
    """Make a board's folder without starting it: the other end of another board's wires."""
    made = Board(Folder(_folder(root, name)))
    _keep(made.folder, _kind(made.folder, board), {})
    return made


def start(root: Path, name: str, board: str | None = None, **options: Any) -> Board:
    """Make the board if it is new, start it if it does not run, wait until it is up.

    root: the site's folder `sim`; board: a folder under boards/ (``-`` and ``_`` are the same),
    None is what the board is already, or a door; options: fields of folder.Options; those that
    are not given are as they were. Raises OperatorError when the board is of another kind.
    """
    made = Board(Folder(_folder(root, name)))
    kind = _kind(made.folder, board)
    if made.running:
        return made
    _keep(made.folder, kind, options)
    made.folder.clear_status()
    prepare(made.folder)
    with made.folder.log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "controller_tool.sim.supervisor", str(made.folder.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _children.append(process)
    made.until(lambda: made.folder.status() or process.poll() is not None, _START_S)
    if process.poll() is not None:
        raise ImageError(
            t("The virtual board {name} does not start", name=name),
            t("Look into {path}", path=str(made.folder.log_path)),
        )
    made.wait_until_up()
    return made


def stop(root: Path, name: str) -> None:
    """End a board and wait until it is gone; its flash stays. Nothing when it does not run."""
    board = find(root, name)
    end_s = time.monotonic() + _STOP_S
    while board.running:
        try:
            board.stimulate("stop")
        except LinkError:  # it is ending, or has not begun to listen
            if time.monotonic() > end_s:
                raise
        time.sleep(_STEP_S)
    _reap()


def find(root: Path, name: str, elsewhere: str | None = None) -> Board:
    """The board of that name; OperatorError when the folder has none.

    elsewhere: the next step where a board that is not there was started from another folder.
    """
    folder = Folder(_folder(root, name))
    if not folder.exists():
        raise OperatorError(
            t("This folder has no virtual board {name}", name=name),
            elsewhere or t("Start it: controller-tool sim start {name}", name=name),
        )
    return Board(folder)


def list_boards(root: Path) -> list[Board]:
    """All boards of the site, running or not, by name."""
    if not root.is_dir():
        return []
    folders = [Folder(path) for path in sorted(root.iterdir()) if path.is_dir()]
    return [Board(folder) for folder in folders if folder.exists()]


_children: list[subprocess.Popen[bytes]] = []


def _reap() -> None:
    """Take note of supervisors that this process started and that have ended."""
    _children[:] = [child for child in _children if child.poll() is None]


def _folder(root: Path, name: str) -> Path:
    if not name or name != os.path.basename(name) or name.startswith("."):  # noqa: PTH119
        raise OperatorError(
            t("Not a name for a board: {name}", name=name), t("Use letters, digits and dashes")
        )
    return root.absolute() / name


def _kind(folder: Folder, wanted: str | None) -> str:
    """Folder under boards/; a board that was made once stays what it is."""
    if not folder.exists():
        return (wanted or _NEW_BOARD).replace("-", "_")
    held = folder.options().board
    if wanted and wanted.replace("-", "_") != held:
        raise OperatorError(
            t("{name} is a {held}, not a {board}",
              name=folder.name, held=held.replace("_", "-"), board=wanted.replace("_", "-")),
            t("Take another name, or leave --board out to start it as it is"),
        )  # fmt: skip
    return held


def _keep(folder: Folder, board: str, changes: dict[str, Any]) -> None:
    if not (resources.board_dir(board) / resources.DESCRIPTION).is_file() or (
        "wiring" not in describe(board)
    ):
        raise OperatorError(
            t("No virtual board is named {board}", board=board),
            t("See `controller-tool board list`"),
        )
    if describe(board)["chip"] != _CHIP:
        raise OperatorError(
            t("No virtual chip plays the one of {board}", board=board.replace("_", "-")),
            t("Virtual boards have an ESP32: see `controller-tool board list`"),
        )
    if folder.exists():
        options = replace(folder.options(), **changes)
    else:
        # locally administered, as a made-up MAC address has to be
        unique = bytes((0x02,)) + os.urandom(5)
        options = Options(board, unique.hex(), **changes)
    folder.keep(replace(options, address=_free_address(folder, options.address)))


def _free_address(folder: Folder, held: str) -> str:
    """127.77.x.y that no other board listens on; the one that it had, when that is free."""
    start_at = int.from_bytes(hashlib.sha256(str(folder.path.resolve()).encode()).digest()[:4])
    candidates = (start_at + step for step in range(_ADDRESSES))
    addresses = (f"127.77.{n % 254 + 1}.{n // 254 % 254 + 1}" for n in candidates)
    if held and _is_free(held):
        return held
    return next(address for address in addresses if _is_free(address))


def _is_free(address: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, TCP_PORT))
        except OSError:
            return False
    return True


def _exchange(folder: Folder, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(_ANSWER_S)
        with folder.socket_address() as address:
            link.connect(address)
        link.sendall(request)
        with link.makefile("rb") as answers:
            return answers.readline()


def _not_running(name: str) -> LinkError:
    return LinkError(
        t("The virtual board {name} does not run", name=name),
        t("Start it: controller-tool sim start {name}", name=name),
    )
