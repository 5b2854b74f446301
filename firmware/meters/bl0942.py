"""BL0942 meters on a UART: up to four addresses a line, and lines behind a multiplexer (device).

A read is two bytes, 0x58 | address and the register; the chip answers with the register's three
bytes, the lowest first, and the complement of the sum of all five (data sheet V1.06, 3.2). Only
WATT (0x06, 24 bits, signed) is read: each chip once a second, one after the other, each in its
share of the second. Rules:

- an answer with a wrong check, or of another length, is spoilt: the power stays what it was
- noise around zero is zero; more than 5 W backwards is a shunt the wrong way round, and spoilt
- 120 times the same value, to the last bit, is no measurement any more
- whoever does not answer is passed over after 50 ms: the others keep their second

WATT of a watt is 3537 * 1 A * shunt * 1 V * divider / Vref², with both voltages in mV and Vref
1.218 V; options `shunt_uohm` and `divider` (ohms above and below the tap).
"""

import time

from firmware.meters.results import (
    GAIN_ONE,
    METER_BAD,
    METER_STUCK,
    PERIOD_MS,
    quiet,
    took,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_READ = 0x58
_WATT = 0x06
_SIGN = 0x800000
_ANSWER_BYTES = 4
_WAIT_MS = 50
_BUFFER_BYTES = 32
_SCALE = 64  # WATT times this is a small int
_BACKWARDS_DW = 50
_BAD_IN_A_ROW = 3
_STUCK_READINGS = 120
_SHUNT_UOHM = 1000
_DIVIDER_OHM = (1950000, 510)


class Line:
    """One UART: whose turn it is, and what is between it and the chips; only drivers use it."""

    def __init__(self, uart: "Any", select: "tuple[Any, ...]", chips: int, per_dw: int) -> None:
        self.uart = uart
        self.select = select
        self.per_dw = per_dw
        self.share_ms = PERIOD_MS // chips
        self.chips = chips
        self.turn = 0
        self.waits = False
        self.due_ms = self.began_ms = time.ticks_ms()
        self.command = bytearray((_READ, _WATT))
        self.buffer = bytearray(_BUFFER_BYTES)


class Driver:
    """One chip; row: at which line of the multiplexer it is; sixteen of these cost heap."""

    gain = GAIN_ONE

    def __init__(self, line: Line, number: int, row: int, address: int) -> None:
        self._line = line
        self._number = number
        self._row = row
        self._address = address
        self.power_dw = self.readings = self.trouble = 0
        self._spoilt = 0  # answers in a row
        self._raw = self._same = 0  # WATT, and readings with the same, after the first
        self.read_ms = time.ticks_ms()

    def poll(self, now_ms: int) -> None:
        """Ask, or listen, when it is this chip's turn."""
        line = self._line
        if line.turn == self._number:
            if line.waits:
                self._listen(line, now_ms)
            elif time.ticks_diff(now_ms, line.due_ms) >= 0:
                self._ask(line, now_ms)
        quiet(self, now_ms)

    def _ask(self, line: Line, now_ms: int) -> None:
        if line.uart.any():  # what came too late is nobody's answer
            line.uart.readinto(line.buffer)
            return
        row = self._row
        for pin in line.select:
            pin.value(row & 1)
            row >>= 1
        line.command[0] = _READ | self._address
        line.uart.write(line.command)
        line.waits = True
        line.began_ms = now_ms
        # the next one's time does not move with the turns, unless all lags behind
        late_ms = time.ticks_diff(now_ms, line.due_ms)
        since_ms = line.due_ms if late_ms < PERIOD_MS else now_ms
        line.due_ms = time.ticks_add(since_ms, line.share_ms)

    def _listen(self, line: Line, now_ms: int) -> None:
        waiting = line.uart.any()
        if waiting < _ANSWER_BYTES and 0 <= time.ticks_diff(now_ms, line.began_ms) < _WAIT_MS:
            return
        line.waits = False
        line.turn = (line.turn + 1) % line.chips
        if not waiting:
            return
        data = line.buffer
        got = line.uart.readinto(data)
        total = _READ + self._address + _WATT + data[0] + data[1] + data[2]
        if got != _ANSWER_BYTES or data[3] != ~total & 0xFF:
            self._refuse()
            return
        self._judge(data[0] | data[1] << 8 | data[2] << 16, now_ms)

    def _judge(self, raw: int, now_ms: int) -> None:
        if raw & _SIGN:
            raw -= 2 * _SIGN
        if raw * _SCALE < -_BACKWARDS_DW * self._line.per_dw:
            self._refuse()
            return
        self._same = self._same + 1 if 0 < raw == self._raw else 0
        self._raw = raw
        self._spoilt = 0
        took(self, max(raw, 0) * _SCALE // self._line.per_dw, now_ms)
        # the last bits of a load are noise: the same to the bit is no measurement any more
        self.trouble = METER_STUCK if self._same >= _STUCK_READINGS - 1 else 0

    def _refuse(self) -> None:
        """An answer that is not beyond doubt: the power stays what it was."""
        self._spoilt += 1
        if self._spoilt >= _BAD_IN_A_ROW:
            self.trouble |= METER_BAD


def drivers(port: "Any", options: "dict[str, Any]") -> "list[Driver]":
    """One driver a chip, line by line.

    port: the UART; options: `lines`, the addresses of each line in the order of the ports (left
    out: one chip, address 0); `select`, the multiplexer's pins, the lowest bit first.
    """
    lines = options.get("lines", ((0,),))
    upper, lower = options.get("divider", _DIVIDER_OHM)
    shunt_mohm = options.get("shunt_uohm", _SHUNT_UOHM) / 1000
    per_watt = 3537 * shunt_mohm * (1000 * lower / (upper + lower)) / (1.218 * 1.218)
    per_dw = int(per_watt * _SCALE / 10 + 0.5)
    line = Line(port, options.get("select", ()), sum([len(row) for row in lines]), per_dw)
    made: "list[Driver]" = []
    for row, addresses in enumerate(lines):
        for address in addresses:
            made.append(Driver(line, len(made), row, address))
    return made
