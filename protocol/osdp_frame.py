"""OSDP frames on the wire: CRC-16, and bytes that become a frame (both).

Nothing is allocated here. Bytes in front of a frame are passed over, and so are whole frames of
panels, which is how a line hears its own commands. What begins like a frame and is none spoils the
rest until `clear`: a reader says one thing at a time, and the panel asks anew.
"""

from protocol.osdp import (
    AT_CONTROL,
    CONTROL_CRC,
    CRC_BYTES,
    FRAME_MAX_BYTES,
    FRAME_MIN_BYTES,
    HEADER_BYTES,
    REPLY,
    START,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

_CRC_START = 0x1D0F
_SPOILT = -1


def crc16(data: "Buffer", count: int) -> int:
    """CRC-16 of the first `count` bytes: polynomial 0x1021, from the most significant bit."""
    crc = _CRC_START
    for at in range(count):
        step = crc >> 8 ^ data[at]
        step ^= step >> 4
        crc = (crc << 8 ^ step << 12 ^ step << 5 ^ step) & 0xFFFF
    return crc


def finish(frame: bytearray, end: int) -> int:
    """Write the length and the CRC of a frame whose content ends at `end`. Returns its length."""
    frame[2] = end + CRC_BYTES
    frame[3] = 0  # FRAME_MAX_BYTES is less
    crc = crc16(frame, end)
    frame[end] = crc & 0xFF
    frame[end + 1] = crc >> 8
    return end + CRC_BYTES


def copy(frame: bytearray, at: int, source: "Buffer", start: int, count: int) -> int:
    """Write source[start : start + count] at `at`. Returns where it ends."""
    for i in range(count):
        frame[at + i] = source[start + i]
    return at + count


class Receiver:
    """Collects the reply to one command in `frame`."""

    def __init__(self) -> None:
        self.frame = bytearray(FRAME_MAX_BYTES)
        self._at = 0  # bytes that are there; _SPOILT until cleared
        self._length = 0  # of the frame, once its header is there

    def clear(self) -> None:
        """A command was sent: what came before is no reply to it."""
        self._at = 0

    def take(self, data: "Buffer", count: int) -> int:
        """Take `count` bytes. Returns the length of a whole reply, -1 for a spoilt one, or 0."""
        frame = self.frame
        for i in range(count):
            at = self._at
            if at < 0:
                break
            byte = data[i]
            if at == 0 and byte != START:
                continue
            frame[at] = byte
            self._at = at = at + 1
            if at == HEADER_BYTES:
                self._length = frame[2] | frame[3] << 8
                if not FRAME_MIN_BYTES <= self._length <= FRAME_MAX_BYTES:
                    self._at = _SPOILT
            elif at > HEADER_BYTES and at == self._length:
                self._at = 0
                if frame[1] & REPLY:
                    self._at = _SPOILT  # whatever follows a reply is none
                    return self._sound(at)
        return self._at if self._at < 0 else 0

    def _sound(self, length: int) -> int:
        frame = self.frame
        end = length - CRC_BYTES
        crc = crc16(frame, end)
        if not frame[AT_CONTROL] & CONTROL_CRC or frame[end] | frame[end + 1] << 8 != crc:
            return _SPOILT
        return length
