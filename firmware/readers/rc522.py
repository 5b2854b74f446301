"""MFRC522 on SPI: ISO 14443-A cards with UIDs of 4, 7 and 10 bytes (device).

A card is woken, asked for its number and selected by it, level by level: the first of the four
bytes of a level is the cascade tag 0x88 when another level follows, and must say so exactly when
the answer to the selection (SAK bit 0x04) does. Each level's fifth byte is the XOR of its four, and
a selection and its answer carry a CRC: a number that was read wrongly selects nothing. `iso_dep`
says whether the card speaks ISO 14443-4 (SAK bit 0x20), as a DESFire does.

Two numbers that collide are two cards: DOUBTFUL, once. So is an answer that is not sound. After a
card the field goes off for a turn, so that whoever is there begins anew.

Such chips stop after hours or weeks. Before each round its version must be what it was, its cipher
(Status2Reg.MFCrypto1On) off and its transmitter (TxControlReg) on; else it is set up again, and
that counts in `restarts`. One that says nothing is lost, and asked ever more rarely.
"""

import time

from firmware.readers.results import CARD, DOUBTFUL, NOTHING, TROUBLE_LOST
from firmware.readers.two_wires import TwoWires
from protocol.codes import CREDENTIAL_ISO14443A

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# registers, data sheet 9.2
_COMMAND = 0x01
_COM_IRQ = 0x04
_ERROR = 0x06
_STATUS2 = 0x08
_FIFO_DATA = 0x09
_FIFO_LEVEL = 0x0A
_BIT_FRAMING = 0x0D
_TX_CONTROL = 0x14
_VERSION = 0x37

_IDLE = 0x00
_TRANSCEIVE = 0x0C
_SOFT_RESET = 0x0F
_RX_IRQ = 0x20
_TIMER_IRQ = 0x01
_COLLISION = 0x08
_ERRORS = 0x1B  # overflow, collision, parity, protocol
_START_SEND = 0x80
_FLUSH = 0x80
_CRYPTO_ON = 0x08
_FIELD_OFF = 0x80
_FIELD_ON = 0x83
# register, value: timer of 2 ms from the end of sending, 100 % ASK, no CRC of its own at 106 kbit/s
_SET_UP = b"\x2a\x80\x2b\xa9\x2c\x00\x2d\x50\x15\x40\x11\x3d\x12\x00\x13\x00"

_TAG = 0x88
_CASCADE = 0x04
_ISO_DEP = 0x20
_UID_MAX_BYTES = 10

_RESETS = 0  # steps: what is to be done now
_SETS_UP = 1
_TURNS_ON = 2
_WAKES = 3
_WOKEN = 4  # and whose answer is awaited
_ASKED = 5
_SELECTED = 6

_TURN_MS = 10
_REST_MS = 50  # between two rounds
_ANSWER_MS = 100  # long after the chip's own timer
_PAUSE_MS = 100  # after a failure, doubled with each
_PAUSE_MAX_MS = 10000
_FAILS_MAX = 3


