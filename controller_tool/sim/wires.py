"""Wires between two virtual boards, as the driving board's supervisor keeps them (host).

A row of Options.wires: {kind, own, peer, to, inverts}: own is the pin (or UART) here, peer the
other board's folder, to its pin, UART or meter. Edges and levels are carried by the board's own
process (boards/virtual/wires.py). What is left is done here:

- a board that is reset or without power lets go of its outputs: what that does to a wire is seen
  within a turn of the supervisor (20 ms at most)
- uart: bytes arrive when their last bit would have
- supply, en, boot: 1 cuts the other board's supply, pulls its EN or its GPIO0 down (20 ms)
"""

from __future__ import annotations

import contextlib
import json
import socket
from functools import partial
from typing import TYPE_CHECKING, Any

from controller_tool.sim.page import PageView, layout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from controller_tool.sim.folder import Folder

LEVELS = ("level", "sense")
_BYTE_BITS = 10
_VERBS: dict[str, Callable[[bool], dict[str, Any]]] = {
    "supply": lambda on: {"verb": "cut_power" if on else "restore_power"},
    "en": lambda on: {"verb": "hold_en", "on": on},
    "boot": lambda on: {"verb": "hold_boot", "on": on},
}


class Peer:
    """The other board: its page, and its supervisor, which is told and not waited for.

    Two boards that waited for one another's answers would both stand still.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self.page = PageView(folder.page_path)
        self._link: socket.socket | None = None

    def tell(self, request: dict[str, Any]) -> None:
        """A stimulus; lost when nobody is there, as on a wire."""
        for _ in range(2):  # its supervisor may be another one by now
            try:
                if self._link is None:
                    self._link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    with self._folder.socket_address() as address:
                        self._link.connect(address)
                    self._link.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while self._link.recv(65536):
                        pass
                self._link.sendall(json.dumps(request).encode() + b"\n")
            except OSError:
                self.close()
            else:
                return

    def close(self) -> None:
        """Nobody is there."""
        if self._link is not None:
            self._link.close()
            self._link = None


class Wires:
    """All wires that start at a board."""

    def __init__(
        self, rows: list[dict[str, Any]], page: PageView, folder_of: Callable[[Path], Folder]
    ) -> None:
        self._page = page
        self._folder_of = folder_of
        self._rows = rows
        self._peers: dict[str, Peer] = {}
        self._told: dict[int, bool] = {}
        self._uarts = {row["own"]: row for row in rows if row["kind"] == "uart"}

    def _peer(self, row: dict[str, Any]) -> Peer:
        if row["peer"] not in self._peers:
            self._peers[row["peer"]] = Peer(self._folder_of(row["peer"]))
        return self._peers[row["peer"]]

    def settle(self) -> None:
        """Outputs that were let go, and the lines that are no pins of the other chip."""
        for row in self._rows:
            own, kind = row["own"], row["kind"]
            driven = self._page.bytes[layout.OUTPUTS + own] == 1
            driven = driven and not self._page.bytes[layout.WIRES_CUT + (own >> 3)] >> (own & 7) & 1
            if kind in LEVELS:
                page, at = self._peer(row).page, layout.LEVELS + row["to"]
                level = int(driven) ^ int(row["inverts"])
                if page.bytes[at] != level:
                    page.bytes[at] = level
                    page.raise_generation(layout.INPUT_GENERATION)
            elif kind in _VERBS and driven != self._told.get(own, False):
                self._told[own] = driven
                self._peer(row).tell(_VERBS[kind](driven))

    def heard(
        self, uart: int, data: bytes, later: Callable[[float, Callable[[], object]], None]
    ) -> bool:
        """What the board sends on a UART goes down its wire; False: it has none."""
        row = self._uarts.get(uart)
        if row is None:
            return False
        baud = self._page.word(layout.UARTS + uart * layout.UART_BYTES + 8)
        request = {"verb": "send_uart", "uart": row["to"], "data": data.hex()}
        later(_BYTE_BITS * len(data) / max(baud, 1), partial(self._peer(row).tell, request))
        return True

    def close(self) -> None:
        """Let go of the other boards."""
        for peer in self._peers.values():
            peer.close()
            peer.page.bytes.close()
