"""OSDP readers on an RS-485 line: one Driver for each address, all on one UART (device).

Only the panel speaks unasked, so the line is one exchange after the other: a command, then its
answer or 200 ms of silence. Nobody waits for either: each poll takes what has come, and the next
command goes out in the turn in which an answer was complete.

- In turn: whoever answered last waits until all others that are due have been asked. A reader is
  asked every 35 ms at most, at once where something is to be said to it
- a silent reader is asked every 700 ms, and never twice without one that does answer in between:
  it is back within a second, however long it was away
- one that is refused (wrong key) is asked again after five seconds
- a reader whose card or key has not been fetched is not asked for another

The direction of the transceiver: automatic, or a pin that is high while the panel speaks. Then the
end of a command is waited for, 10 ms a turn at most: the reader may answer right behind it.

Options: "addresses", "keys" (16 bytes each; None: no secure channel), "baud", "direction" (Pin),
"chinese"; the controller's own "settings" go before them, for the readers from number "first" on.
A key is given to a reader by `driver.pair(key, before, now_ms)` and never by itself.
"""

import os
import time

from cryptolib import aes

from firmware.loan import forget
from firmware.readers.results import (
    CARD,
    DOUBTFUL,
    KEY,
    KEY_CLEAR,
    KEY_ENTER,
    NOTHING,
)
from protocol.constants import CREDENTIAL_MAX_BYTES
from protocol.osdp import FRAME_MAX_BYTES, REPLY, REPLY_KEYPAD, REPLY_RAW
from protocol.osdp_card import credential
from protocol.osdp_frame import Receiver
from protocol.osdp_panel import GREETING, ONLINE, Panel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LEAD = 0xFF  # in front of each command: there are readers that hear nothing without it
_POLL_MS = 35
_PROBE_MS = 500  # and the 200 of its silence
_REST_MS = 5000
_REPLY_MS = 200  # until an answer begins
_FRAME_MS = 150  # until one that has begun is whole
_CALM_MS = 10  # after the last byte of noise
_TURN_MS = 10
_SLACK_MS = 3  # of a UART's own clock
_CHUNK_BYTES = 64
_CHUNKS_MAX = 4
_KEYS_MAX = 12


