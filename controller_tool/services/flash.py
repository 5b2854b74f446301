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

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.flashing import layout
from controller_tool.messages import t

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from controller_tool.flashing.session import Session
    from controller_tool.services.boards import Board
    from controller_tool.services.provision import Narrator

BAUD = 460800


@dataclass(frozen=True)
class Image:
    """A vendor's image as it lies in its file."""

    data: bytes
    sha256: str


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


def read_image(path: Path, board: Board, trust: bool = False) -> Image:
    """The image in a file; one whose digest board.toml does not name is refused unless `trust`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OperatorError(
            t("Cannot read {path} ({detail})", path=str(path), detail=error.strerror or "?"),
            t("Give the path of a MicroPython image"),
        ) from error
    layout.check_image(board, data)
    digest = hashlib.sha256(data).hexdigest()
    if digest not in board.image_sha256 and not trust:
        raise OperatorError(
            t("Nobody vouches for this image (SHA-256 {digest})", digest=digest),
            t("Compare it with the vendor's page, then give --trust-image"),
        )
    return Image(data, digest)


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
    # esptool takes half a second to load and is of no use to anything else
    from controller_tool.flashing.session import Session  # noqa: PLC0415

    started = time.monotonic()
    layout.check_image(board, image.data)
    say.step(t("Looking for the chip"))
    with Session(port, say.progress) as session:
        _check_chip(session, board)
        session.begin(baud)
        _check_flash(session, board)
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
        )


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
