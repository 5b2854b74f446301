"""From a bare board to one with MicroPython and firmware, in one session with its loader (host).

In this order; nothing is changed before the chip, its flash and the image were found right:

- the image is read, its digest looked up, its chip and length compared with board.toml
- the chip and the size of its flash are compared with board.toml
- only then is the controller's identity made: what fails before leaves no trace in the registry
- partitions of which nothing is written are made blank where they are not
- image, partition table, file system and key cells are written compressed and proven by MD5
- the board is restarted, where the port has lines for that
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.flashing import layout
from controller_tool.messages import t

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from controller_tool.flashing.session import Session
    from controller_tool.services.boards import Board
    from controller_tool.services.images import Image
    from controller_tool.services.provision import Narrator

BAUD = 460800


@dataclass(frozen=True)
class Contents:
    """What makes a board this controller: files by path, first key cells of the two rings."""

    files: dict[str, bytes]
    cells: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Flashed:
    """What was done, for print and for the record.

    erased_bytes: made blank; restarted: the port had lines to do that with.
    """

    board: str
    chip: str
    mac: str
    flash_bytes: int
    image_sha256: str
    written_bytes: int
    erased_bytes: int
    restarted: bool
    seconds: float
    image_word: str = ""
    image_version: str = ""


@dataclass(frozen=True)
class Look:
    """What a flash would do; nothing was changed.

    write_bytes: of image, table, file system and key cells; erase_bytes: of stretches behind the
    program that are not blank; there: the image's program is on the board already.
    """

    board: str
    chip: str
    mac: str
    flash_bytes: int
    image_sha256: str
    write_bytes: int
    erase_bytes: int
    there: bool
    restarted: bool


def flash(
    port: str,
    board: Board,
    image: Image,
    make: Callable[[], Contents],
    say: Narrator,
    baud: int = BAUD,
) -> Flashed:
    """Flashes a board at `port`; `make` is asked when chip and flash were found right.

    Raises OperatorError, LinkError, DeviceError or ImageError with the next step.
    """
    started = time.monotonic()
    with _opened(port, board, image, say, baud) as session:
        made = make()
        pieces = layout.pieces(board, image.data, made.files, made.cells)
        say.step(t("Erasing what an earlier use left"))
        erased = sum(
            size for offset, size in layout.blanks(board, pieces) if session.blank(offset, size)
        )
        say.step(t("Writing image, partition table and file system"))
        session.write(pieces)
        restarted = session.restart()
        return Flashed(
            board.name,
            session.chip,
            session.mac.hex(":"),
            session.flash_bytes,
            image.sha256,
            sum(len(piece.data) for piece in pieces),
            erased,
            restarted,
            time.monotonic() - started,
            image.word,
            image.version,
        )


def look(
    port: str, board: Board, image: Image, contents: Contents, say: Narrator, baud: int = BAUD
) -> Look:
    """What `flash` would do with these contents: the chip is asked, nothing is written or erased.

    The loader that does the asking runs in the chip's memory. Raises what `flash` raises.
    """
    with _opened(port, board, image, say, baud) as session:
        pieces = layout.pieces(board, image.data, contents.files, contents.cells)
        say.step(t("Comparing what is on the board"))
        erase = sum(
            size
            for offset, size in layout.blanks(board, pieces)
            if not session.holds(offset, b"\xff" * size)
        )
        program = layout.program(board, image.data)
        there = session.holds(program.offset, program.data)
        restarted = session.restart()
        return Look(
            board.name,
            session.chip,
            session.mac.hex(":"),
            session.flash_bytes,
            image.sha256,
            sum(len(piece.data) for piece in pieces),
            erase,
            there,
            restarted,
        )


@contextlib.contextmanager
def _opened(port: str, board: Board, image: Image, say: Narrator, baud: int) -> Iterator[Session]:
    """A session with a chip that is the board's; nothing of it is changed yet."""
    # esptool takes half a second to load and is of no use to anything else
    from controller_tool.flashing.session import Session  # noqa: PLC0415

    layout.check_image(board, image.data)
    say.step(t("Looking for the chip"))
    with Session(port, say.progress) as session:
        _check_chip(session, board)
        session.begin(baud)
        _check_flash(session, board)
        yield session


def _check_chip(session: Session, board: Board) -> None:
    wanted = layout.chip_of(board).name
    if session.chip != wanted:
        raise OperatorError(
            t("The chip is an {found}, a {board} has an {wanted}",
              found=session.chip, board=board.name, wanted=wanted),
            t("Give the board that it is; see `controller-tool board list`"),
        )  # fmt: skip


def _check_flash(session: Session, board: Board) -> None:
    if session.flash_bytes != board.flash_bytes:
        raise OperatorError(
            t("The chip has {found} MB of flash, a {board} has {wanted} MB",
              found=session.flash_bytes >> 20, board=board.name, wanted=board.flash_bytes >> 20),
            t("Give the board that it is; see `controller-tool board list`"),
        )  # fmt: skip
