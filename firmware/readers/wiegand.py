"""Wiegand readers: 26, 34 and 37 bits with parity, keypads of 4 or 8 bits a key (device).

A low pulse on D0 is a 0, on D1 a 1; 25 ms without one end a frame. The chip's interrupts only
queue a call of the handler, eight at most, and wait while the flash is busy: edges get lost, two of
a line become one, and what came on two lines meanwhile is told in the order of the pins. So
hardware counts the edges too, a pulse counter (PCNT) a line, and a frame is a card only when

- each line's edges were seen as often as its unit counted them
- at every edge that was handled, all of the other line's had been: else their order is not known
- the number of bits is one of the formats, and both parities are right

What fails is DOUBTFUL. Parity: the first bit makes the first half even, the last bit the last half
odd; the halves of 37 bits share the one in the middle. A key of 8 bits is a nibble behind its own
complement; one of 4 bits has no check, and a line is one or the other (option `keypad`, 4 or 8):
two of the short ones could look like a long one.
"""

import time

from firmware.readers.results import CARD, DOUBTFUL, KEY, KEY_ENTER, NOTHING
from firmware.readers.two_wires import TwoWires
from protocol.codes import CREDENTIAL_WIEGAND26, CREDENTIAL_WIEGAND34, CREDENTIAL_WIEGAND37

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SILENCE_MS = 25
_BITS_MAX = 37
_RESET_AT = 16000  # a unit counts to 32767
_BYTES_MAX = 5


class Driver:
    """One reader: two lines in, lamp and buzzer out."""

    trouble = 0  # a reader that is never asked is never known to be lost

    def __init__(self, port: "tuple[Any, Any, Any, Any]", options: "dict[str, Any]") -> None:
        self._bits = bytearray(_BITS_MAX)
        self._data = memoryview(bytearray(_BYTES_MAX))
        self._shown = TwoWires(options.get("lamp"), options.get("buzzer"))
        self._keypad = options.get("keypad", 4)
        self._zeros = 0  # handled, of this frame
        self._ones = 0
        self._base0 = 0  # of the units when this frame began
        self._base1 = 0
        self._total = 0  # counted and handled, as it was looked at last
        self._sure = True
        self.type = 0
        self.credential = self._data[:0]
        self.bits = 0
        self.key = 0
        self.edge_ticks = time.ticks_ms()
        zero, self._unit0, one, self._unit1 = port
        # a counter takes its pin without the interrupt, so the interrupts come last
        zero.irq(self._zero, zero.IRQ_FALLING)
        one.irq(self._one, one.IRQ_FALLING)

    def _zero(self, _pin: "Any") -> None:
        if self._unit1.value() - self._base1 != self._ones:
            self._sure = False
        self._zeros += 1

    def _one(self, _pin: "Any") -> None:
        if self._unit0.value() - self._base0 != self._zeros:
            self._sure = False
        at = self._zeros + self._ones
        if at < _BITS_MAX:
            self._bits[at] = 1
        self._ones += 1

    def poll(self, now_ms: int) -> int:
        """Whether a frame has ended, and what it is."""
        self._shown.turn(now_ms)
        handled = self._zeros + self._ones  # first: what is handled has been counted
        count0, count1 = self._unit0.value(), self._unit1.value()
        total = handled + count0 + count1
        if total != self._total:
            self._total = total
            self.edge_ticks = now_ms
            return NOTHING
        if not handled and count0 == self._base0 and count1 == self._base1:
            return NOTHING
        if time.ticks_diff(now_ms, self.edge_ticks) < _SILENCE_MS:
            return NOTHING
        sound = (
            self._sure
            and count0 - self._base0 == self._zeros
            and count1 - self._base1 == self._ones
        )
        result = self._judge(handled) if sound else DOUBTFUL
        self._begin(count0, count1)
        return result

    def _begin(self, count0: int, count1: int) -> None:
        """What comes now is a new frame. An edge that slips in here makes that one doubtful.

        The counts come last: before that it is lost to them and not to the units.
        """
        for at in range(_BITS_MAX):
            self._bits[at] = 0
        self._sure = True
        if count0 > _RESET_AT or count1 > _RESET_AT:
            self._unit0.value(0)
            self._unit1.value(0)
            count0 = count1 = 0
        self._base0, self._base1 = count0, count1
        self._zeros = self._ones = 0
        self._total = count0 + count1

    def _judge(self, count: int) -> int:
        if count == self._keypad:
            return self._judge_key(count)
        if count == 26:
            self.type = CREDENTIAL_WIEGAND26
        elif count == 34:
            self.type = CREDENTIAL_WIEGAND34
        elif count == 37:
            self.type = CREDENTIAL_WIEGAND37
        else:
            return DOUBTFUL
        half = (count + 1) // 2
        if self._sum(0, half) & 1 or not self._sum(count - half, count) & 1:
            return DOUBTFUL
        size = (count + 5) // 8  # of what lies between the parities
        if len(self.credential) != size:
            self.credential = self._data[:size]
        value = 0
        for at in range(1, 8 * size + 1):  # from the last bit, so that it stands on the right
            source = count - 1 - at
            if source > 0:
                value |= self._bits[source] << (at - 1 & 7)
            if not at & 7:
                self._data[size - (at >> 3)] = value
                value = 0
        self.bits = count
        return CARD

    def _sum(self, start: int, end: int) -> int:
        ones = 0
        for at in range(start, end):
            ones += self._bits[at]
        return ones

    def _judge_key(self, count: int) -> int:
        key = check = 0
        for at in range(4):
            key = key << 1 | self._bits[count - 4 + at]
            check = check << 1 | self._bits[at]
        if key > KEY_ENTER or (count == 8 and key ^ check != 0x0F):
            return DOUBTFUL
        self.key = key
        return KEY

    def show(self, pattern: int, now_ms: int) -> None:
        """On the wires to its lamp and buzzer."""
        self._shown.show(pattern, now_ms)


def drivers(port: "tuple[Any, Any, Any, Any]", options: "dict[str, Any]") -> "list[Driver]":
    """One reader.

    port: D0 and the counter of its falling edges, D1 and its own; options: lamp, buzzer, keypad.
    """
    return [Driver(port, options)]
