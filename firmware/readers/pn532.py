"""PN532 on a UART at 115200 baud: ISO 14443-A cards, and resident ID cards of type B (device).

The chip is asked for cards of type A, two at most, then for one of type B, then again. It runs the
anticollision of all cascade levels itself. What is a card:

- one card of type A with a UID of 4, 7 or 10 bytes; `iso_dep` says whether it speaks ISO 14443-4
  (SAK bit 0x20), as a DESFire does. The credential is the UID all the same
- one card of type B that gives the identifier of a resident ID card: after the field was off and
  on, request `05 00 00`, attribute `1D 00 00 00 00 00 08 01 08`, then `00 36 00 00 08` gives eight
  bytes and 9000. Any other card of type B is passed over: its number may change at every touch

Two cards of type A at once are DOUBTFUL, once; so is an answer with a wrong checksum or length.
After every card the field goes off, since neither an ID card nor one that speaks ISO 14443-4 would
answer a second time.

A frame is 00 00 FF, length, its complement, D4 or D5, command, data, a byte that makes the sum 0.
Each is confirmed by 00 00 FF 00 FF 00, and an answer that was not confirmed is not believed. When
no answer comes the chip is woken and set up again, after pauses that grow; three times in vain, and
it is lost.
"""

import time

from firmware.readers.results import CARD, DOUBTFUL, NOTHING, TROUBLE_LOST, TROUBLE_REFUSED
from firmware.readers.two_wires import TwoWires
from protocol.codes import CREDENTIAL_ISO14443A, CREDENTIAL_ISO14443B

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ANSWER_MS = 250
_REST_MS = 30  # between two rounds
_PAUSE_MS = 100  # after a failure, doubled with each
_PAUSE_MAX_MS = 10000
_FAILS_MAX = 3
_BYTES_A_TURN = 32
_FRAME_MAX_BYTES = 96
_LINE_BYTES = 64
_IC = 0x32
_ISO_DEP = 0x20
_CASCADE_TAG = 0x88
_UID_BYTES = (4, 7, 10)
_ID_CARD_BYTES = 8
_ID_ANSWER_BYTES = 13
_TWO = 2

_WAKE = b"\x55\x55" + bytes(14)
_HUNT = -1  # for the beginning of a frame
_BAD = 1
_WHOLE = 2


_SET_UP = 0
_RETRIES = 1
_VERSION = 2
_LIST_A = 3
_LIST_B = 4
_REQUEST = 7
_ATTRIBUTE = 8
_READ = 9
_END = 10
_ROW_BYTES = 11
# of each step: how many bytes, and which
_COMMANDS = (
    b"\x03\x14\x01\x00......."  # SAMConfiguration: normal mode
    b"\x05\x32\x05\xff\xff\x00....."  # RFConfiguration: one try to find a card
    b"\x01\x02........."  # GetFirmwareVersion
    b"\x03\x4a\x02\x00......."  # InListPassiveTarget: two of type A
    b"\x04\x4a\x01\x03\x00......"  # ... one of type B, of any family
    b"\x03\x32\x01\x00......."  # RFConfiguration: field off
    b"\x03\x32\x01\x01......."  # ... and on
    b"\x04\x42\x05\x00\x00......"  # InCommunicateThru: request
    b"\x0a\x42\x1d\x00\x00\x00\x00\x00\x08\x01\x08"  # ... attribute
    b"\x06\x42\x00\x36\x00\x00\x08...."  # ... read
    b"\x03\x32\x01\x00......."  # RFConfiguration: field off
)
_BODY_AT = 5  # of a frame: before it 00 00 FF, length, its complement


