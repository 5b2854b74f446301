"""MicroPython images: which one a board takes, and the cache that `board fetch` fills (host).

`[image]` of board.toml, or of the chip's chip.toml for all its boards, says address, version and
SHA-256; `unconfirmed = true` says that nobody compared that digest with the vendor's own page.
An image in the cache is named by its digest, and proven again each time that it is read.

What vouches for an image, in words that the commissioning record keeps:

- vendor: its digest stands in board.toml and was compared with the vendor's page
- unconfirmed: it came from the vendor's address and has board.toml's digest, which was found
  elsewhere and never compared with the vendor's page
- person: somebody gave --trust-image
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from controller_tool.errors import OperatorError
from controller_tool.flashing import download, layout
from controller_tool.messages import t

if TYPE_CHECKING:
    import ssl

    from controller_tool.services.boards import Board

VENDOR, UNCONFIRMED, PERSON = "vendor", "unconfirmed", "person"


@dataclass(frozen=True)
class Image:
    """A vendor's image as it lies in its file; word: who vouches for it, see above."""

    data: bytes
    sha256: str
    word: str = PERSON
    version: str = ""


@dataclass(frozen=True)
class Fetched:
    """An image in the cache; fetched: by this run; resumed_at: the byte from which it went on."""

    board: str
    version: str
    sha256: str
    path: Path
    size_bytes: int
    fetched: bool
    confirmed: bool
    address: str
    resumed_at: int = 0


def cache_dir() -> Path:
    """Where images lie, one file each, for all sites of this person."""
    return Path(platformdirs.user_cache_dir("controller-tool")) / "images"


def fetch(
    board: Board,
    address: str | None = None,
    progress: download.Progress | None = None,
    context: ssl.SSLContext | None = None,
) -> Fetched:
    """The board's image in the cache, fetched where it is not there yet.

    address: another place that has the same file. Raises OperatorError, LinkError or ImageError.
    """
    source = board.image
    if source is None:
        raise OperatorError(
            t("board.toml of {board} names no image", board=board.name),
            t("Give its [image] address, version and sha256; or flash with --image"),
        )
    path = cache_dir() / f"{source.sha256}.bin"
    place = address or source.address
    data, got = _proven(path, source.sha256), None
    if data is None:
        wanted = download.Wanted(place, source.sha256, layout.image_bytes_max(board))
        got = download.fetch(wanted, path, progress, context)
        data = path.read_bytes()
    layout.check_image(board, data)
    return Fetched(
        board.name, source.version, source.sha256, path, len(data), got is not None,
        source.confirmed, place, got.resumed_at if got else 0,
    )  # fmt: skip


def of_board(board: Board) -> Image:
    """The board's image from the cache; OperatorError with the next step where there is none."""
    source = board.image
    if source is None:
        raise OperatorError(
            t("board.toml of {board} names no image", board=board.name), t("Give one with --image")
        )
    data = _proven(cache_dir() / f"{source.sha256}.bin", source.sha256)
    if data is None:
        raise OperatorError(
            t("MicroPython {version} for {board} is not on this computer yet",
              version=source.version, board=board.name),
            t("Run `controller-tool board fetch {board}`, or give a file with --image",
              board=board.name),
        )  # fmt: skip
    layout.check_image(board, data)
    word = VENDOR if source.confirmed else UNCONFIRMED
    return Image(data, source.sha256, word, source.version)


def read(path: Path, board: Board, trust: bool = False) -> Image:
    """The image in a file; one that nobody vouches for is refused unless `trust`.

    A digest that was never compared with the vendor's page vouches for no file of unknown origin.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OperatorError(
            t("Cannot read {path} ({detail})", path=str(path), detail=error.strerror or "?"),
            t("Give the path of a MicroPython image"),
        ) from error
    layout.check_image(board, data)
    digest = hashlib.sha256(data).hexdigest()
    source = board.image
    named = source is not None and source.sha256 == digest
    version = source.version if source is not None and named else ""
    if source is not None and named and source.confirmed:
        return Image(data, digest, VENDOR, version)
    if trust:
        return Image(data, digest, PERSON, version)
    if named:
        raise OperatorError(
            t("Nobody compared this image's digest in board.toml with the vendor's page"
              " (SHA-256 {digest})", digest=digest),
            t("Compare it with that page, then give --trust-image; or take `board fetch {board}`",
              board=board.name),
        )  # fmt: skip
    raise OperatorError(
        t("Nobody vouches for this image (SHA-256 {digest})", digest=digest),
        t("Compare it with the vendor's page, then give --trust-image"),
    )


def choose(path: Path | None, board: Board, trust: bool = False) -> Image:
    """The image of that file, or the board's own from the cache."""
    return of_board(board) if path is None else read(path, board, trust)


def _proven(path: Path, sha256: str) -> bytes | None:
    """What lies in the cache; None, and nothing there any more, where it is not what it was."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() == sha256:
        return data
    with contextlib.suppress(OSError):
        path.unlink()
    return None
