"""BL0942 meters on a UART: up to four addresses a line, and lines behind a multiplexer (device).

A read is two bytes, 0x58 | address and the register; the chip answers with the register's three
bytes, the lowest first, and the complement of the sum of all five (data sheet V1.06, 3.2). Only
WATT (0x06, 24 bits, signed) is read: each chip once a second, one after the other, each in its
share of the second. Rules:

- an answer with a wrong check, or of another length, is spoilt: the power stays what it was
- noise around zero is zero; more than 5 W backwards is a shunt the wrong way round, and spoilt
- 120 times the same value, to the last bit, is no measurement any more
- whoever does not answer is passed over after 50 ms: the others keep their second
- silent is who was asked three times in a row without a good answer. Time alone does not count: the
  steps of a handshake keep the loop for a second, and two callers in a row are no dead meter

WATT of a watt is 3537 * 1 A * shunt * 1 V * divider / Vref², with both voltages in mV and Vref
1.218 V; options `shunt_uohm` and `divider` (ohms above and below the tap).
"""

import time
from array import array

from firmware.meters.results import (
    METER_BAD,
    METER_SILENT,
    METER_STUCK,
    PERIOD_MS,
    begin,
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
_SHUNT_UOHM = 1000
_DIVIDER_OHM = (1950000, 510)
_IN_A_ROW = 3
_STUCK_READINGS = 120
_ADDRESS = 0x03  # in a chip's byte: the address's mask
_LINE = 2  # and where the line begins


class Driver:
    """All chips behind one UART; chips: a byte for each, its line and its address."""

    count: int
    trouble: bytearray

    def __init__(self, uart: "Any", chips: bytes, select: "tuple[Any, ...]", per_dw: int) -> None:
        begin(self, len(chips))
        self._uart = uart
        self._chips = chips
        self._select = select
        self._per_dw = per_dw
        self._turn = 0  # whose it is
        self._waits = False  # for its answer
        self._due_ms = self._began_ms = time.ticks_ms()
        self._command = bytearray((_READ, _WATT))
        self._buffer = bytearray(_BUFFER_BYTES)
        self._missed = bytearray(self.count)  # asked in a row without a good answer
        self._spoilt = bytearray(self.count)  # in a row
        self._raw = array("i", [0] * self.count)
        self._same = bytearray(self.count)  # readings with that raw value, after the first

    def poll(self, now_ms: int) -> None:
        """Ask the chip whose turn it is, or listen to it."""
        if self._waits:
            self._listen(now_ms)
        elif time.ticks_diff(now_ms, self._due_ms) >= 0:
            self._ask(now_ms)

    def _ask(self, now_ms: int) -> None:
        uart = self._uart
        if uart.any():  # what came too late is nobody's answer
            uart.readinto(self._buffer)
            if time.ticks_diff(now_ms, self._due_ms) >= _WAIT_MS:  # and never ends: nobody is heard
                self._missed_one(self._turn, True)
                self._go_on(now_ms)
            return
        chip = self._chips[self._turn]
        self._command[0] = _READ | chip & _ADDRESS
        chip >>= _LINE
        for pin in self._select:
            pin.value(chip & 1)
            chip >>= 1
        uart.write(self._command)
        self._waits = True
        self._began_ms = now_ms
        self._go_on(now_ms)

    def _go_on(self, now_ms: int) -> None:
        # the next one's time does not move with the turns, unless all lags
        if not 0 <= time.ticks_diff(now_ms, self._due_ms) < PERIOD_MS:
            self._due_ms = now_ms
        self._due_ms = time.ticks_add(self._due_ms, PERIOD_MS // self.count)

    def _listen(self, now_ms: int) -> None:
        number = self._turn
        waiting = self._uart.any()
        if waiting >= _ANSWER_BYTES:
            got = self._uart.readinto(self._buffer)
            data = self._buffer
            total = self._command[0] + _WATT + data[0] + data[1] + data[2]
            good = got == _ANSWER_BYTES and data[3] == ~total & 0xFF
            raw = data[0] | data[1] << 8 | data[2] << 16
            raw -= (raw & _SIGN) << 1
            if good and raw * _SCALE >= -_BACKWARDS_DW * self._per_dw:
                self._good(number, raw, now_ms)
                self._waits = False
                self._turn = (number + 1) % self.count
                return
        elif 0 <= time.ticks_diff(now_ms, self._began_ms) < _WAIT_MS:
            return
        self._missed_one(number, waiting > 0)

    def _missed_one(self, number: int, spoilt: bool) -> None:
        """It has answered what nobody can believe, or not at all; the next one's turn."""
        self._waits = False
        self._turn = (number + 1) % self.count
        self._missed[number] = min(self._missed[number] + 1, _IN_A_ROW)
        if self._missed[number] == _IN_A_ROW:
            self.trouble[number] |= METER_SILENT
        if spoilt:  # not beyond doubt: the power stays what it was
            self._spoilt[number] = min(self._spoilt[number] + 1, _IN_A_ROW)
            if self._spoilt[number] == _IN_A_ROW:
                self.trouble[number] |= METER_BAD

    def _good(self, number: int, raw: int, now_ms: int) -> None:
        self._missed[number] = self._spoilt[number] = 0
        same = 0  # the last bits of a chip that measures are noise
        if raw > 0 and raw == self._raw[number]:
            same = min(self._same[number] + 1, _STUCK_READINGS - 1)
        self._raw[number] = raw
        self._same[number] = same
        self.trouble[number] = METER_STUCK if same == _STUCK_READINGS - 1 else 0
        took(self, number, max(raw, 0) * _SCALE // self._per_dw, now_ms)


def drivers(port: "Any", options: "dict[str, Any]") -> Driver:
    """All chips, line by line.

    port: the UART; options: `lines`, the addresses of each line in the order of the ports (left
    out: one chip, address 0); `select`, the multiplexer's pins, the lowest bit first.
    """
    lines = options.get("lines", ((0,),))
    upper, lower = options.get("divider", _DIVIDER_OHM)
    shunt_mohm = options.get("shunt_uohm", _SHUNT_UOHM) / 1000
    per_watt = 3537 * shunt_mohm * (1000 * lower / (upper + lower)) / (1.218 * 1.218)
    per_dw = int(per_watt * _SCALE / 10 + 0.5)
    chips = bytes([line << _LINE | one for line, row in enumerate(lines) for one in row])
    return Driver(port, chips, options.get("select", ()), per_dw)
