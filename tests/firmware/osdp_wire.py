"""The OSDP driver on a real line: its UART a file descriptor, orders by stdin (MicroPython).

    micropython osdp_wire.py FD BAUD CHINESE ADDRESS[:KEY]…

Lines in: `show NUMBER PATTERN`, `pair NUMBER KEY FIRST`, `baud NUMBER BAUD`, `end`. Lines out, one
for each thing that happened: `card NUMBER TYPE BITS CREDENTIAL`, `key NUMBER KEY`,
`doubtful NUMBER`, `state NUMBER ONLINE TROUBLE PAIRING BAUD`.
"""

import select
import sys
import time

from firmware.readers import osdp
from firmware.readers.results import CARD, KEY, NOTHING
from protocol.osdp import SCBK_D
from protocol.osdp_panel import ONLINE

TURN_MS = 10


class Uart:
    """What machine.UART offers, on a pseudo terminal that never waits."""

    def __init__(self, fd: int) -> None:
        self._stream = open(fd, "r+b")  # noqa: SIM115
        self._waiter = select.poll()
        self._waiter.register(self._stream, select.POLLIN)

    def any(self) -> int:
        for _ in self._waiter.ipoll(0):
            return 1
        return 0

    def readinto(self, buffer: bytearray) -> "int | None":
        return self._stream.readinto(buffer)

    def write(self, data: memoryview) -> int:
        return self._stream.write(data)

    def init(self, baud: int) -> None:
        print("speed", baud)


def told(drivers: "list[osdp.Driver]", number: int, result: int) -> None:
    driver = drivers[number]
    if result == CARD:
        print("card", number, driver.type, driver.bits, bytes(driver.credential).hex())
    elif result == KEY:
        print("key", number, driver.key)
    else:
        print("doubtful", number)


def before_of(word: str) -> bytes:
    return SCBK_D if word == "first" else bytes.fromhex(word)


def obey(drivers: "list[osdp.Driver]", line: str) -> bool:
    """Carry out one order; False at the end."""
    order, *words = line.split() or ["end"]
    if order == "end":
        return False
    driver, now_ms = drivers[int(words[0])], time.ticks_ms()
    if order == "show":
        driver.show(int(words[1]), now_ms)
    elif order == "pair":
        driver.pair(bytes.fromhex(words[1]), before_of(words[2]), now_ms)
    elif order == "baud":
        driver.change_baud(int(words[1]))
    return True


def main() -> None:
    fd, baud, chinese, *readers = sys.argv[1:]
    pairs = [(reader + ":").split(":") for reader in readers]
    options = {
        "addresses": [int(pair[0]) for pair in pairs],
        "keys": [bytes.fromhex(pair[1]) if pair[1] else None for pair in pairs],
        "baud": int(baud),
        "chinese": chinese == "1",
    }
    drivers = osdp.drivers(Uart(int(fd)), options)
    states = [""] * len(drivers)
    orders = select.poll()
    orders.register(sys.stdin, select.POLLIN)
    while True:
        for _ in orders.ipoll(0):
            if not obey(drivers, sys.stdin.readline()):
                return
        now_ms = time.ticks_ms()
        for number, driver in enumerate(drivers):
            for _ in range(8):
                result = driver.poll(now_ms)
                if result == NOTHING:
                    break
                told(drivers, number, result)
            figures = (driver.state == ONLINE, driver.trouble, driver.pairing, driver.baud)
            state = " ".join(str(int(figure)) for figure in figures)
            if state != states[number]:
                states[number] = state
                print("state", number, state)
        time.sleep_ms(TURN_MS)


main()
