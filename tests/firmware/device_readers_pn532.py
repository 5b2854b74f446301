"""PN532: what is held there is read; what is damaged, or two, is never a card (MicroPython)."""

from controller_tool.sim.chips.pn532 import TYPE_A, TYPE_B, Card, Pn532
from firmware.readers.pn532 import Driver, drivers
from firmware.readers.results import (
    CARD,
    DOUBTFUL,
    NOTHING,
    SHOW_DENIED,
    TROUBLE_LOST,
    TROUBLE_REFUSED,
)
from protocol.codes import CREDENTIAL_ISO14443A, CREDENTIAL_ISO14443B

UID4 = b"\x04\xa2\xb3\xc4"
UID7 = b"\x04\x11\x22\x33\x44\x55\x66"
UID10 = bytes(range(0x10, 0x1A))
ID_CARD = b"\x01\x23\x45\x67\x89\xab\xcd\xef"
TURN_MS = 10


class Uart:
    """The wire between driver and chip."""

    def __init__(self, chip: Pn532) -> None:
        self.chip = chip
        self.held = b""
        self.written = b""

    def any(self) -> int:
        self.held += self.chip.send()
        return len(self.held)

    def readinto(self, buf: bytearray) -> int:
        count = min(len(buf), self.any())
        buf[:count] = self.held[:count]
        self.held = self.held[count:]
        return count

    def write(self, data: bytes) -> int:
        self.written = data
        self.chip.receive(data)
        return len(data)


class Rig:
    """A driver with its chip; each turn is 10 ms."""

    def __init__(self, chip: "Pn532 | None" = None) -> None:
        self.chip = chip or Pn532()
        self.driver: Driver = drivers(Uart(self.chip), {})[0]
        self.now_ms = self.driver.edge_ticks
        self.read: list[tuple[int, bytes]] = []

    def turns(self, count: int) -> "list[int]":
        found = []
        for _ in range(count):
            self.now_ms += TURN_MS
            result = self.driver.poll(self.now_ms)
            if result != NOTHING:
                found.append(result)
            if result == CARD:
                self.read.append((self.driver.type, bytes(self.driver.credential)))
        return found


def held(*cards: Card) -> Rig:
    """A rig that was set up before the cards came."""
    rig = Rig()
    assert rig.turns(20) == []
    rig.chip.hold(*cards)
    return rig


def test_uids_of_all_cascade_levels_are_read() -> None:
    for uid in (UID4, UID7, UID10):
        rig = held(Card(TYPE_A, uid))
        found = rig.turns(40)
        assert set(found) == {CARD}
        assert set(rig.read) == {(CREDENTIAL_ISO14443A, uid)}
        assert not rig.driver.iso_dep


def test_a_card_is_given_again_for_as_long_as_it_is_held() -> None:
    for card in (Card(TYPE_A, UID7), Card(TYPE_A, UID7, 0x20), Card(TYPE_B, ID_CARD)):
        rig = held(card)
        assert len(rig.turns(200)) >= 5, card.kind
        rig.chip.hold()
        rig.turns(30)
        assert rig.turns(100) == []


def test_a_desfire_is_its_uid_and_seen_to_speak_iso_14443_4() -> None:
    rig = held(Card(TYPE_A, UID7, 0x20))
    assert rig.turns(20)[0] == CARD
    assert rig.read[0] == (CREDENTIAL_ISO14443A, UID7)
    assert rig.driver.iso_dep


def test_a_resident_id_card_gives_its_eight_bytes() -> None:
    rig = held(Card(TYPE_B, ID_CARD))
    assert rig.turns(40)[0] == CARD
    assert rig.read[0] == (CREDENTIAL_ISO14443B, ID_CARD)


def test_another_card_of_type_b_is_passed_over() -> None:
    rig = held(Card(TYPE_B, ID_CARD, is_id_card=False))
    assert rig.turns(200) == []
    assert rig.driver.trouble == 0


class Stranger(Pn532):
    """An ID card answers with another status."""

    status = b""

    def _through(self, data: bytes) -> bytes:
        answer = super()._through(data)
        return answer[:-2] + self.status if answer[-2:] == b"\x90\x00" else answer


def test_an_id_card_that_answers_with_another_status_is_passed_over() -> None:
    for status in (b"\x6a\x82", b"\x90\x01", b"\x61\x00"):
        chip = Stranger()
        chip.status = status
        rig = Rig(chip)
        chip.hold(Card(TYPE_B, ID_CARD))
        assert rig.turns(100) == []


def test_two_cards_are_doubtful_once_and_the_one_that_stays_is_read() -> None:
    rig = held(Card(TYPE_A, UID4), Card(TYPE_A, UID7))
    assert rig.turns(100) == [DOUBTFUL]
    rig.chip.hold(Card(TYPE_A, UID7))
    assert set(rig.turns(30)) == {CARD}
    assert set(rig.read) == {(CREDENTIAL_ISO14443A, UID7)}


def test_a_uid_that_was_cut_off_behind_the_cascade_tag_is_doubtful() -> None:
    rig = held(Card(TYPE_A, b"\x88\x04\x11\x22"))
    assert set(rig.turns(30)) == {DOUBTFUL}


