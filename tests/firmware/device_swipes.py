"""Readers of a door: cards, keys, doubt, and what becomes of a reader itself (MicroPython)."""

import sys
import time

from firmware.readers.results import (
    CARD,
    DOUBTFUL,
    KEY,
    KEY_ENTER,
    NOTHING,
    SHOW_DENIED,
    SHOW_REST,
    TROUBLE_LOST,
    TROUBLE_POWER,
    TROUBLE_TAMPER,
)
from firmware.reading import Reader
from firmware.swipes import Swipes
from protocol.codes import (
    EVENT_READER_BACK,
    EVENT_READER_DOUBTFUL,
    EVENT_READER_LOST,
    EVENT_READER_PAIRED,
    EVENT_READER_RESTARTED,
    EVENT_READER_TAMPER,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Driver:
    """A reader that answers what it is told to, then nothing."""

    def __init__(self, *answers: "int | bytes") -> None:
        self.answers = list(answers)
        self.type = 2
        self.credential = b""
        self.key = KEY_ENTER
        self.edge_ticks = 0
        self.trouble = 0
        self.restarts = 0
        self.shown: list[int] = []

    def poll(self, now_ms: int) -> int:
        if not self.answers:
            return NOTHING
        answer = self.answers.pop(0)
        self.edge_ticks = now_ms
        if isinstance(answer, bytes):
            self.credential = answer
            return CARD
        return answer

    def show(self, pattern: int, _now_ms: int) -> None:
        self.shown.append(pattern)


class Kind:
    """A module of firmware/readers: several drivers a row, as an OSDP line has them."""

    @staticmethod
    def drivers(port: "list[Driver]", _options: "dict[str, Any]") -> "list[Driver]":
        return port


modules: "Any" = sys.modules
modules["firmware.readers.told"] = Kind


class House:
    """A controller with readers and somebody who takes notes."""

    def __init__(self, *rows: "list[Driver]", listens: bool = True) -> None:
        self.board = self.journal = self.pace = self.config = self
        self.settings: dict[int, Any] = {33: 57600}
        self.enrolment = None
        self.rows = rows
        self.edge_ticks = -1
        self.lost = 0
        self.notes: list[tuple[int, int, int]] = []
        self.cards: list[tuple[int, bytes]] = []
        self.keys: list[tuple[int, int]] = []
        self.swipes = Swipes(self, self.card, self.key if listens else None)

    def readers(self) -> "list[tuple[str, list[Driver], dict[str, Any]]]":
        return [("told", row, {}) for row in self.rows]

    def paired(self, driver: "Driver", outcome: int) -> None:
        """A reader was given its key."""
        driver.pairing = 1
        self.swipes.readers[0].pairs = True
        self.swipes.poll()
        driver.pairing = outcome

    def card(self, reader: "Any") -> None:
        self.cards.append((reader.number, bytes(reader.driver.credential)))

    def key(self, reader: "Any", key: int) -> None:
        self.keys.append((reader.number, key))

    def note(self, event: int, reason: int = 0, point: int = 255) -> None:
        self.notes.append((event, reason, point))


def test_readers_are_numbered_in_the_order_of_their_drivers() -> None:
    house = House([Driver(b"a"), Driver(b"b")], [Driver(b"c")])
    house.swipes.poll()
    assert house.cards == [(0, b"a"), (1, b"b"), (2, b"c")]


def test_a_reader_gives_one_card_a_turn() -> None:
    house = House([Driver(b"a", b"b", b"c")])
    house.swipes.poll()
    assert house.cards == [(0, b"a")]
    house.swipes.poll()
    assert house.cards == [(0, b"a"), (0, b"b")]


def test_a_card_that_is_held_there_counts_once() -> None:
    house = House([Driver(b"a", b"a", NOTHING, b"a", b"b", b"a")])
    for _ in range(6):
        house.swipes.poll()
    assert house.cards == [(0, b"a"), (0, b"b"), (0, b"a")]


def test_a_card_that_is_held_there_for_a_minute_counts_once_too() -> None:
    driver = Driver()
    reader = Reader(0, driver)
    now_ms = time.ticks_ms()
    taken = []
    for pause_ms in [500] * 120 + [1000]:
        now_ms = time.ticks_add(now_ms, pause_ms)
        driver.answers = [b"card"]
        taken.append(reader.poll(now_ms) == CARD)
    assert taken == [True] + [False] * 119 + [True]


def test_doubt_and_keys_come_before_the_card_behind_them() -> None:
    house = House([Driver(DOUBTFUL, KEY, DOUBTFUL, b"a")])
    house.swipes.poll()
    assert house.notes == [(EVENT_READER_DOUBTFUL, 0, 0)] * 2
    assert house.keys == [(0, KEY_ENTER)]
    assert house.cards == [(0, b"a")]


def test_keys_are_passed_over_where_nobody_wants_them() -> None:
    house = House([Driver(KEY, b"a")], listens=False)
    house.swipes.poll()
    assert (house.keys, house.cards) == ([], [(0, b"a")])


def test_noise_at_one_reader_does_not_keep_the_turn_from_the_next() -> None:
    house = House([Driver(*[DOUBTFUL] * 1000)], [Driver(b"b")])
    house.swipes.poll()
    assert len(house.notes) < 10
    assert house.cards == [(1, b"b")]


def test_every_sign_of_a_card_keeps_erases_away() -> None:
    driver = Driver()
    house = House([driver])
    house.swipes.poll()
    assert house.edge_ticks == -1
    driver.edge_ticks = 7
    house.swipes.poll()
    assert house.edge_ticks == 7
    house.edge_ticks = -1
    house.swipes.poll()
    assert house.edge_ticks == -1, "an old edge is told once"


def test_what_becomes_of_a_reader_is_noted_once() -> None:
    driver = Driver()
    house = House([Driver()], [driver])
    for trouble in (0, TROUBLE_LOST, TROUBLE_LOST, 0, TROUBLE_TAMPER, 0, 0):
        driver.trouble = trouble
        house.swipes.poll()
    assert house.notes == [
        (EVENT_READER_LOST, TROUBLE_LOST, 1),
        (EVENT_READER_BACK, 0, 1),
        (EVENT_READER_TAMPER, TROUBLE_TAMPER, 1),
        (EVENT_READER_BACK, 0, 1),
    ]


def test_a_second_trouble_is_noted_too_and_back_is_when_none_is_left() -> None:
    driver = Driver()
    house = House([driver])
    both = TROUBLE_TAMPER | TROUBLE_POWER
    for trouble in (TROUBLE_TAMPER, both, TROUBLE_POWER, 0):
        driver.trouble = trouble
        house.swipes.poll()
    assert house.notes == [
        (EVENT_READER_TAMPER, TROUBLE_TAMPER, 0),
        (EVENT_READER_LOST, both, 0),
        (EVENT_READER_BACK, 0, 0),
    ]


def test_a_reader_that_started_anew_is_noted() -> None:
    driver = Driver()
    house = House([driver])
    driver.restarts = 1
    house.swipes.poll()
    house.swipes.poll()
    assert house.notes == [(EVENT_READER_RESTARTED, 0, 0)]


def test_a_reader_is_told_what_to_show_when_it_changes() -> None:
    drivers = [Driver(), Driver()]
    swipes = House(drivers).swipes
    for pattern in (SHOW_REST, SHOW_DENIED, SHOW_DENIED, SHOW_REST):
        swipes.show(1, pattern)
    assert [driver.shown for driver in drivers] == [[], [SHOW_DENIED, SHOW_REST]]


def test_what_became_of_a_key_is_noted_once() -> None:
    driver = Driver()
    house = House([driver])
    house.paired(driver, 3)
    assert house.notes == []
    house.swipes.poll()
    house.swipes.poll()
    assert house.notes == [(EVENT_READER_PAIRED, 3, 0)]


def test_drivers_are_told_the_settings_and_where_their_readers_begin() -> None:
    rows = [[Driver(), Driver()], [Driver()]]
    told: list[dict[str, Any]] = []
    house = House(*rows)
    house.readers = lambda: [("told", row, made(told)) for row in rows]
    Swipes(house, house.card, None)
    assert [(options["first"], options["settings"]) for options in told] == [
        (0, {33: 57600}), (2, {33: 57600}),
    ]  # fmt: skip


def made(told: "list[dict[str, Any]]") -> "dict[str, Any]":
    told.append({})
    return told[-1]
