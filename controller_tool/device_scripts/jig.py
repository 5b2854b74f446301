"""Stands for cards, buttons and the lock's load around a controller under test (device).

Runs on a spare stock board, the jig, through its raw REPL; hil_tests/jig.toml says which pin is
wired to what.
"""

import time

from machine import UART, Pin


def swipe_card(tx_pin: int, credential: bytes) -> None:
    # an RDM6300 frame: start, ten digits, two of checksum, end
    check = 0
    for byte in credential:
        check ^= byte
    digits = "".join(f"{byte:02X}" for byte in credential + bytes((check,)))
    reader = UART(1, baudrate=9600, tx=tx_pin, rx=-1)
    reader.write(b"\x02" + digits.encode() + b"\x03")
    reader.flush()


def press(pin: int, duration_ms: int) -> None:
    contact = Pin(pin, Pin.OUT, value=1)
    time.sleep_ms(duration_ms)
    contact.value(0)


def hold(pin: int, closed: int) -> None:
    Pin(pin, Pin.OUT, value=closed)


def level(pin: int) -> None:
    print(Pin(pin, Pin.IN).value())
