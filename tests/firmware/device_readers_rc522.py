"""RC522: UIDs of all lengths, two cards, flipped bits, and a chip that stops (MicroPython)."""

from controller_tool.sim.chips.mfrc522 import (
    FAULT_CRYPTO,
    FAULT_SILENT,
    FAULT_TRANSMITTER,
    Card,
    Mfrc522,
    crc_a,
)
from firmware.readers.rc522 import Driver, drivers
from firmware.readers.results import CARD, DOUBTFUL, NOTHING, SHOW_DENIED, TROUBLE_LOST
from protocol.codes import CREDENTIAL_ISO14443A

UID4 = b"\x04\xa2\xb3\xc4"
UID7 = b"\x04\x11\x22\x33\x44\x55\x66"
UID10 = bytes(range(0x10, 0x1A))
UIDS = (UID4, UID7, UID10)
TURN_MS = 10


class Bus:
    """SPI and chip select in one: what is sent while nobody is selected is lost."""

    def __init__(self, chip: Mfrc522) -> None:
        self.chip = chip
        self.level = 1

    def value(self, level: int) -> None:
        self.level = level

    def write(self, data: bytes) -> None:
        assert self.level == 0, "nobody was selected"
        self.chip.transfer(bytes(data))

    def write_readinto(self, data: bytes, buf: bytearray) -> None:
        assert self.level == 0, "nobody was selected"
        buf[:] = self.chip.transfer(bytes(data))


class Rig:
    """A driver with its chip; each turn is 10 ms."""

    def __init__(self) -> None:
        self.chip = Mfrc522()
        bus = Bus(self.chip)
        self.driver: Driver = drivers((bus, bus), {})[0]
        self.now_ms = self.driver.edge_ticks
        self.read: list[bytes] = []

    def turns(self, count: int) -> "list[int]":
        found = []
        for _ in range(count):
            self.now_ms += TURN_MS
            result = self.driver.poll(self.now_ms)
            if result != NOTHING:
                found.append(result)
            if result == CARD:
                self.read.append(bytes(self.driver.credential))
        return found


def held(*cards: Card) -> Rig:
    """A rig that was set up before the cards came."""
    rig = Rig()
    assert rig.turns(20) == []
    rig.chip.hold(*cards)
    return rig


def test_the_crc_of_the_standard() -> None:
    # ISO 14443-3, annex B.2: 00 00 gives A0 1E, 12 34 gives 26 CF
    assert crc_a(b"\x00\x00") == b"\xa0\x1e"
    assert crc_a(b"\x12\x34") == b"\x26\xcf"


def test_uids_of_all_cascade_levels_are_read() -> None:
    for uid in UIDS:
        rig = held(Card(uid))
        assert set(rig.turns(60)) == {CARD}
        assert set(rig.read) == {uid}
        assert rig.driver.type == CREDENTIAL_ISO14443A
        assert not rig.driver.iso_dep


def test_a_card_is_given_again_for_as_long_as_it_is_held() -> None:
    rig = held(Card(UID7, 0x20))
    assert len(rig.turns(200)) >= 8
    assert rig.driver.iso_dep
    rig.chip.hold()
    rig.turns(20)
    assert rig.turns(100) == []


def test_two_cards_are_doubtful_once_at_whatever_level_they_differ() -> None:
    pairs = ((UID4, b"\x04\xa2\xb3\xc5"), (UID4, UID7), (UID7, UID7[:6] + b"\x67"), (UID10, UID7))
    for first, second in pairs:
        rig = held(Card(first), Card(second))
        assert rig.turns(100) == [DOUBTFUL], (first, second)
        rig.chip.hold(Card(second))
        assert set(rig.turns(40)) == {CARD}
        assert set(rig.read) == {second}
        rig.chip.hold()
        rig.turns(20)
        rig.chip.hold(Card(first), Card(second))
        assert rig.turns(60) == [DOUBTFUL], "they are a new pair"


def test_a_uid_that_begins_with_the_tag_and_ends_there_is_doubtful() -> None:
    card = Card(b"\x88\x01\x02\x03")
    rig = held(card)
    assert set(rig.turns(40)) == {DOUBTFUL}


def test_the_field_is_off_for_a_turn_behind_a_card() -> None:
    rig = held(Card(UID4))
    while not rig.turns(1):
        pass
    assert not rig.chip.registers[0x14] & 3
    rig.turns(2)
    assert rig.chip.registers[0x14] & 3 == 3