class Line:
    """The UART, and whose answer it waits for."""

    def __init__(self, uart: "Any", direction: "Any", baud: int) -> None:
        self.drivers: "list[Driver]" = []
        self._uart = uart
        self._direction = direction
        self._baud = baud
        self._chunk = bytearray(_CHUNK_BYTES)
        self._receiver = Receiver()
        self._out = memoryview(bytearray(1 + FRAME_MAX_BYTES))
        self._out[0] = _LEAD
        self._frame: "Any" = self._out[1:]
        self._views: "dict[int, memoryview]" = {}  # of what is sent, by length
        self._asked: "Driver | None" = None
        self._turn = 0
        self._probed = False  # the last one asked was silent
        self._until = 0
        self._heard = False
        self._end = 0  # the latest that what is heard is waited for
        self._driving = False
        self._sent_until = 0
        if direction is not None:
            direction.value(0)

    def step(self, now_ms: int) -> None:
        """Take what has come; when that ends an exchange, begin the next one."""
        asked = self._asked
        if asked is not None:
            if self._driving and not self._release(now_ms):
                return
            length = self._listen(now_ms)
            if length > 0 and self._receiver.frame[1] != asked.address | REPLY:
                self._receiver.clear()  # late, of somebody else
                length = 0
            if length > 0:
                self._asked = None
                asked.answered(self._receiver.frame, length, now_ms)
            elif time.ticks_diff(now_ms, self._until) < 0:
                return
            else:
                self._asked = None
                asked.missed(now_ms)
        self._ask(now_ms)

    def _listen(self, now_ms: int) -> int:
        """Length of the whole answer of who was asked, else 0."""
        uart, receiver = self._uart, self._receiver
        if not uart.any():
            return 0
        count = uart.readinto(self._chunk)
        if not count:
            return 0
        if not self._heard:
            self._heard = True
            self._until = self._end = time.ticks_add(now_ms, _FRAME_MS)
        length = receiver.take(self._chunk, count)
        if length < 0:  # it may go on: calm counts from its last byte
            left_ms = time.ticks_diff(self._end, now_ms)
            self._until = time.ticks_add(now_ms, min(_CALM_MS, left_ms))
        return length

    def _ask(self, now_ms: int) -> None:
        count = len(self.drivers)
        chosen = -1
        at = self._turn
        for _ in range(count):
            at += 1
            if at >= count:
                at = 0
            driver = self.drivers[at]
            if driver.is_due(now_ms):
                if not (self._probed and driver.silences):
                    chosen = at
                    break
                if chosen < 0:
                    chosen = at
        if chosen < 0:
            return
        self._turn = chosen
        driver = self.drivers[chosen]
        self._probed = driver.silences != 0
        self._send(driver, now_ms)

    def _send(self, driver: "Driver", now_ms: int) -> None:
        uart = self._uart
        if driver.baud != self._baud:
            self._baud = driver.baud
            uart.init(driver.baud)
        for _ in range(_CHUNKS_MAX):  # what nobody asked for
            if not uart.any():
                break
            uart.readinto(self._chunk)
        self._receiver.clear()
        length = driver.compose(self._frame) + 1
        view = self._views.get(length)
        if view is None:
            view = self._views[length] = self._out[:length]
        if self._direction is not None:
            self._direction.value(1)
            self._driving = True
        uart.write(view)
        self._asked = driver
        self._heard = False
        self._sent_until = time.ticks_add(now_ms, length * 10000 // driver.baud + 1)
        self._until = time.ticks_add(self._sent_until, _REPLY_MS)
        driver.asked_ms = now_ms
        if self._driving:
            self._release(now_ms)

    def _release(self, now_ms: int) -> bool:
        """Leave the line to the reader once all is out; False: not in this turn."""
        left_ms = time.ticks_diff(self._sent_until, now_ms)
        if left_ms > _TURN_MS:
            return False
        end = time.ticks_add(time.ticks_ms(), max(left_ms, 0) + _SLACK_MS)
        while not self._uart.txdone() and time.ticks_diff(end, time.ticks_ms()) > 0:
            pass
        self._direction.value(0)
        self._driving = False
        return True


class Driver(Panel):
    """One reader, as results.py describes it."""

    def __init__(
        self, line: Line, address: int, key: "bytes | None", baud: int, chinese: bool
    ) -> None:
        super().__init__(address, key, baud, chinese, aes, os.urandom)
        self.line = line
        self._data = memoryview(bytearray(CREDENTIAL_MAX_BYTES))
        self._keys = bytearray(_KEYS_MAX)
        self._keys_at = _KEYS_MAX
        self._result = NOTHING
        self.type = 0
        self.credential = self._data[:0]
        self.bits = 0
        self.key = 0
        self.edge_ticks = self.asked_ms = self.due_ms = time.ticks_ms()

    def poll(self, now_ms: int) -> int:
        """One step of the line, then what this reader has."""
        self.line.step(now_ms)
        result = self._result
        if result != NOTHING:
            self._result = NOTHING
            return result
        while self._keys_at < _KEYS_MAX:
            code = self._keys[self._keys_at]
            self._keys_at += 1
            if 0x30 <= code <= 0x39:
                self.key = code - 0x30
            elif code == 0x7F:
                self.key = KEY_CLEAR
            elif code == 0x0D:
                self.key = KEY_ENTER
            else:
                continue  # a function key, or none
            return KEY
        return NOTHING

    def is_due(self, now_ms: int) -> bool:
        return (
            self._result == NOTHING
            and self._keys_at == _KEYS_MAX
            and time.ticks_diff(now_ms, self.due_ms) >= 0
        )

    def missed(self, now_ms: int) -> None:
        """No answer."""
        self.unanswered()
        self.due_ms = now_ms
        if self.state == GREETING:
            self.due_ms = time.ticks_add(now_ms, _PROBE_MS)

    def answered(self, frame: bytearray, length: int, now_ms: int) -> None:
        """A sound frame of this reader."""
        reply = self.receive(frame, length)
        self.due_ms = now_ms
        if self.rests:
            self.rests = False
            self.due_ms = time.ticks_add(now_ms, _REST_MS)
        elif not self.waiting and not 0 < self.state < ONLINE:
            self.due_ms = time.ticks_add(self.asked_ms, _POLL_MS)
        if reply == REPLY_RAW:
            self.edge_ticks = now_ms
            self._take_card(frame)
        elif reply == REPLY_KEYPAD:
            self.edge_ticks = now_ms
            self._take_keys(frame)

    def _take_card(self, frame: bytearray) -> None:
        found = credential(frame, self.data_at, self.data_end, self._data)
        if not found:
            self._result = DOUBTFUL
            return
        self.type = found >> 8
        if len(self.credential) != found & 0xFF:
            self.credential = self._data[: found & 0xFF]
        self.bits = frame[self.data_at + 2] | frame[self.data_at + 3] << 8
        self._result = CARD

    def _take_keys(self, frame: bytearray) -> None:
        """Reader, how many, then a byte for each."""
        count = self.data_end - self.data_at - 2
        if not 0 < count <= _KEYS_MAX or frame[self.data_at + 1] != count:
            self._result = DOUBTFUL
            return
        self._keys_at = _KEYS_MAX - count
        for i in range(count):
            self._keys[_KEYS_MAX - count + i] = frame[self.data_end - count + i]


def drivers(port: "Any", options: "dict[str, Any]") -> "list[Driver]":
    """One for each address. port: the UART; ValueError for an address or a key that is none."""
    from firmware.osdp_rows import made

    forget("firmware.osdp_rows")
    return made(port, options)
