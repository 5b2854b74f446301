"""The virtual board's cable: a pseudo-terminal with the manners of a real UART0 (host).

Towards the board there is a ring of 259 bytes; what does not fit is dropped silently. A Ctrl-C
byte interrupts instead of entering it while the board says so. With pacing, bytes take the time
that they take at its baud rate and the 2 ms of a USB adapter. Noise corrupts or drops bytes.
What the board says while nobody has the port open is lost, as it is on a real cable.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import struct
import termios
import time
import tty
from collections import deque
from typing import TYPE_CHECKING

from controller_tool.sim.page import PageView, layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.sim.bridge import Bridge
    from controller_tool.sim.folder import Options

_BITS_A_BYTE = 10
_USB_LATENCY_S = 0.002
_READ_BYTES = 65536
_CTRL_C = 3
_SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (9600, 57600, 115200, 230400, 460800, 921600, 1500000, 2000000)
    if hasattr(termios, f"B{baud}")
}


class Noise:
    """Corrupts one byte in `corrupt_one_in` and drops one in `drop_one_in`; 0 = none."""

    def __init__(self, corrupt_one_in: int, drop_one_in: int, seed: int) -> None:
        self.corrupt_one_in = corrupt_one_in
        self.drop_one_in = drop_one_in
        self.corrupted = 0
        self.dropped = 0
        self._random = random.Random(seed)  # noqa: S311 - a repeatable wire, no secret

    def __call__(self, data: bytes) -> bytes:
        if not (self.corrupt_one_in or self.drop_one_in):
            return data
        through = bytearray()
        for byte in data:
            if self._hits(self.drop_one_in):
                self.dropped += 1
            elif self._hits(self.corrupt_one_in):
                self.corrupted += 1
                through.append(byte ^ 1 << self._random.randrange(8))
            else:
                through.append(byte)
        return bytes(through)

    def _hits(self, one_in: int) -> bool:
        return one_in > 0 and self._random.randrange(one_in) == 0


class Pacer:
    """Holds bytes back until a line of that speed would have brought them; baud 0: it does not."""

    def __init__(self, baud: int) -> None:
        self.baud(baud)
        self._held: deque[tuple[float, bytes]] = deque()
        self._free_s = 0.0  # when the line will have sent all that it was given

    def baud(self, baud: int) -> None:
        """Go on at another speed."""
        self._bytes_a_s = baud // _BITS_A_BYTE

    def put(self, data: bytes) -> None:
        """Bytes enter the line."""
        if not self._bytes_a_s:
            self._held.append((0.0, data))
            return
        now_s = time.monotonic()
        at_s = max(self._free_s, now_s + _USB_LATENCY_S)
        step = self._bytes_a_s // 500
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            at_s += len(piece) / self._bytes_a_s
            self._held.append((at_s, piece))
        self._free_s = at_s

    def take(self) -> bytes:
        """What has come out by now."""
        now_s = time.monotonic()
        out = b""
        while self._held and self._held[0][0] <= now_s:
            out += self._held.popleft()[1]
        return out

    def clear(self) -> None:
        """Nobody is there to get it."""
        self._held.clear()
        self._free_s = 0.0

    def wait_s(self) -> float | None:
        """Until the next byte comes out; None while the line is empty."""
        if not self._held:
            return None
        return max(0.0, self._held[0][0] - time.monotonic())


class Cable:
    """Both directions between the host's end, `path`, and the board's pipes."""

    def __init__(self, options: Options, page: PageView, interrupt: Callable[[], None]) -> None:
        self.master = -1
        self.path = ""
        self.pull_after: int | None = None  # bytes from the host until somebody pulls the cable
        self.bridge: Bridge | None = None  # who came by RFC 2217 has the cable
        self.noise = Noise(options.corrupt_one_in, options.drop_one_in, options.seed)
        self.ring_dropped = 0
        self.ring_highest = 0
        self.received = 0
        self.sent = 0
        self._page = page
        self._interrupt = interrupt
        self._inward = Pacer(options.line_baud)
        self._outward = Pacer(options.line_baud)
        self._outward_rest = b""
        self._baud = options.line_baud
        self._poll = select.poll()
        self.plug()

    def plug(self) -> None:
        """Put the cable in: the host sees a new port."""
        if self.master >= 0:
            return
        self.master, slave = pty.openpty()
        self.path = os.ttyname(slave)
        tty.setraw(slave)
        os.close(slave)  # from now on a hang-up tells that nobody has the port open
        os.set_blocking(self.master, False)
        self._poll.register(self.master, select.POLLIN)

    def pull(self) -> None:
        """Pull the cable out of the host: the port is gone, for whoever has it open."""
        self.pull_after = None
        if self.master >= 0:
            self._poll.unregister(self.master)
            os.close(self.master)
            self.master = -1
        if self.bridge is not None:
            self.bridge.leave()
        self._inward.clear()
        self._outward.clear()
        self._outward_rest = b""

    def host_baud(self) -> int:
        """The speed that the host has set; 0 where it is none of the usual ones."""
        if self.bridge is not None:
            return self.bridge.baudrate
        if self.master < 0:
            return 0
        return _SPEEDS.get(termios.tcgetattr(self.master)[5], 0)

    def board_baud(self, baud: int) -> None:
        """The board speaks faster or slower from now on; 0: as it was made to."""
        if self._baud:
            self._inward.baud(baud or self._baud)
            self._outward.baud(baud or self._baud)

    def is_open(self) -> bool:
        """Whether somebody has the host's end open."""
        return self.master >= 0 and not any(
            event & select.POLLHUP for _, event in self._poll.poll(0)
        )

    def from_host(self) -> None:
        """Take what the host has written."""
        try:
            data = os.read(self.master, _READ_BYTES)
        except (BlockingIOError, OSError):
            return
        self.received_from(data)

    def received_from(self, data: bytes) -> None:
        """What the host has sent is on its way."""
        if self.pull_after is not None:
            data = data[: self.pull_after]
            self.pull_after -= len(data)
        self.received += len(data)
        self._inward.put(self.noise(data))
        if self.pull_after == 0:
            self.pull()

    def to_loader(self) -> bytes:
        """What has arrived, for a loader that always looks."""
        return self._inward.take()

    def to_board(self, ring_in: int, ring_out: int) -> None:
        """What has arrived enters the board's ring, a pipe, or is lost."""
        data = self._inward.take()
        if data and self._page.bytes[layout.KBD_INTR] and _CTRL_C in data:
            data = data.replace(b"\x03", b"")
            self._interrupt()
        if not data:
            return
        waiting = waiting_bytes(ring_out)
        fits = data[: max(0, layout.UART0_RING_BYTES - waiting)]
        self.ring_dropped += len(data) - len(fits)
        self.ring_highest = max(self.ring_highest, waiting + len(fits))
        os.write(ring_in, fits)

    def from_board(self, data: bytes) -> None:
        """The board has said something."""
        self.sent += len(data)
        self._outward.put(self.noise(data))

    def to_host(self) -> None:
        """What has come through goes to the host's end, or nowhere when that is closed."""
        if self.bridge is not None:
            data = self._outward.take()
            if data or self.bridge.waits:
                self.bridge.send(data)
            return
        if not self.is_open():
            self._outward.clear()
            self._outward_rest = b""
            return
        data = self._outward_rest + self._outward.take()
        while data:
            try:
                data = data[os.write(self.master, data) :]
            except (BlockingIOError, OSError):
                break
        self._outward_rest = data

    def lose(self) -> None:
        """The board went: what was still on its way to it is lost."""
        self._inward.clear()

    def wait_s(self) -> float | None:
        """Until something is to be done; None while both directions are empty."""
        waits = [self._inward.wait_s(), self._outward.wait_s()]
        if self._outward_rest or (self.bridge is not None and self.bridge.waits):
            waits.append(_USB_LATENCY_S)
        known = [wait for wait in waits if wait is not None]
        return min(known) if known else None

    def close(self) -> None:
        """Take the port away."""
        self.pull()


def waiting_bytes(pipe: int) -> int:
    """How much of a pipe nobody has read yet."""
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0"))[0])