class Driver:
    """One chip. `credential` and `iso_dep` hold what was read."""

    type = CREDENTIAL_ISO14443A
    bits = 0

    def __init__(self, port: "tuple[Any, Any]", options: "dict[str, Any]") -> None:
        self._spi, self._cs = port
        self._shown = TwoWires(options.get("lamp"), options.get("buzzer"))
        self._pair = bytearray(2)
        # each begins with the address of the FIFO
        self._wake = b"\x12\x52"  # WUPA, of seven bits
        self._ask = bytearray(b"\x12\x93\x20")
        self._choose = bytearray(b"\x12\x93\x70" + bytes(7))
        self._answer = bytearray(5)
        self._uid = memoryview(bytearray(_UID_MAX_BYTES))
        self._got = 0  # bytes of it
        self._version = 0
        self._fails = 0
        self._two = False
        self._step = _RESETS
        self._due_ms = self._sent_ms = time.ticks_ms()
        self.credential = self._uid[:4]
        self.iso_dep = False
        self.trouble = 0
        self.restarts = 0
        self.edge_ticks = self._due_ms

    def poll(self, now_ms: int) -> int:
        """One exchange with the card, at most."""
        self._shown.turn(now_ms)
        if time.ticks_diff(now_ms, self._due_ms) < 0:
            return NOTHING
        step = self._step
        if step >= _WOKEN:
            return self._take(now_ms)
        if step == _RESETS:
            self._write(_COMMAND, _SOFT_RESET)
            self._go(_SETS_UP, now_ms, _TURN_MS)
        elif step == _SETS_UP:
            self._version = self._read(_VERSION)
            for at in range(0, len(_SET_UP), 2):
                self._write(_SET_UP[at], _SET_UP[at + 1])
            self._go(_TURNS_ON, now_ms, 0)
        elif step == _TURNS_ON:
            self._write(_TX_CONTROL, _FIELD_ON)
            self._go(_WAKES, now_ms, _TURN_MS)
        elif self._is_well(now_ms):
            self._send(self._wake, 7, _WOKEN, now_ms)
        return NOTHING

    def _go(self, step: int, now_ms: int, after_ms: int) -> None:
        self._step = step
        self._due_ms = time.ticks_add(now_ms, after_ms)

    def _is_well(self, now_ms: int) -> bool:
        """Whether it is as it was set up; what is not is mended."""
        version = self._read(_VERSION)
        if version in (0x00, 0xFF):
            self._fail(now_ms)
            return False
        if (
            version != self._version
            or self._read(_STATUS2) & _CRYPTO_ON
            or self._read(_TX_CONTROL) & 3 != 3
        ):
            self.restarts = self.restarts + 1 & 0xFF
            self._go(_RESETS, now_ms, 0)
            return False
        self.trouble = self._fails = 0
        return True

    def _fail(self, now_ms: int) -> None:
        if self._fails < 8:
            self._fails += 1
        if self._fails >= _FAILS_MAX:
            self.trouble = TROUBLE_LOST
        self._go(_RESETS, now_ms, min(_PAUSE_MS << self._fails - 1, _PAUSE_MAX_MS))

    def _send(self, data: "bytes | bytearray", last_bits: int, step: int, now_ms: int) -> None:
        """Begin an exchange; last_bits: of the last byte, 0 for all of it."""
        self._write(_COMMAND, _IDLE)
        self._write(_BIT_FRAMING, last_bits)  # the last exchange's would start this one too early
        self._write(_COM_IRQ, 0x7F)
        self._write(_FIFO_LEVEL, _FLUSH)
        self._cs.value(0)
        self._spi.write(data)
        self._cs.value(1)
        self._write(_COMMAND, _TRANSCEIVE)
        self._write(_BIT_FRAMING, _START_SEND | last_bits)
        self._sent_ms = now_ms
        self._go(step, now_ms, 0)

    def _take(self, now_ms: int) -> int:
        """The answer to an exchange, if it is there."""
        irq = self._read(_COM_IRQ)
        if irq & _RX_IRQ:
            error = self._read(_ERROR) & _ERRORS
            count = min(self._read(_FIFO_LEVEL), 5)
            for at in range(count):
                self._answer[at] = self._read(_FIFO_DATA)
            return self._judge(error, count, now_ms)
        if irq & _TIMER_IRQ and irq != 0xFF:
            lonely = self._step == _WOKEN
            self._two = self._two and not lonely
            self._end(now_ms, lonely)
        elif time.ticks_diff(now_ms, self._sent_ms) > _ANSWER_MS:
            self._fail(now_ms)
        return NOTHING

    def _judge(self, error: int, count: int, now_ms: int) -> int:
        if self._step == _WOKEN:  # two cards may well collide here; their numbers tell
            self._got = 0
            self._ask_level(0x93, now_ms)
            return NOTHING
        self.edge_ticks = now_ms
        if self._step == _SELECTED:
            sound = not error and count == 3 and self._is_selected()
            return self._add_level(now_ms) if sound else self._refuse(now_ms)
        if error & _COLLISION:
            again = self._two
            self._two = True
            self._refuse(now_ms)
            return NOTHING if again else DOUBTFUL
        answer = self._answer
        if error or count != 5 or answer[0] ^ answer[1] ^ answer[2] ^ answer[3] != answer[4]:
            return self._refuse(now_ms)
        choose = self._choose
        for at in range(5):
            choose[3 + at] = answer[at]
        crc = _crc(choose, 1, 8)
        choose[8], choose[9] = crc & 0xFF, crc >> 8
        self._send(choose, 0, _SELECTED, now_ms)
        return NOTHING

    def _is_selected(self) -> bool:
        """Whether the answer to a selection is sound: SAK, CRC."""
        answer, choose = self._answer, self._choose
        crc = _crc(answer, 0, 1)
        tagged = choose[3] == _TAG
        return (
            answer[1] == crc & 0xFF
            and answer[2] == crc >> 8
            and tagged == bool(answer[0] & _CASCADE)
            and not (tagged and choose[1] == 0x97)
        )

    def _add_level(self, now_ms: int) -> int:
        choose = self._choose
        tagged = choose[3] == _TAG
        for at in range(4 if tagged else 3, 7):
            self._uid[self._got] = choose[at]
            self._got += 1
        if tagged:
            self._ask_level(choose[1] + 2, now_ms)
            return NOTHING
        self._two = False
        self.iso_dep = bool(self._answer[0] & _ISO_DEP)
        if len(self.credential) != self._got:
            self.credential = self._uid[: self._got]
        self._end(now_ms, False)
        return CARD

    def _ask_level(self, level: int, now_ms: int) -> None:
        self._ask[1] = self._choose[1] = level
        self._send(self._ask, 0, _ASKED, now_ms)

    def _refuse(self, now_ms: int) -> int:
        self._end(now_ms, False)
        return DOUBTFUL

    def _end(self, now_ms: int, lonely: bool) -> None:
        """A round is over; whoever was there is to begin anew."""
        if lonely:
            self._go(_WAKES, now_ms, _REST_MS)
        else:
            self._write(_TX_CONTROL, _FIELD_OFF)
            self._go(_TURNS_ON, now_ms, _TURN_MS)

    def _read(self, register: int) -> int:
        pair = self._pair
        pair[0] = 0x80 | register << 1
        pair[1] = 0
        self._cs.value(0)
        self._spi.write_readinto(pair, pair)
        self._cs.value(1)
        return pair[1]

    def _write(self, register: int, value: int) -> None:
        pair = self._pair
        pair[0] = register << 1
        pair[1] = value
        self._cs.value(0)
        self._spi.write(pair)
        self._cs.value(1)

    def show(self, pattern: int, now_ms: int) -> None:
        """On the wires to its lamp and buzzer."""
        self._shown.show(pattern, now_ms)


def _crc(data: bytearray, start: int, end: int) -> int:
    """CRC_A of ISO 14443-3, annex B."""
    crc = 0x6363
    for at in range(start, end):
        byte = data[at] ^ crc & 0xFF
        byte ^= byte << 4 & 0xFF
        crc = crc >> 8 ^ byte << 8 ^ byte << 3 ^ byte >> 4
    return crc


def drivers(port: "tuple[Any, Any]", options: "dict[str, Any]") -> "list[Driver]":
    """One reader. port: SPI (mode 0, 4 MHz at most here) and chip select; options: lamp, buzzer."""
    return [Driver(port, options)]
