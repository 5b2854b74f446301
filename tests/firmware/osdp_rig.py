"""An RS-485 line in model time: a UART, readers at the wire's pace, turns (MicroPython).

A command is heard when its last bit is out, the answer begins TURNAROUND later. What a reader does
runs between the turns, so that a turn with a locked heap shows what the driver itself allocates.
"""

from time import ticks_add, ticks_diff

from firmware.readers import osdp
from firmware.readers.results import NOTHING
from protocol.osdp_panel import ONLINE
from tests.both.osdp_reader import Reader

TURN_US = 10000
_START_MS = ticks_add(0, -1500)  # ticks wrap soon
TURNAROUND_US = 3000
_RESULTS_MAX = 8

KEYS = [bytes((n,)) * 16 for n in range(1, 9)]
BITS = "00110011100011110000111111"  # 26, both parities right
CARD_BYTES = b"\x67\x1e\x1f"
SECOND = 100  # turns


class Pin:
    """Direction: 1 while the panel may speak."""

    def __init__(self, line: "Line") -> None:
        self._line = line
        self.level = 1

    def value(self, level: int) -> None:
        self.level = level
        if not level and self._line.now_us < self._line.sent_us:
            self._line.cut_off += 1
            self._line.command_bytes = 0  # its end never went out


class Clock:
    """The driver's `time`: looking at it takes 20 us."""

    ticks_add = staticmethod(ticks_add)
    ticks_diff = staticmethod(ticks_diff)

    def __init__(self, line: "Line") -> None:
        self._line = line

    def ticks_ms(self) -> int:
        self._line.now_us += 20
        return self._line.now_ms


class Line:
    """The UART as the driver sees it, and what lies behind it."""

    def __init__(self, readers: "list[Reader]", baud: int = 9600) -> None:
        self.readers = readers
        self.baud = baud
        self.now_us = 0
        self.sent_us = 0  # when the last command is out
        self.pin = None
        self.cut_off = 0
        self.command_bytes = 0
        self.change = None  # what becomes of an answer on its way
        self.noise = b""
        self.babbled = False  # a reader says more than an answer can be: it may be interrupted
        self.turnaround_us = TURNAROUND_US
        self.off: set[int] = set()  # addresses without power
        self.log: list[tuple[int, int]] = []  # when which address was spoken to, in us
        self.driver_line = None
        self.waits_us = 0  # longest time that one txdone() after the other took
        self.base_ms = _START_MS
        self._command = bytearray(128)
        self._answer = bytearray(256)
        self._first_us = 0
        self._answered_us = 0
        self._answer_baud = baud
        self._count = 0
        self._unread = 0
        self._taken = 0

    @property
    def now_ms(self) -> int:
        return ticks_add(self.base_ms, self.now_us // 1000)

    def drivers(self, options: "dict[str, object]") -> "list[osdp.Driver]":
        """The drivers of this line, which see its time."""
        osdp.time = Clock(self)
        made = osdp.drivers(self, options)
        self.driver_line = made[0].line
        return made

    # --- the UART ---

    def init(self, baud: int) -> None:
        self.baud = baud

    def any(self) -> int:
        if self.now_us < self._first_us:
            return 0
        came = (self.now_us - self._first_us) * self._answer_baud // 10000000
        return min(came, self._count) - self._taken

    def readinto(self, buffer: bytearray) -> int:
        count = min(self.any(), len(buffer))
        for i in range(count):
            buffer[i] = self._answer[self._taken + i]
        self._taken += count
        return count

    def write(self, data: memoryview) -> int:
        assert self.now_us >= self.sent_us, "the panel speaks twice"
        assert self.babbled or self.now_us >= self._answered_us, (
            "the panel speaks while a reader does"
        )
        assert data[0] == 0xFF, "readers wait for that"
        for i in range(1, len(data)):
            self._command[i - 1] = data[i]
        self.command_bytes = len(data) - 1
        self._unread = self.any()  # stays in front of what comes now
        self.sent_us = self.now_us + len(data) * 10000000 // self.baud
        return len(data)

    def txdone(self) -> bool:
        if self.now_us >= self.sent_us:
            return True
        self.now_us += 50
        self.waits_us += 50
        return False

    # --- what goes on behind it ---

    def between(self) -> None:
        """What the readers do before the next turn."""
        if self.command_bytes:
            command = bytes(self._command[: self.command_bytes])
            self.command_bytes = 0
            self.log.append((self.now_us, command[1]))
            for reader in self.readers:
                if reader.address in self.off or reader.baud != self.baud:
                    continue
                answer = reader.hear(command)
                if answer and self.change is not None:
                    answer = self.change(answer)
                if answer:
                    self._send(b"\xff" + answer)
        elif self.noise:
            self._send(self.noise, 0)
            self._answered_us = 0
            self.noise = b""

    def _send(self, answer: bytes, wait_us: int = -1) -> None:
        answer = bytes(self._answer[self._taken : self._taken + self._unread]) + answer
        self._unread = 0
        self._answer[: len(answer)] = answer
        self._count = len(answer)
        self._taken = 0
        self._first_us = self.sent_us + (self.turnaround_us if wait_us < 0 else wait_us)
        self._answered_us = self._first_us + len(answer) * 10000000 // self.baud
        self._answer_baud = self.baud

    def turns(self, drivers: "list[object]", count: int = 1) -> "list[tuple[int, int, int]]":
        """So many turns of a door: (number of the driver, result, ms) of all that came."""
        found = []
        for _ in range(count):
            now_ms = self.now_ms
            end_us = self.now_us + TURN_US
            for number, driver in enumerate(drivers):
                for _ in range(_RESULTS_MAX):
                    result = driver.poll(now_ms)
                    if result == NOTHING:
                        break
                    found.append((number, result, self.now_us // 1000))
            self.between()
            for left_us in (TURN_US * 6 // 10, TURN_US * 2 // 10):  # as firmware/app.py looks
                self.now_us = max(end_us - left_us, self.now_us)
                self.driver_line.step(self.now_ms)
                self.between()
            self.now_us = max(end_us, self.now_us)
        return found


def house(count: int, baud: int = 9600, keyed: bool = True, pin: bool = False):
    """(line, drivers) of so many readers, all of them there."""
    keys = KEYS[:count] if keyed else [None] * count
    readers = [Reader(n, keys[n]) for n in range(count)]
    for reader in readers:
        reader.baud = baud
    line = Line(readers, baud)
    options = {"addresses": list(range(count)), "keys": keys, "baud": baud}
    if pin:
        line.pin = options["direction"] = Pin(line)
    return line, line.drivers(options)


def online(count: int = 1, **options):
    line, drivers = house(count, **options)
    line.turns(drivers, 3 * SECOND)
    for driver in drivers:
        assert (driver.state, driver.trouble) == (ONLINE, 0)
    return line, drivers


def results_of(found) -> "list[tuple[int, int]]":
    return [(number, result) for number, result, _ in found]


def gaps_ms(line: Line, address: int) -> "list[int]":
    times = [us for us, spoken_to in line.log if spoken_to == address]
    return [(times[i + 1] - times[i]) // 1000 for i in range(len(times) - 1)]