def test_no_flipped_bit_of_any_answer_gives_another_card() -> None:
    for card in (Card(TYPE_A, UID4), Card(TYPE_A, UID10, 0x20), Card(TYPE_B, ID_CARD)):
        doubtful = 0
        for nth in range(8):
            for bit in range(8 * 40):
                rig = held(card)
                count = len(rig.chip.commands)
                while len(rig.chip.commands) < count + nth:
                    rig.turns(1)
                rig.chip.flip = bit
                try:
                    found = rig.turns(20)
                except IndexError:  # beyond the end of that answer
                    break
                doubtful += found.count(DOUBTFUL)
                for kind, number in rig.read:
                    assert (number, kind) == (card.number, card.kind), (nth, bit)
        assert doubtful > 50, "nothing was damaged: it was no test"


def test_half_an_answer_is_no_card_and_no_end() -> None:
    for cut in range(1, 20):
        rig = held(Card(TYPE_A, UID7))
        rig.chip.cut = cut
        rig.turns(60)
        assert set(rig.read) <= {(CREDENTIAL_ISO14443A, UID7)}
        assert set(rig.turns(30)) == {CARD}, cut


ACK = b"\x00\x00\xff\x00\xff\x00"
ANSWER = b"\x00\x00\xff\x0c\xf4\xd5\x4b\x01\x01\x00\x04\x08\x04\x04\xa2\xb3\xc4\xb1\x00"


def told(data: bytes) -> "list[int]":
    """What a driver that has just asked for cards of type A makes of these bytes."""
    rig = held()
    while rig.chip.commands[-1] != 0x32:  # a round ends with none
        rig.driver._uart.written = b""
        rig.turns(1)
        if rig.driver._uart.written[6:8] == b"\x4a\x02":
            rig.chip.send()
            break
    rig.chip.silent = True
    rig.driver._uart.held = data
    return rig.turns(1)


def test_the_frame_of_the_manual_is_a_card() -> None:
    assert told(ACK + ANSWER) == [CARD]


def test_an_answer_that_nobody_confirmed_is_doubtful() -> None:
    assert told(ANSWER) == [DOUBTFUL]


def test_a_length_that_its_complement_does_not_confirm_is_doubtful() -> None:
    assert told(ACK + ANSWER.replace(b"\x0c\xf4", b"\x0c\xf5")) == [DOUBTFUL]


def test_noise_on_the_line_is_no_card() -> None:
    rig = held()
    state = 1
    for _ in range(400):
        state = (state * 1103515245 + 12345) & 0x3FFFFFFF
        rig.driver._uart.held += bytes((state >> 16 & 0xFF, 0, 0xFF, state >> 8 & 0xFF))
        rig.turns(1)
    assert rig.read == []
    rig.chip.hold(Card(TYPE_A, UID4))
    rig.turns(1500)
    assert set(rig.read) == {(CREDENTIAL_ISO14443A, UID4)}


def test_a_silent_chip_is_lost_and_asked_ever_more_rarely() -> None:
    rig = held()
    rig.chip.silent = True
    rig.turns(200)
    assert rig.driver.trouble == TROUBLE_LOST
    sent = []
    for _ in range(6000):
        rig.driver._uart.written = b""
        rig.turns(1)
        if rig.driver._uart.written:
            sent.append(rig.now_ms)
    gaps = [sent[at + 1] - sent[at] for at in range(len(sent) - 1)]
    assert gaps == sorted(gaps)
    assert gaps[-1] >= 10_000


def test_a_chip_that_comes_back_is_no_longer_lost_and_reads() -> None:
    rig = held()
    rig.chip.silent = True
    rig.turns(400)
    rig.chip.silent = False
    rig.chip.reset()
    rig.turns(1200)
    assert rig.driver.trouble == 0
    rig.chip.hold(Card(TYPE_A, UID4))
    assert set(rig.turns(30)) == {CARD}
    assert rig.driver.restarts == 0, "it was lost, and came back: that is one event"


def test_a_chip_that_starts_anew_is_set_up_again_and_counted() -> None:
    rig = held()
    rig.chip.reset()
    rig.turns(100)
    assert (rig.driver.trouble, rig.driver.restarts) == (0, 1)
    rig.chip.hold(Card(TYPE_A, UID4))
    assert set(rig.turns(30)) == {CARD}


def test_another_kind_of_chip_is_refused() -> None:
    rig = Rig()
    rig.chip.version = b"\x33\x01\x06\x07"
    rig.chip.hold(Card(TYPE_A, UID4))
    assert rig.turns(300) == []
    assert rig.driver.trouble == TROUBLE_REFUSED


def test_its_own_answers_do_not_keep_erases_away() -> None:
    rig = held()
    before = rig.driver.edge_ticks
    rig.turns(100)
    assert rig.driver.edge_ticks == before
    rig.chip.hold(Card(TYPE_A, UID4))
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
    rig.driver = drivers(Uart(rig.chip), options)[0]
    rig.turns(20)
    rig.driver.show(SHOW_DENIED, rig.now_ms)
    rig.turns(155)
    assert (lamp.times, buzzer.times) == (8, 3)
