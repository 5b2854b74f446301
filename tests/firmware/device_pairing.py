"""Which key a reader is given, and by which it is asked to take it (MicroPython)."""

import sys

from firmware import pairing
from firmware.handlers import orders
from protocol.codes import TICKET_PAIR_READER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FACTORY = b"0123456789:;<=>?"
OLD, NEW, OTHER = b"o" * 16, b"n" * 16, b"x" * 16
OSDP_KEYS = 34


class Driver:
    """An OSDP reader's, which says whether it begins."""

    begins = True

    def __init__(self) -> None:
        self.given: list[tuple[bytes, bytes]] = []

    def pair(self, key: bytes, before: bytes, _now_ms: int) -> bool:
        self.given.append((key, before))
        return self.begins


class Reader:
    """One reader of the controller."""

    def __init__(self, driver: "Any") -> None:
        self.driver = driver
        self.pairs = False


class Controller:
    """Reader 0 of another kind, two of OSDP; keys of the configuration now and before."""

    def __init__(self, now: "list[bytes]", before: "list[bytes]") -> None:
        self.readers = [Reader(object()), Reader(Driver()), Reader(Driver())]
        self.config = self.kind = self.swipes = self
        self.settings = {OSDP_KEYS: now}
        pairing.settings_before = lambda: {OSDP_KEYS: before}


def test_a_first_key_goes_out_under_the_factory_s_when_the_ticket_says_so() -> None:
    c = Controller([b"", NEW], [b"", OLD])
    pairing.pair(c, 1, True)
    assert c.readers[1].driver.given == [(NEW, FACTORY)]
    assert c.readers[1].pairs
    assert not c.readers[2].pairs


def test_another_key_goes_out_under_the_one_before_and_never_under_the_factory_s() -> None:
    c = Controller([b"", NEW, OTHER], [b"", OLD, OTHER])
    pairing.pair(c, 1, False)
    assert c.readers[1].driver.given == [(NEW, OLD)]
    c = Controller([b"", NEW], [])
    assert pairing.keys_for(c, 1, False) is None, "no key before: the ticket has to say first"
    pairing.pair(c, 1, False)
    assert c.readers[1].driver.given == []


def test_each_reader_gets_the_key_of_its_own_row() -> None:
    c = Controller([b"", NEW, OTHER], [b"", OLD, OLD])
    assert pairing.keys_for(c, 1, False) == (OLD, NEW)
    assert pairing.keys_for(c, 2, False) == (OLD, OTHER)


def test_nobody_is_given_a_key_that_is_not_set_or_that_could_not_take_one() -> None:
    c = Controller([NEW, b""], [OLD, OLD, OLD])
    assert pairing.keys_for(c, 0, True) is None, "no OSDP reader"
    assert pairing.keys_for(c, 1, True) is None, "none set"
    assert pairing.keys_for(c, 2, True) is None, "the list ends before it"
    assert pairing.keys_for(c, 3, True) is None, "no such reader"


def test_a_driver_that_does_not_begin_is_not_waited_for() -> None:
    c = Controller([b"", NEW], [])
    c.readers[1].driver.begins = False
    pairing.pair(c, 1, True)
    assert not c.readers[1].pairs


def test_a_ticket_says_first_or_not_and_nothing_else() -> None:
    for argument, may in ((2, False), (0, True), (1, True)):
        c = Controller([b"", NEW], [b"", OLD])
        # with what it is to find; a request forgets it
        sys.modules["firmware.pairing"] = sys.modules["firmware"].pairing = pairing
        assert orders._is_possible(c, TICKET_PAIR_READER, 1, argument) == may, argument
