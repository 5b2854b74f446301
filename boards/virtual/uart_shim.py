"""UART1 and UART2 of a virtual board: pipes that the supervisor fills at the wire's speed.

The supervisor keeps to the receive buffer that the firmware asked for and drops the rest, as the
chip does. UART0 belongs to the REPL and cannot be opened.
"""

import io
import time

import hostlink
import page as layout
from machine_shim import Reader

_UART0_TAKEN = -259


def build(page, pump, pipes: dict, native_open, native_poll) -> type:
    """The UART class; `pipes` is {"1": [receive fd, send fd], ...}."""
    # opened before the firmware runs: on a chip the driver's buffers are no part of its heap
    files = {}
    sent_us = {}  # when the last bit of what was written will have gone
    for number, (receive, send) in pipes.items():
        waiter = native_poll()
        stream = native_open(receive, "rb")
        waiter.register(stream, 1)
        files[number] = (receive, stream, native_open(send, "wb"), waiter)
        sent_us[int(number)] = time.ticks_us()

    class UART(io.IOBase):
        """A receiver with a ring of `rxbuf` bytes; reading never waits unless `timeout` says so."""

        INV_TX = 32
        INV_RX = 4
        INV_RTS = 64
        INV_CTS = 8
        RTS = 1
        CTS = 2
        IRQ_RX = 1
        IRQ_RXIDLE = 4096
        IRQ_BREAK = 128

        def __init__(self, id: int, baudrate: int = 115200, *args, **more) -> None:
            if id == 0:
                raise OSError(_UART0_TAKEN)
            if str(id) not in files:
                raise ValueError("UART(%d) doesn't exist" % id)
            self._id = id
            self._fd, self._in, self._out, self._waiter = files[str(id)]
            self._timeout_ms = 0
            self._rxbuf_bytes = 256
            self._baud = baudrate
            self.init(baudrate, *args, **more)

        def init(self, baudrate: int = 0, bits=8, parity=None, stop=1, **more) -> None:
            self._baud = baudrate or self._baud
            self._rxbuf_bytes = more.get("rxbuf", self._rxbuf_bytes)
            self._timeout_ms = more.get("timeout", self._timeout_ms)
            at = layout.UARTS + self._id * layout.UART_BYTES
            page.set_word(at + 4, self._rxbuf_bytes)
            page.set_word(at + 8, self._baud)
            page.bytes[at] = 1

        def deinit(self) -> None:
            page.bytes[layout.UARTS + self._id * layout.UART_BYTES] = 0

        def any(self) -> int:
            pump.run()
            return hostlink.waiting_bytes(self._fd)

        def read(self, count: int = -1):
            waiting = self._wait()
            if not waiting:
                return None
            return self._took(self._in.read(waiting if count < 0 else min(count, waiting)))

        def readinto(self, buf, count: int = -1):
            waiting = self._wait()
            if not waiting:
                return None
            if 0 <= count < waiting:
                waiting = count
            # no more than there is: the file underneath would wait for the rest
            return self._took(self._in.readinto(memoryview(buf)[:waiting]))

        def readline(self):
            line = b""
            while self._wait():
                line += self._in.read(1)
                if line[-1] == 10:
                    break
            return self._took(line) if line else None

        def write(self, buf) -> int:
            now_us = time.ticks_us()
            left_us = max(0, time.ticks_diff(sent_us[self._id], now_us))
            cost_us = len(buf) * 10000000 // self._baud
            sent_us[self._id] = time.ticks_add(now_us, left_us + cost_us)
            return self._out.write(buf)

        def ioctl(self, request: int, argument: int) -> int:
            if request == layout.STREAM_GET_FILENO:
                return self._fd
            return 0

        def flush(self) -> None:
            while not self.txdone():
                time.sleep_us(50)
            pump.run()

        def txdone(self) -> bool:
            return time.ticks_diff(sent_us[self._id], time.ticks_us()) <= 0

        def sendbreak(self) -> None:
            pump.run()

        def irq(self, trigger=0, handler=None, hard=False) -> None:
            raise NotImplementedError("UART.irq")

        def _wait(self) -> int:
            waiting = self.any()
            if not waiting and self._timeout_ms:
                for _ in self._waiter.ipoll(self._timeout_ms):
                    waiting = hostlink.waiting_bytes(self._fd)
            return waiting

        def _took(self, what):
            if not hostlink.waiting_bytes(self._fd):
                Reader.last_us = time.ticks_us()
            return what

    return UART
