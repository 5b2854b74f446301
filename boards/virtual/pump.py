"""Takes in what changed outside: pin interrupts and questions of the host (virtual board).

Every shim through which the firmware waits or looks calls `pump`, as the real chip would run its
interrupt queue there. A change costs one byte to notice. The longest stretch between two calls is
kept for the host: it is how long a door could have waited.
"""

import gc
import struct
import time

import page as layout
from machine_shim import Reader


class Pump:
    """Watches the input generation of the page and runs the pin handlers that are due."""

    def __init__(self, page, lines) -> None:
        self._page = page
        self._lines = lines
        self._edges = page.word(layout.EDGE_COUNT)
        self._memory = page.bytes
        self._seen = self._memory[layout.INPUT_GENERATION]
        self._asked = self._memory[layout.HEAP_ASKED]
        self._last_us = time.ticks_us()
        self.on_input = None

    def run(self) -> None:
        memory = self._memory
        self._measure(layout.GAP_US)
        if memory[layout.HEAP_ASKED] != self._asked:
            self._tell_heap()
        if self._page.word(layout.EDGE_COUNT) != self._edges or not self._lines.is_quiet:
            self._take_edges()
            told = self._lines.told
            self._lines.leisure(time.ticks_us())
            if self._lines.told != told:
                Reader.last_us = time.ticks_us()
        if memory[layout.INPUT_GENERATION] != self._seen:
            self._seen = memory[layout.INPUT_GENERATION]
            if self.on_input is not None:
                self.on_input()

    def apart(self, wait_us, delay_us: int) -> None:
        """Spend a step of a TLS handshake, which stands apart from the longest stretch."""
        self._measure(layout.GAP_US)
        self.spend(wait_us, delay_us, False)
        self._measure(layout.HANDSHAKE_US)

    def spend(self, wait_us, delay_us: int, dark: bool) -> None:
        """Spend what the chip would, with pins served as they are meanwhile (lines.py)."""
        self._take_edges()
        self._lines.leisure(time.ticks_us())
        wait_us(delay_us)
        self._take_edges()
        self._lines.busy(time.ticks_us(), dark)

    def _take_edges(self) -> None:
        count = self._page.word(layout.EDGE_COUNT)
        while self._edges != count:
            at = layout.EDGES + self._edges % layout.EDGE_ENTRIES * layout.EDGE_BYTES
            self._lines.add(*struct.unpack_from("<II", self._memory, at))
            self._edges += 1

    def _measure(self, offset: int) -> None:
        now_us = time.ticks_us()
        gap_us = time.ticks_diff(now_us, self._last_us)
        self._last_us = now_us
        if gap_us > self._page.word(offset):
            self._page.set_word(offset, gap_us)

    def _tell_heap(self) -> None:
        self._asked = self._memory[layout.HEAP_ASKED]
        gc.collect()
        self._page.set_word(layout.HEAP_FREE_BYTES, gc.mem_free())
        self._page.set_word(layout.HEAP_USED_BYTES, gc.mem_alloc())
        self._page.set_word(layout.HEAP_LARGEST_BYTES, _largest_piece(gc.mem_free()))
        self._memory[layout.HEAP_TOLD] = self._asked


def _largest_piece(free: int) -> int:
    """What one allocation can get at most, to 64 bytes."""
    low = 0
    while free - low > 64:
        middle = (low + free) // 2
        try:
            bytearray(middle)
            low = middle
        except MemoryError:
            free = middle
        gc.collect()
    return low
