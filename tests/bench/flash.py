"""Provisioning by image beside file-by-file copy over the same paced cable; a whole flash (host).

The cable has 115 200 baud at the prompt, which a stock board's UART0 does not leave; the loader
goes to 460 800, as `device flash` does. Flash takes the time of the project's model in both.
"""

from __future__ import annotations

import os
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

from mpremote.transport_serial import SerialTransport

from controller_tool.flashing import layout
from controller_tool.flashing.session import Session
from controller_tool.repl import BoardRepl
from controller_tool.services import boards, flash, images, install
from controller_tool.services.provision import Silent
from controller_tool.sim import service as sim
from protocol.constants import LINK_BAUD
from tests.bench.charged_house import row
from tests.made_up_images import image

NAME = "flash"
_BOARD = "virtual-door"
_TIMES_MIN = 5
_SENT_MAX = 1.05
# an identity's size: two keys and certificates, a trust object, a configuration
_IDENTITY = {f"/cfg/{n}": os.urandom(800) for n in ("key.der", "cert.der", "ca.der", "trust.cbor")}
_CELLS = (os.urandom(84), os.urandom(84))


def run() -> list[dict[str, Any]]:
    """One row a figure: name, value, unit, limit, and whether it is kept."""
    described = boards.show(_BOARD)
    files = {**install.firmware_files(described.folder), **_IDENTITY}
    made = images.Image(image(), "")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        try:
            copied_s = _copy(sim.start(root, "copied", _BOARD, charge=True), files)
            plain_s = _mpremote(sim.start(root, "plain", _BOARD, charge=True), files)
            pieces = layout.pieces(described, made.data, files, _CELLS)
            imaged_s = _write(sim.start(root, "imaged", _BOARD, charge=True), pieces[1:])
            whole = sim.start(root, "whole", _BOARD, charge=True)
            whole_s, sent = _flash(whole, described, made, files)
        finally:
            for board in sim.list_boards(root):
                sim.stop(root, board.name)
    packed = sum(len(zlib.compress(piece.data, 9)) for piece in pieces)
    return [
        row("firmware and identity, mpremote file by file", round(plain_s, 1), "s"),
        row("firmware and identity, device provision", round(copied_s, 1), "s"),
        row("firmware and identity, by image", round(imaged_s, 1), "s"),
        row("by image, times as fast as mpremote", round(plain_s / imaged_s, 1), "x",
            at_least=_TIMES_MIN),
        row("by image, times as fast as device provision", round(copied_s / imaged_s, 1), "x"),
        row("MicroPython, firmware and identity, one session", round(whole_s, 1), "s"),
        row("sent / compressed", round(sent / packed, 3), "", at_most=_SENT_MAX),
    ]  # fmt: skip


def _copy(board: sim.Board, files: dict[str, bytes]) -> float:
    started = time.monotonic()
    with BoardRepl(board.serial_port) as repl:
        install.prepare_journal(repl, _CELLS)
        install.copy(repl, files, lambda *_: None)
    return time.monotonic() - started


def _mpremote(board: sim.Board, files: dict[str, bytes]) -> float:
    """As the stock tool copies files: neither packed nor checked."""
    transport = SerialTransport(board.serial_port, LINK_BAUD)
    try:
        transport.enter_raw_repl(soft_reset=False)
        started = time.monotonic()
        transport.fs_mkdir("/cfg")
        for path, data in files.items():
            transport.fs_writefile(path, data)
        return time.monotonic() - started
    finally:
        transport.close()


def _into_loader(board: sim.Board) -> None:
    board.stimulate("hold_boot", on=True)
    board.stimulate("reset")


def _write(board: sim.Board, pieces: list[layout.Piece]) -> float:
    """What the copy does, and no more: MicroPython is there in both."""
    _into_loader(board)
    started = time.monotonic()
    with Session(board.serial_port) as session:
        session.begin(flash.BAUD)
        session.write(pieces)
        return time.monotonic() - started


def _flash(
    board: sim.Board, described: boards.Board, made: images.Image, files: dict[str, bytes]
) -> tuple[float, int]:
    _into_loader(board)
    before = board.counters()["cable"]["received"]
    done = flash.flash(
        board.serial_port, described, made, lambda: flash.Contents(files, _CELLS), Silent()
    )
    return done.seconds, board.counters()["cable"]["received"] - before
