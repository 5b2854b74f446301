"""SPI of a virtual board: an MFRC522 listens when its chip select is low, a 74HC595 always.

One call is one transaction. The cards in its field and what is wrong with it stand in the page.
"""

import time

import mfrc522
import page as layout
from machine_shim import Reader


def build(page, pump, select_pin: int, register) -> type:
    """The SPI class; select_pin: that of the reader's chip, or -1; register: a 74HC595, or None."""
    shared = page.bytes
    chip = mfrc522.Mfrc522()
    seen = [b""]

    def look() -> None:
        """Take over what the host says of the field."""
        size = layout.FIELD_CARDS * layout.FIELD_CARD_BYTES
        held = bytes(shared[layout.FIELD : layout.FIELD + size + 1])
        if held != seen[0]:
            seen[0] = held
            chip.faults = held[size]
            rows = (held[at : at + layout.FIELD_CARD_BYTES] for at in (0, layout.FIELD_CARD_BYTES))
            chip.hold(*[mfrc522.Card(row[2 : 2 + row[1]]) for row in rows if row[1]])

    def transfer(sent) -> bytes:
        pump.run()
        if register is not None:
            register.shift(bytes(sent))
        if select_pin < 0 or shared[layout.OUTPUTS + select_pin] != 0:
            return b"\xff" * len(sent)
        look()
        if chip.field:
            Reader.last_us = time.ticks_us()
        return chip.transfer(bytes(sent))

    class SPI:
        """A bus with one chip on it."""

        MSB = 0
        LSB = 1

        def __init__(self, id: int, *args, **more) -> None:
            if id not in (1, 2):
                raise ValueError("SPI(%d) doesn't exist" % id)

        def init(self, *args, **more) -> None:
            pass

        def deinit(self) -> None:
            pass

        def write(self, buf) -> None:
            transfer(buf)

        def write_readinto(self, out, buf) -> None:
            buf[:] = transfer(out)

        def readinto(self, buf, write: int = 0) -> None:
            buf[:] = transfer(bytes((write,)) * len(buf))

        def read(self, count: int, write: int = 0) -> bytes:
            return transfer(bytes((write,)) * count)

    return SPI
