"""A DS3231 register for register, behind `machine.I2C` of a virtual board (virtual board, tests).

A board whose board.toml says `clock_chip = true` under [wiring] has it; no other pays for it.
What lies at `at` in the page outlives power cuts, as a chip with a coin cell does: 19 registers,
then the Unix time (u32 s, u32 us) at which the time registers held what is stored. The time is
worked out from these when it is read. Fault modes are one byte of the page, set by the host.
"""

import struct

ADDRESS = 0x68
REGISTERS = 19
STORED_BYTES = REGISTERS + 8
FAULT_NONE = 0
FAULT_ABSENT = 1  # nobody acknowledges: as after a power-up without the chip
FAULT_STUCK = 2  # something holds SDA low: each transfer ends by the bus's timeout
STATUS = 15
_ENODEV = 19
_ETIMEDOUT = 116
_WEEKDAY = 3
# which bits can be written, register by register (data sheet, figure 1)
_WRITABLE = bytes(
    (0x7F, 0x7F, 0x7F, 0x07, 0x3F, 0x9F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
     0xDF, 0x88, 0xFF, 0, 0)
)  # fmt: skip
_FACTORY = bytes((0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x1C, 0x88, 0, 0x19, 0))
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Ds3231:
    """memory: bytes of the page from `at` on; now_us(): Unix time in us."""

    def __init__(self, memory, at: int, now_us) -> None:
        self._memory = memory
        self._at = at
        self._now_us = now_us
        if not memory[at + 14]:  # a new chip: its oscillator has never run
            memory[at : at + REGISTERS] = _FACTORY
            self._stamp(now_us())

    def read(self, register: int, count: int) -> bytes:
        """That many, wrapping at the end as the chip's pointer does."""
        self._advance()
        at = self._at
        return bytes([self._memory[at + (register + i) % REGISTERS] for i in range(count)])

    def write(self, register: int, data: bytes) -> None:
        """Bits that can be written; seconds written start the divider anew."""
        self._advance()
        for i in range(len(data)):
            number = (register + i) % REGISTERS
            at = self._at + number
            mask = _WRITABLE[number]
            byte = data[i]
            if number == STATUS:  # OSF can only be cleared
                byte &= self._memory[at] | 0x7F
            self._memory[at] = self._memory[at] & ~mask & 0xFF | byte & mask
            if number == 0:
                self._stamp(self._now_us())

    def stop_oscillator(self) -> None:
        """What an empty battery leaves: the flag, and a time that stood still."""
        self._memory[self._at + STATUS] |= 0x80

    def _stamp(self, us: int) -> None:
        struct.pack_into("<II", self._memory, self._at + REGISTERS, us // 1000000, us % 1000000)

    def _advance(self) -> None:
        second, micro = struct.unpack_from("<II", self._memory, self._at + REGISTERS)
        passed_us = self._now_us() - second * 1000000 - micro
        seconds = passed_us // 1000000
        if seconds <= 0:
            return
        self._stamp((second + seconds) * 1000000 + micro)
        held = self._memory
        at = self._at
        days, rest = divmod(seconds + _from_bcd(held[at]) + 60 * _from_bcd(held[at + 1])
                            + 3600 * _from_bcd(held[at + 2]), 86400)  # fmt: skip
        held[at], held[at + 1] = _bcd(rest % 60), _bcd(rest // 60 % 60)
        held[at + 2] = _bcd(rest // 3600)
        for _ in range(days):
            self._next_day()

    def _next_day(self) -> None:
        held = self._memory
        at = self._at
        held[at + _WEEKDAY] = held[at + _WEEKDAY] % 7 + 1
        day, month, year = _from_bcd(held[at + 4]), held[at + 5], _from_bcd(held[at + 6])
        number = _from_bcd(month & 0x1F)
        leap = number == 2 and year % 4 == 0
        if day < _MONTH_DAYS[(number - 1) % 12] + leap:
            held[at + 4] = _bcd(day + 1)
            return
        held[at + 4] = 1
        if number < 12:
            held[at + 5] = month & 0x80 | _bcd(number + 1)
            return
        if year == 99:
            month ^= 0x80  # the century bit
        held[at + 5] = month & 0x80 | 1
        held[at + 6] = _bcd((year + 1) % 100)


class Bus:
    """`machine.I2C` with that one chip on it; fault(): one of FAULT_*, asked at each transfer."""

    def __init__(self, chip: Ds3231, fault, wait_us, timeout_us: int) -> None:
        self._chip = chip
        self._fault = fault
        self._wait_us = wait_us
        self._timeout_us = timeout_us

    def _begin(self, address: int) -> None:
        fault = self._fault()
        if fault == FAULT_STUCK:
            self._wait_us(self._timeout_us)
            raise OSError(_ETIMEDOUT)
        if address != ADDRESS or fault == FAULT_ABSENT:
            raise OSError(_ENODEV)

    def scan(self) -> list:
        """Addresses that acknowledge."""
        return [ADDRESS] if self._fault() == FAULT_NONE else []

    def readfrom_mem(self, addr: int, memaddr: int, nbytes: int) -> bytes:
        self._begin(addr)
        return self._chip.read(memaddr, nbytes)

    def readfrom_mem_into(self, addr: int, memaddr: int, buf) -> None:
        self._begin(addr)
        buf[:] = self._chip.read(memaddr, len(buf))

    def writeto_mem(self, addr: int, memaddr: int, buf) -> None:
        self._begin(addr)
        self._chip.write(memaddr, buf)


def build(page, time, at: int, fault_at: int) -> type:
    """`machine.I2C` of a board whose start.json says that the chip is there."""
    shared = page.bytes

    class I2C(Bus):
        """Bus 0 or 1, with that chip on it."""

        def __init__(
            self, id: int = 0, scl=None, sda=None, freq: int = 400000, timeout: int = 50000
        ) -> None:
            chip = Ds3231(shared, at, lambda: time.time_ns() // 1000)
            super().__init__(chip, lambda: shared[fault_at], time.sleep_us, timeout)

    return I2C


def _from_bcd(byte: int) -> int:
    return (byte >> 4) * 10 + (byte & 0x0F)


def _bcd(number: int) -> int:
    return number // 10 << 4 | number % 10