class Driver:
    """One chip. `type`, `credential` and `iso_dep` hold what was read."""

    bits = 0

    def __init__(self, uart: "Any", options: "dict[str, Any]") -> None:
        self._uart = uart
        self._shown = TwoWires(options.get("lamp"), options.get("buzzer"))
        self._line = bytearray(_LINE_BYTES)
        self._next = self._held = 0
        self._out = bytearray(b"\x00\x00\xff\x00\x00\xd4" + bytes(12))  # zeros behind do no harm
        self._frame = bytearray(_FRAME_MAX_BYTES)  # TFI, answer, data
        self._length = self._sum = self._before = 0
        self._at = _HUNT
        self._step = _SET_UP
        self._acked = self._waits = False
        self._two = self._well = False
        self._fails = 0
        self._sent_ms = self._due_ms = time.ticks_ms()
        self._data = memoryview(self._frame)
        self.type = CREDENTIAL_ISO14443A
        self.credential = self._data[:0]
        self._start = 0  # of the credential in its frame
        self.iso_dep = False
        self.trouble = 0
        self.restarts = 0
        self.edge_ticks = self._due_ms

    def poll(self, now_ms: int) -> int:
        """Send what is due, or take what has come."""
        self._shown.turn(now_ms)
        if not self._waits:
            if time.ticks_diff(now_ms, self._due_ms) >= 0:
                self._send(now_ms)
            return NOTHING
        for _ in range(_BYTES_A_TURN):
            if self._next == self._held:
                self._next = self._held = 0
                if self._uart.any():
                    self._held = self._uart.readinto(self._line) or 0
                if not self._held:
                    break
            byte = self._line[self._next]
            self._next += 1
            got = self._feed(byte)
            if got:
                return self._take(got, now_ms)
        if time.ticks_diff(now_ms, self._sent_ms) > _ANSWER_MS:
            self._fail(TROUBLE_LOST, now_ms)
        return NOTHING

    def _send(self, now_ms: int) -> None:
        self._waits = True
        self._acked = False
        self._at = _HUNT
        self._sent_ms = now_ms
        self._next = self._held = 0
        if self._uart.any():  # an answer that came too late
            self._uart.readinto(self._line)
        if self._step == _SET_UP:
            self._uart.write(_WAKE)
        row = self._step * _ROW_BYTES
        size = _COMMANDS[row]
        out = self._out
        out[3] = size + 1
        out[4] = 0xFF - size
        total = 0xD4
        for at in range(1, _ROW_BYTES + 2):
            byte = 0
            if at <= size:
                byte = _COMMANDS[row + at]
                total += byte
            out[_BODY_AT + at] = byte
        out[_BODY_AT + 1 + size] = -total & 0xFF
        self._uart.write(out)

    def _go(self, step: int, now_ms: int, after_ms: int = 0) -> None:
        self._step = step
        self._waits = False
        self._due_ms = time.ticks_add(now_ms, after_ms)

    def _fail(self, why: int, now_ms: int) -> None:
        """No answer, or a stranger's: set it up again, ever more rarely."""
        if self._fails < 8:
            self._fails += 1
        if self._fails >= _FAILS_MAX:
            self.trouble = why
        self._go(_SET_UP, now_ms, min(_PAUSE_MS << self._fails - 1, _PAUSE_MAX_MS))

    def _feed(self, byte: int) -> int:
        """One byte of the line; _WHOLE when `_frame` holds a sound one, _BAD when it was none."""
        at = self._at
        if at == _HUNT:
            if byte == 0xFF and not self._before:
                self._at = 0
            self._before = byte
            return 0
        self._at = at + 1
        if at == 0:
            self._length = byte
            return 0
        if at == 1:
            self._sum = 0
            self._before = byte
            if not self._length and byte == 0xFF:
                self._acked = True
                self._at = _HUNT
            elif self._length + byte & 0xFF or not 1 < self._length <= _FRAME_MAX_BYTES:
                self._at = _HUNT
                return _BAD
            return 0
        self._sum += byte
        if at < self._length + 2:
            self._frame[at - 2] = byte
            return 0
        self._at = _HUNT
        return _BAD if self._sum & 0xFF else _WHOLE

    def _take(self, got: int, now_ms: int) -> int:
        """A frame that has come while one was awaited."""
        step = self._step
        frame = self._frame
        awaited = self._out[_BODY_AT + 1] + 1
        if got == _BAD or not self._acked or frame[0] != 0xD5 or frame[1] != awaited:
            # nothing is known of the chip now: let it end what it does
            self._go(_END if step > _VERSION else step, now_ms, _REST_MS)
            return DOUBTFUL if step in (_LIST_A, _READ) else NOTHING
        if step == _VERSION and (self._length < 6 or self._frame[2] != _IC):
            self._fail(TROUBLE_REFUSED, now_ms)
        elif step == _VERSION:
            if self._well and not self.trouble:
                self.restarts = self.restarts + 1 & 0xFF
            self._well = True
            self.trouble = self._fails = 0
            self._go(_LIST_A, now_ms)
        elif step == _LIST_A:
            return self._take_type_a(now_ms)
        elif step == _LIST_B and not self._frame[2]:
            self._go(_LIST_A, now_ms, _REST_MS)
        elif step == _READ:
            return self._take_id_card(now_ms)
        elif step == _END:
            self._go(_LIST_A, now_ms, _REST_MS)
        elif step in (_REQUEST, _ATTRIBUTE) and self._frame[2]:
            self._go(_END, now_ms)
        else:
            self._go(step + 1, now_ms)
        return NOTHING

    def _take_type_a(self, now_ms: int) -> int:
        """D5 4B, count, and of each: number, ATQA, SAK, length, UID, perhaps what it can."""
        frame = self._frame
        count = frame[2]
        if not count:
            self._two = False
            self._go(_LIST_B, now_ms)
            return NOTHING
        self.edge_ticks = now_ms
        self._go(_END, now_ms)
        if count == _TWO:
            again = self._two
            self._two = True
            return NOTHING if again else DOUBTFUL
        self._two = False
        size = frame[7]
        end = 8 + size
        self.iso_dep = bool(frame[6] & _ISO_DEP)
        if self.iso_dep and end < self._length:
            end += frame[end]
        if (
            count != 1
            or size not in _UID_BYTES
            or end != self._length
            or (size == 4 and frame[8] == _CASCADE_TAG)  # a longer one cut off
        ):
            return DOUBTFUL
        return self._card(CREDENTIAL_ISO14443A, 8, size)

    def _take_id_card(self, now_ms: int) -> int:
        """D5 43, status, eight bytes, 90 00."""
        frame = self._frame
        end = self._length
        self._go(_END, now_ms)
        if frame[2] or end != _ID_ANSWER_BYTES or frame[end - 2] != 0x90 or frame[end - 1]:
            return NOTHING
        self.edge_ticks = now_ms
        self.iso_dep = False
        return self._card(CREDENTIAL_ISO14443B, 3, _ID_CARD_BYTES)

    def _card(self, kind: int, start: int, size: int) -> int:
        self.type = kind
        if len(self.credential) != size or self._start != start:
            self._start = start
            self.credential = self._data[start : start + size]
        return CARD

    def show(self, pattern: int, now_ms: int) -> None:
        """On the wires to its lamp and buzzer."""
        self._shown.show(pattern, now_ms)


def drivers(port: "Any", options: "dict[str, Any]") -> "list[Driver]":
    """One reader. port: its UART; options: lamp, buzzer."""
    return [Driver(port, options)]
