"""The cable: the link layer over the board's service port (device).

One task turns it every few milliseconds: what came goes into the link, at most one frame of 96
bytes goes out (it fits the FIFO, so that writing never blocks), then everybody else has a turn.
"""

import io

from protocol.constants import LINK_FRAME_MAX_BYTES
from protocol.link import Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_POLL = 3  # stream request of MicroPython's C code
_ECONNRESET = 104
_INPUT_BYTES = 2 * LINK_FRAME_MAX_BYTES


class Cable:
    """The link and the port below it."""

    def __init__(self, port: "Any") -> None:
        self._port = port
        self.link = Link(True)
        self._input = memoryview(bytearray(_INPUT_BYTES))

    def turn(self, now_ms: int) -> bool:
        """Take what came, send one frame; whether anything moved."""
        count = self._port.readinto(self._input) or 0
        self.link.receive(self._input[:count], now_ms)
        frame = self.link.transmit(now_ms)
        if frame:
            self._port.write(frame)
        return bool(count or frame)


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
