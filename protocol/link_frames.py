"""Frames of the serial line: found in what comes, sealed for what goes (both interpreters).

sync C5 ‖ length of payload ‖ kind and number ‖ ack ‖ payload ≤ 89 ‖ CRC, 3 bytes
"""

from binascii import crc32

from protocol.constants import (
    LINK_CRC_BYTES,
    LINK_FRAME_MAX_BYTES,
    LINK_HEADER_BYTES,
    LINK_SYNC,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Buffer = bytes | bytearray | memoryview

KIND_DATA = 0x00
KIND_ACK = 0x40
KIND_HELLO = 0x80
KIND_BYE = 0xC0
KIND = 0xC0
NUMBER = 0x3F
ACK_NAK = 0x40  # send again from this number
ACK_POLL = 0x80  # answer with an acknowledgement at once

OVERHEAD_BYTES = LINK_HEADER_BYTES + LINK_CRC_BYTES
CLOCK_MASK = 0x3FFFFFFF
_STALE_MS = 60  # a frame that stands still for so long was never one
_SYNC = bytes((LINK_SYNC,))


class FrameReader:
    """Gives every good frame of a raw stream to `take(kind and number, ack, payload)`.

    The payload is a view that is good until take() returns.
    """

    def __init__(self, take: "Callable[[int, int, memoryview], None]") -> None:
        self.heard_ms = 0  # when bytes last came
        self._take = take
        self._array = bytearray(4 * LINK_FRAME_MAX_BYTES)
        self._raw = memoryview(self._array)
        self._end = 0

    def feed(self, data: "Buffer", now_ms: int) -> None:
        """Take raw bytes, any number; b"" tells that none came until now."""
        if not data:
            if self._end and (now_ms - self.heard_ms) & CLOCK_MASK > _STALE_MS:
                self._parse(1)
            return
        self.heard_ms = now_ms
        at = 0
        while at < len(data):
            end = self._end
            count = min(len(data) - at, len(self._raw) - end)
            self._raw[end : end + count] = data[at : at + count]
            self._end = end + count
            at += count
            self._parse(0)

    def _parse(self, start: int) -> None:
        """Take all whole frames from `start` on, keep what may be the start of another."""
        raw = self._raw
        end = self._end
        while start < end:
            start = self._array.find(_SYNC, start, end)
            if start < 0:
                start = end
                break
            if end - start <= 1:
                break
            stop = start + raw[start + 1] + OVERHEAD_BYTES
            if stop - start <= LINK_FRAME_MAX_BYTES:
                if stop > end:
                    break
                crc_at = stop - LINK_CRC_BYTES
                if raw[crc_at:stop] == _crc(raw[start + 1 : crc_at]):
                    payload = raw[start + LINK_HEADER_BYTES : crc_at]
                    self._take(raw[start + 2], raw[start + 3], payload)
                    start = stop
                    continue
            start += 1  # the true frame may begin inside what only looked like one
        rest = end - start
        if start and rest:
            raw[:rest] = raw[start:end]
        self._end = rest


def _crc(covered: memoryview) -> bytes:
    return (crc32(covered) & 0xFFFFFF).to_bytes(LINK_CRC_BYTES, "big")


def seal(frame: memoryview, kind: int, ack: int) -> memoryview:
    """Fill in the header around the length, and the CRC; returns the frame alone."""
    crc_at = frame[1] + LINK_HEADER_BYTES
    frame[0] = LINK_SYNC
    frame[2] = kind
    frame[3] = ack
    frame[crc_at : crc_at + LINK_CRC_BYTES] = _crc(frame[1:crc_at])
    return frame[: crc_at + LINK_CRC_BYTES]
