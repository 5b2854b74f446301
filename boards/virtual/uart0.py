"""UART0 of a virtual board, reached as on a stock ESP32: sys.stdin, sys.stdout and print.

- Reading blocks until everything asked for is there, as the chip's does.
- Writing goes into a FIFO of 128 bytes that empties at the wire's speed, and blocks while it is
  full: 2000 bytes at 115 200 baud hold the board for about 160 ms.
- The 259-byte ring towards the board is kept by the supervisor, which asks the pipe how much of
  it is unread and drops what does not fit.
"""

import io
import time

import hostlink
import page as layout

_SLICE_MS = 5
_PIECE_BYTES = 64


class Wire:
    """Both directions of UART0 over file descriptors 0 and 1; `baud` 0 is not paced."""

    def __init__(self, native_sys, native_poll, page, pump, leave, baud: int) -> None:
        self._memory = page.bytes
        self._in = native_sys.stdin.buffer
        self._out = native_sys.stdout.buffer
        self._waiter = native_poll()
        self._waiter.register(self._in, 1)
        self._pump = pump
        self._leave = leave
        self.baud = baud
        self._fifo_us = layout.UART0_FIFO_BYTES * 10000000 // baud if baud else 0
        self._empty_us = time.ticks_us()  # when the FIFO will have run empty
        self._returned = b""  # read by the REPL, but not its own

    def some(self, buf) -> int:
        """Wait for input and take what is there; for the REPL."""
        if not self._returned:
            while not self._waiter.poll(_SLICE_MS):
                self._pump.run()
        return self._take(memoryview(buf))

    def give_back(self, data: bytes) -> None:
        """What `some` took beyond its end; the next reader gets it."""
        self._returned = data + self._returned

    def _take(self, view) -> int:
        if self._returned:
            count = min(len(view), len(self._returned))
            view[:count] = self._returned[:count]
            self._returned = self._returned[count:]
            return count
        # a stream's readinto would wait until the whole buffer is full
        count = self._in.readinto(view[: hostlink.waiting_bytes(0) or 1])
        if not count:
            self._leave(layout.EXIT_HOST_GONE)
        return count

    def readinto(self, buf) -> int:
        view = memoryview(buf)
        got = 0
        while got < len(view):
            if not self.ready() and not self._waiter.poll(_SLICE_MS):
                self._pump.run()
                continue
            got += self._take(view[got:])
        return got

    def ready(self) -> bool:
        self._memory[layout.SERVES] = 1
        return bool(self._returned or self._waiter.poll(0))

    def write(self, buf) -> int:
        if isinstance(buf, str):
            buf = buf.encode()
        if not self.baud:
            self._out.write(buf)
            return len(buf)
        view = memoryview(buf)
        for start in range(0, len(view), _PIECE_BYTES):
            piece = view[start : start + _PIECE_BYTES]
            self._take_turn(len(piece) * 10000000 // self.baud)
            self._out.write(piece)
        return len(view)

    def _take_turn(self, cost_us: int) -> None:
        """Wait until the FIFO has room for what takes `cost_us` to send."""
        now_us = time.ticks_us()
        pending_us = time.ticks_diff(self._empty_us, now_us)
        if pending_us < 0:
            pending_us = 0
        elif pending_us + cost_us > self._fifo_us:
            time.sleep_us(pending_us + cost_us - self._fifo_us)
        self._empty_us = time.ticks_add(now_us, pending_us + cost_us)


class Uart0In(io.IOBase):
    """sys.stdin (text) or sys.stdin.buffer."""

    is_uart0 = True  # its descriptor is 0, which elsewhere means none

    def __init__(self, wire: Wire, text: bool) -> None:
        self._wire = wire
        self._text = text
        if text:
            self.buffer = Uart0In(wire, False)

    def readinto(self, buf) -> int:
        return self._wire.readinto(buf)

    def read(self, count: int = 1):
        buf = bytearray(count)
        self._wire.readinto(buf)
        return buf.decode() if self._text else bytes(buf)

    def readline(self):
        line = bytearray()
        one = bytearray(1)
        while not line or line[-1] != 10:
            self._wire.readinto(one)
            line += one
        return line.decode() if self._text else bytes(line)

    def ioctl(self, request: int, argument: int) -> int:
        if request == layout.STREAM_GET_FILENO:
            return 0
        if request == layout.STREAM_POLL:
            return argument & 1 if self._wire.ready() else 0
        return 0


class Uart0Out(io.IOBase):
    """sys.stdout and sys.stderr (text: a newline goes out as CR LF) or their buffer."""

    def __init__(self, wire: Wire, text: bool) -> None:
        self._wire = wire
        self._text = text
        self.baud = wire.baud
        if text:
            self.buffer = Uart0Out(wire, False)

    def write(self, buf) -> int:
        count = len(buf)
        if self._text:
            raw = buf.encode() if isinstance(buf, str) else bytes(buf)
            buf = raw.replace(b"\n", b"\r\n")
        self._wire.write(buf)
        return count

    def ioctl(self, request: int, argument: int) -> int:
        if request == layout.STREAM_GET_FILENO:
            return 1
        return argument & 4 if request == layout.STREAM_POLL else 0
