"""The cable: the link layer over the board's service port (device).

One task turns it every few milliseconds: what came goes into the link, frames of 96 bytes go out
as the FIFO has room for them, so that writing never blocks, then everybody else has a turn.
"""

import io
import time

from protocol.constants import LINK_FRAME_MAX_BYTES
from protocol.link import Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_POLL = 3  # stream request of MicroPython's C code
_ECONNRESET = 104
_INPUT_BYTES = 2 * LINK_FRAME_MAX_BYTES
_FIFO_BYTES = 128
_SPARE_BYTES = _FIFO_BYTES - LINK_FRAME_MAX_BYTES
_BYTE_BITS = 10
_ROUND_US = 2000
_HURRY_US = 20000


class Cable:
    """The link and the port below it.

    frames: that the link keeps; one is a millisecond of the fastest line, and the far end's
    answers take some ten. hurries: a line that is faster than the loop's rounds has moved a moment
    ago.
    """

    def __init__(self, port: "Any", frames: int) -> None:
        self._port = port
        self.link = Link(True, 512, frames)
        self.hurries = False
        self._input = memoryview(bytearray(_INPUT_BYTES))
        self._byte_us = _BYTE_BITS * 1000000 // port.baud if port.baud else 0
        self._fast = self._byte_us * LINK_FRAME_MAX_BYTES < _ROUND_US
        self._moved_us = time.ticks_us()
        self._sent_us = time.ticks_us()  # when all that was written will be on the line

    def turn(self, now_ms: int) -> bool:
        """Take what came, send what the FIFO has room for; whether anything moved."""
        count = self._port.readinto(self._input) or 0
        self.link.receive(self._input[:count], now_ms)
        moved = count > 0
        while self._has_room():
            frame = self.link.transmit(now_ms)
            if not frame:
                break
            self._port.write(frame)
            self._sent_us = time.ticks_add(self._sent_us, len(frame) * self._byte_us)
            moved = True
        if moved:
            self._moved_us = time.ticks_us()
        since_us = time.ticks_diff(time.ticks_us(), self._moved_us)
        self.hurries = self._fast and 0 <= since_us < _HURRY_US
        return moved

    def _has_room(self) -> bool:
        now_us = time.ticks_us()
        waiting_us = time.ticks_diff(self._sent_us, now_us)
        if waiting_us <= 0:
            self._sent_us = now_us
            return True
        return bool(waiting_us <= _SPARE_BYTES * self._byte_us)


class CableStream(io.IOBase):
    """The bytes of one link session, as TLS wants a stream: None means "not now"."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._session = link.session

    def _is_up(self) -> bool:
        return self._link.connected and self._link.session == self._session

    def readinto(self, buf: "bytearray | memoryview") -> "int | None":
        if self._link.session != self._session:
            return 0
        count = self._link.read_into(buf)
        if count:
            return count
        return None if self._is_up() else 0

    def write(self, buf: "bytes | memoryview") -> "int | None":
        if not self._is_up():
            raise OSError(_ECONNRESET)
        return self._link.write(buf) or None

    def ioctl(self, request: int, argument: int) -> int:
        return argument if request == _POLL else 0

    @property
    def unsent(self) -> bool:
        """Whether something written has not been acknowledged yet."""
        return self._is_up() and not self._link.idle

    def close(self) -> None:
        """Ends the session, if it is still this one."""
        if self._is_up():
            self._link.close()
