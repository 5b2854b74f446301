"""A serial line made reliable: the host's end of the link layer (host).

`protocol.link` has the rules (frames, CRC, credit, resend); this drives it from the reads and
writes of the layer above. No thread: while the tool computes, frames wait in the kernel, and the
link layer's own resend covers what a full buffer drops.
"""

from __future__ import annotations

import contextlib
import os
import time

from controller_tool.channel.stream import ByteStream, Deadline, broken
from controller_tool.errors import LinkError
from controller_tool.messages import t
from protocol.link import Link

_HELLO_S = 4.0
_STALL_S = 8.0
_TICK_S = 0.02


class LinkedStream:
    """A byte stream over any raw port, through frames."""

    def __init__(self, port: ByteStream, hello_s: float = _HELLO_S) -> None:
        self._port = port
        self._link = Link(False)
        self._buffer = bytearray(4096)
        self._arrived = bytearray()
        self._link.open(os.urandom(4))
        try:
            self._greet(Deadline(hello_s))
        except LinkError:
            port.close()
            raise

    @property
    def sent_bytes(self) -> int:
        """Raw bytes put on the wire, frames and all."""
        return self._port.sent_bytes

    @property
    def received_bytes(self) -> int:
        """Raw bytes taken from the wire."""
        return self._port.received_bytes

    @property
    def resent(self) -> int:
        """Frames that had to be sent again."""
        return self._link.resent

    def read(self, timeout_s: float) -> bytes:
        """Whatever has arrived; b"" when the time is up; LinkError when the session is lost."""
        deadline = Deadline(timeout_s)
        while not self._arrived:
            self._pump(min(_TICK_S, deadline.left_s))
            if not self._arrived and not self._link.connected:
                raise broken(t("closed by the controller"))
            if deadline.passed:
                break
        taken = bytes(self._arrived)
        self._arrived.clear()
        return taken

    def write(self, data: bytes) -> None:
        """All of the data; LinkError when the controller acknowledges nothing for a while."""
        rest = memoryview(data)
        deadline = Deadline(_STALL_S)
        while rest:
            accepted = self._link.write(rest)
            rest = rest[accepted:]
            if not self._link.connected:
                raise broken(t("closed by the controller"))
            if accepted:
                deadline = Deadline(_STALL_S)
            elif deadline.passed:
                raise self._silent()
            self._pump(_TICK_S if rest else 0.0)

    def close(self) -> None:
        """Says goodbye, so that the controller frees the session at once."""
        with contextlib.suppress(LinkError):
            self._link.close()
            self._flush()
        self._port.close()

    def _greet(self, deadline: Deadline) -> None:
        while not self._link.connected:
            if deadline.passed:
                raise self._silent()
            self._pump(_TICK_S)

    def _pump(self, wait_s: float) -> None:
        """Sends what may be sent, then takes in what comes within ``wait_s``."""
        self._flush()
        self._link.receive(self._port.read(wait_s), _now_ms())
        while count := self._link.read_into(self._buffer):
            self._arrived += self._buffer[:count]
        self._flush()

    def _flush(self) -> None:
        while frame := self._link.transmit(_now_ms()):
            self._port.write(bytes(frame))

    @staticmethod
    def _silent() -> LinkError:
        return LinkError(
            t("The controller does not answer on this port"),
            t("Check the cable, the port and that the controller is provisioned"),
        )


def _now_ms() -> int:
    # 30 bits: the link layer's arithmetic wraps where MicroPython's ticks do
    return int(time.monotonic() * 1000) & 0x3FFFFFFF