def after(exchanges: int, card: Card, flip: int) -> Rig:
    """A rig in which the answer to the exchange of that number has one bit wrong."""
    rig = held(card)
    end = rig.chip.exchanges + exchanges
    while rig.chip.exchanges < end - 1:
        rig.turns(1)
    rig.chip.flips = [flip]
    return rig


def test_a_number_that_its_check_byte_does_not_confirm_is_doubtful_and_selects_nothing() -> None:
    rig = after(2, Card(UID4), 5)
    before = rig.chip.exchanges
    assert rig.turns(3)[0] == DOUBTFUL
    assert rig.chip.exchanges == before + 1


def test_an_answer_to_the_selection_that_its_crc_does_not_confirm_is_doubtful() -> None:
    for flip in range(24):
        assert after(3, Card(UID4), flip).turns(3)[0] == DOUBTFUL, flip


def test_no_one_or_two_flipped_bits_of_any_answer_give_another_card() -> None:
    for uid in UIDS:
        doubtful = tried = 0
        for nth in range(1, 8):
            for first in range(40):
                for second in range(first, 40, 7):
                    tried += 1
                    rig = held(Card(uid))
                    end = rig.chip.exchanges + nth
                    while rig.chip.exchanges < end - 1:
                        rig.turns(1)
                    rig.chip.flips = [first, second] if first != second else [first]
                    doubtful += rig.turns(20).count(DOUBTFUL)
                    assert set(rig.read) <= {uid}, (nth, first, second)
        assert doubtful > tried // 10, "nothing was damaged: it was no test"


def test_no_flipped_bits_between_chip_and_driver_give_another_card() -> None:
    for uid in UIDS:
        refused = 0
        for at in range(40):
            for bit in range(8):
                for other in (at, at + 1, at + 5):
                    rig = held(Card(uid))
                    flips = [0] * (at + 6)
                    flips[at] = 1 << bit
                    flips[other] ^= 1 << bit if other != at else 0
                    rig.chip.spi_flips = flips
                    refused += rig.turns(25)[:1] != [CARD]
                    assert set(rig.read) <= {uid}, (at, bit, other)
        assert refused > 50, "nothing was damaged: it was no test"


def test_a_silent_chip_is_lost_asked_ever_more_rarely_and_comes_back() -> None:
    rig = held()
    rig.chip.faults = FAULT_SILENT
    rig.turns(200)
    assert rig.driver.trouble == TROUBLE_LOST
    rig.chip.faults = 0
    rig.turns(2100)
    assert rig.driver.trouble == 0
    rig.chip.hold(Card(UID7))
    rig.turns(60)
    assert set(rig.read) == {UID7}


def test_a_chip_whose_cipher_is_on_or_whose_field_is_off_is_mended_and_counted() -> None:
    for fault in (FAULT_CRYPTO, FAULT_TRANSMITTER):
        rig = held()
        rig.chip.faults = fault
        rig.chip.registers[0x14] &= 0xFC if fault == FAULT_TRANSMITTER else 0xFF
        rig.turns(30)
        assert (rig.driver.trouble, rig.driver.restarts) == (0, 1), fault
        rig.chip.hold(Card(UID4))
        rig.turns(30)
        assert set(rig.read) == {UID4}


def test_a_chip_that_started_anew_is_set_up_again() -> None:
    rig = held()
    rig.chip._reset()
    rig.turns(30)
    assert rig.driver.restarts == 1
    rig.chip.hold(Card(UID10))
    rig.turns(60)
    assert set(rig.read) == {UID10}


def test_its_own_answers_do_not_keep_erases_away() -> None:
    rig = held()
    before = rig.driver.edge_ticks
    rig.turns(100)
    assert rig.driver.edge_ticks == before
    rig.chip.hold(Card(UID4))
    rig.turns(30)
    assert rig.driver.edge_ticks > before


class Wire:
    """Counts how often it goes on."""

    level = times = 0

    def value(self, level: int) -> None:
        self.times += level and not self.level
        self.level = level


def test_lamp_and_buzzer_follow_the_pattern_while_cards_are_looked_for() -> None:
    rig = Rig()
    lamp, buzzer = Wire(), Wire()
    options = {"lamp": lamp, "buzzer": buzzer}
    bus = Bus(rig.chip)
    rig.driver = drivers((bus, bus), options)[0]
    rig.turns(20)
    rig.driver.show(SHOW_DENIED, rig.now_ms)
    rig.turns(155)
    assert (lamp.times, buzzer.times) == (8, 3)
