"""SLIP as the ROM loader frames it: 0xC0 before and after, 0xDB escapes (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_END, _ESCAPE, _ESCAPED_END, _ESCAPED_ESCAPE = 0xC0, 0xDB, 0xDC, 0xDD
_LONGEST_BYTES = 0x4000 + 64  # a stub's block and its header


def encode(frame: bytes) -> bytes:
    """One frame as it goes over the wire."""
    escaped = frame.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    return b"\xc0" + escaped + b"\xc0"


class Decoder:
    """Frames out of a stream; what lies between frames, and a frame that is broken, is lost."""

    def __init__(self) -> None:
        self._held: bytearray | None = None  # None: before a frame

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Every frame that `data` completes."""
        pieces = data.split(b"\xc0")
        for number, piece in enumerate(pieces):
            if self._held is not None:
                self._held += piece
                if len(self._held) > 2 * _LONGEST_BYTES:
                    self._held = None
            if number == len(pieces) - 1:
                return
            frame = None if self._held is None else _unescaped(bytes(self._held))
            # an end may be the next frame's begin: two frames in a row, or one whose begin was lost
            self._held = None if frame else bytearray()
            if frame:
                yield frame


def _unescaped(held: bytes) -> bytes | None:
    """None when an escape means nothing."""
    first, *rest = held.split(bytes((_ESCAPE,)))
    out = bytearray(first)
    for piece in rest:
        if not piece or piece[0] not in (_ESCAPED_END, _ESCAPED_ESCAPE):
            return None
        out.append(_END if piece[0] == _ESCAPED_END else _ESCAPE)
        out += piece[1:]
    return bytes(out)
