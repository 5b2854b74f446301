"""Enrolment: one card goes to the guest who asked, and opens nothing (MicroPython)."""

from firmware.enrolment import Enrolment
from firmware.swipes import Swipes
from protocol.codes import ERR_STATE
from tests.both.support import refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CARD, OTHER = b"\x04\xa1\xb2\xc3", b"\x04\x11\x22\x33"
ANY = 255


class Driver:
    """What a reader has just read."""

    type = 2
    bits = 0

    def __init__(self, credential: bytes) -> None:
        self.credential = bytearray(credential)


class Read:
    """A reader with a card at it."""

    def __init__(self, credential: bytes, number: int = 0) -> None:
        self.number = number
        self.driver: Any = Driver(credential)


class Part:
    """Time and guest."""

    uptime_s = 100
    guest: "Any" = None


class Controller:
    """With no reader of its own: a test presents cards."""

    def __init__(self) -> None:
        self.clock, self.admission = Part(), Part()
        self.admission.guest = Part()
        self.board = self
        self.enrolment: Any = None
        self.judged: list[bytes] = []
        me: Any = self
        self.me = me
        self.swipes = Swipes(me, self._judge)

    def _judge(self, reader: "Any") -> None:
        self.judged.append(bytes(reader.driver.credential))

    def readers(self) -> "list[Any]":
        return []

    def wait(self, reader: int = ANY, seconds: int = 60) -> None:
        self.enrolment = Enrolment(self.me, reader, seconds)

    def present(self, credential: bytes = CARD, number: int = 0) -> None:
        read: Any = Read(credential, number)
        self.swipes._take(read)
        read.driver.credential[:] = bytes(len(credential))  # the reader's next frame overwrites it

    def told(self) -> "Any":
        return self.enrolment.tell(self.me)


def test_the_next_card_is_told_once_and_opens_nothing() -> None:
    c = Controller()
    c.wait()
    assert c.told() is None
    c.present()
    assert c.judged == []
    assert c.told() == [2, 0, CARD, 0]
    assert c.enrolment is None, "nothing of it stays"


def test_without_it_every_card_is_judged() -> None:
    c = Controller()
    c.present()
    assert c.judged == [CARD]


def test_the_second_card_is_judged_as_ever() -> None:
    c = Controller()
    c.wait()
    c.present()
    c.present(OTHER)
    assert c.judged == [OTHER]
    assert c.told()[2] == CARD


def test_another_reader_than_the_named_one_goes_on_as_ever() -> None:
    c = Controller()
    c.wait(reader=1)
    c.present(OTHER, 0)
    assert c.judged == [OTHER]
    c.present(CARD, 1)
    assert c.told() == [2, 0, CARD, 1]


def test_it_ends_with_its_time() -> None:
    c = Controller()
    c.wait(seconds=10)
    held = c.enrolment
    c.clock.uptime_s += 10
    c.present()
    assert c.judged == [CARD]
    assert c.enrolment is None
    refused(ERR_STATE, held.tell, c.me)


def test_what_was_read_is_not_told_after_its_time() -> None:
    c = Controller()
    c.wait(seconds=10)
    c.present()
    c.clock.uptime_s += 10
    refused(ERR_STATE, c.enrolment.tell, c.me)
    assert c.enrolment is None


def test_it_ends_with_the_session_and_another_guest_learns_nothing() -> None:
    c = Controller()
    c.wait()
    c.present()
    c.admission.guest = Part()
    refused(ERR_STATE, c.enrolment.tell, c.me)
    assert c.enrolment is None
    c.wait()
    c.admission.guest = None
    c.present()
    assert c.judged == [CARD]


def test_bits_of_the_wire_are_told_where_the_reader_knows_them() -> None:
    c = Controller()
    c.wait()
    read: Any = Read(b"\x01\x02\x03")
    read.driver.bits = 26
    c.swipes._take(read)
    assert c.told()[:2] == [2, 26]
