"""Swipes against a list of 10 000 cards: what they cost the flash and the heap (MicroPython).

    micropython decide.py

Prints one line a figure: name and number. A swipe is judged and journalled as a door does it; the
flash is LittleFS for the list and raw NOR for the journal, on the model of tests/firmware/flash.py.
"""

import gc
import hashlib

from firmware.access import Access
from firmware.clock import Clock
from firmware.judging import judge
from protocol import cards
from protocol.codes import CREDENTIAL_EM4100, EVENT_DENIED, EVENT_GRANTED
from tests.firmware.device_journal import Board
from tests.firmware.lists import ISSUED_S, POINT, held_list

CARDS = 10_000
SWIPES = 10_000
CARD_KEY = b"card key of this device"
WARM_UP = 500


class Numbers:
    """NVS as firmware.store has it."""

    def __init__(self) -> None:
        self.held = {}

    def get(self, name: str) -> int:
        return self.held.get(name, 0)

    def put(self, name: str, value: int) -> None:
        self.held[name] = value


class Rtc:
    """machine.RTC that was never set."""

    def datetime(self, *_):
        return (2000, 1, 1, 0, 0, 0, 0, 0)


def credential(number: int) -> bytes:
    return hashlib.sha256(b"credential %d" % number).digest()[:5]


def card_keys() -> list:
    return sorted(cards.card_key(CARD_KEY, CREDENTIAL_EM4100, credential(n)) for n in range(CARDS))


def main() -> None:
    whitelist, chip = held_list(card_keys())
    clock = Clock(Rtc(), Numbers())
    clock.set_unsigned(ISSUED_S)
    access = Access(whitelist, clock, CARD_KEY, Numbers())
    ring = Board().start()
    reads = model_us = worst_reads = worst_us = granted = heap = 0
    for swipe in range(SWIPES):
        if swipe == WARM_UP:
            gc.collect()
            heap = gc.mem_alloc()
        chip.reads = chip.model_us = 0
        number = swipe * 7919 % (CARDS * 5 // 4)  # one card in five is nobody's
        yes, reason = judge(access, CREDENTIAL_EM4100, credential(number), POINT, False)
        assert yes == (number < CARDS)
        granted += yes
        worst_reads = max(worst_reads, chip.reads)
        worst_us = max(worst_us, chip.model_us)
        reads += chip.reads
        model_us += chip.model_us
        event = EVENT_GRANTED if yes else EVENT_DENIED
        ring.record(event, reason, (clock.time_s, clock.ms, clock.quality), POINT, access.key, 1, 0)
        ring.erase_ahead()
    gc.collect()
    print("granted", granted)
    print("reads_mean", reads / SWIPES)
    print("reads_worst", worst_reads)
    print("model_us_mean", model_us / SWIPES)
    print("model_us_worst", worst_us)
    print("heap_growth", gc.mem_alloc() - heap)


main()
