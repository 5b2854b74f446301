"""A station with two ports, whole: cards, loads, faults and power on its own firmware (host)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import pytest

from controller_tool.clock import now_s
from controller_tool.errors import ToolError
from controller_tool.services import energy_pull, ports
from protocol import codes as c
from protocol.constants import RING_ACCESS, RING_ALARM
from tests.e2e.callers import Callers, events
from tests.e2e.stations import station_of
from tests.e2e.test_story import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from controller_tool.client import Client
    from controller_tool.services.ports import Station
    from controller_tool.services.virtual_house import VirtualHouse
    from controller_tool.sim.service import Board

T = TypeVar("T")
NAME = "pile-2"
_START_S = 40
_NOTICED_S = 1.5  # until it is known that no plug is in: the next card would mean its port
MINE, THEIRS = "0013345678", "0013345679"


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """Provisioned, with two cards on its list."""
    folder = tmp_path_factory.mktemp("station") / "site"
    with station_of(folder, NAME, "virtual-charger2", [MINE, THEIRS]) as made:
        yield made


@pytest.fixture(scope="module")
def callers(station: VirtualHouse, tmp_path_factory: pytest.TempPathFactory) -> Callers:
    return Callers(station.site, tmp_path_factory.mktemp("callers"))


class Post:
    """Somebody who stands there and can ask the controller."""

    def __init__(self, house: VirtualHouse, callers: Callers) -> None:
        self.house, self._callers = house, callers
        self.board: Board = house.boards[NAME]
        with callers.call(NAME) as client:
            self._first = {ring: client.head(ring).next_seq for ring in (RING_ACCESS, RING_ALARM)}

    def _call(self, what: Callable[[Client], T]) -> T:
        with self._callers.call(NAME) as client:
            return what(client)

    def ask(self) -> Station:
        return self._call(lambda client: ports.ask(client, NAME))

    def pull_energy(self) -> int:
        """How many slots of the account came."""
        site = self.house.site
        device = site.device(NAME)
        return self._call(lambda client: energy_pull.pull_open(site, device, client).new)

    def told(self, ring: int = RING_ACCESS) -> list[tuple[int, int, int]]:
        """(event, reason, point) since this began."""
        first = self._first[ring]
        return self._call(
            lambda client: [(r.event, r.reason, r.point) for r in events(client, ring, first)]
        )

    def closed(self) -> list[bool]:
        return list(self.board.counters()["outputs"].values())

    def charge(self, card: str, port: int, watts: float) -> None:
        """A card, a plug, and the port closes."""
        self.house.swipe(NAME, card)
        self.board.stimulate("plug_in", port=port, watts=watts)
        assert within(lambda: self.closed()[port - 1]), (self.told(), self.ask())

    def power_goes(self) -> None:
        """And comes back; then the controller answers again."""
        self.board.stimulate("cut_power")
        self.board.stimulate("restore_power")
        assert within(self._answers, _START_S)

    def knows_time(self) -> None:
        self._call(lambda client: client.set_time(now_s()))

    def is_reset(self) -> None:
        """By its button: the chip's own clock goes on."""
        self.board.stimulate("reset")
        assert within(self._answers, _START_S)

    def _answers(self) -> bool:
        try:
            self.ask()
        except ToolError:
            return False
        return True

    def empty(self) -> None:
        """Everything is pulled out."""
        for port in (1, 2):
            self.board.stimulate("unplug", port=port)
        time.sleep(_NOTICED_S)


@pytest.fixture
def post(station: VirtualHouse, callers: Callers) -> Iterator[Post]:
    made = Post(station, callers)
    yield made
    made.empty()


def test_a_card_charges_and_ends_it_and_the_account_is_pulled(post: Post) -> None:
    post.charge(MINE, 2, 250)
    assert within(lambda: abs(post.ask().ports[1].power_dw - 2500) < 50)
    post.house.swipe(NAME, MINE)
    assert within(lambda: not any(post.closed()))
    wanted = [
        (c.EVENT_GRANTED, c.REASON_CARD, 255),
        (c.EVENT_CHARGE_STARTED, c.REASON_CARD, 1),
        (c.EVENT_CHARGE_ENDED, c.END_CARD, 1),
    ]
    assert within(lambda: post.told() == wanted), post.told()
    slots = 0
    for _ in range(5):  # one when it began, one when it ended
        slots += post.pull_energy()
    assert slots >= 2


def test_smoke_is_latched_through_a_power_cut_until_somebody_turns_the_key(post: Post) -> None:
    post.charge(MINE, 1, 250)
    post.board.stimulate("raise_smoke")
    assert within(lambda: not any(post.closed()))
    ended = (c.EVENT_CHARGE_ENDED, c.END_SMOKE, 0)
    assert within(lambda: ended in post.told())
    post.board.stimulate("clear_smoke")
    post.power_goes()
    assert within(lambda: post.ask().latches == c.LATCH_SMOKE)
    post.house.swipe(NAME, MINE)
    assert within(lambda: (c.EVENT_DENIED, c.REASON_FIRE_LATCHED, 255) in post.told())
    assert not any(post.closed())
    post.board.stimulate("turn_key", ms=3000)
    assert within(lambda: post.ask().latches == 0)


def test_a_session_that_power_ends_has_one_end(post: Post) -> None:
    post.charge(THEIRS, 1, 250)
    post.power_goes()
    lost = (c.EVENT_CHARGE_ENDED, c.END_POWER_LOSS, 0)
    assert within(lambda: lost in post.told())
    assert not any(post.closed()), "without a clock nobody knows how long it was off"
    assert post.told().count(lost) == 1


def test_a_session_goes_on_after_a_short_stop_and_not_after_the_next_one(post: Post) -> None:
    post.knows_time()
    post.charge(MINE, 1, 250)
    post.is_reset()
    goes_on = (c.EVENT_CHARGE_STARTED, c.REASON_RESUMED, 0)
    assert within(lambda: goes_on in post.told()), post.told()
    assert within(lambda: post.closed() == [True, False])
    post.is_reset()
    assert within(lambda: (c.EVENT_CHARGE_ENDED, c.END_POWER_LOSS, 0) in post.told())
    assert not any(post.closed())
    assert post.told().count(goes_on) == 1


def test_an_overload_is_cut_and_the_other_port_goes_on(post: Post) -> None:
    post.charge(MINE, 1, 250)
    post.charge(THEIRS, 2, 250)
    post.board.stimulate("draw_watts", watts=1300, port=1)
    assert within(lambda: post.closed() == [False, True])
    assert within(lambda: (c.EVENT_CHARGE_ENDED, c.END_OVER_POWER, 0) in post.told())
    post.house.swipe(NAME, THEIRS)
    assert within(lambda: not any(post.closed()))
    assert within(lambda: (c.EVENT_CHARGE_ENDED, c.END_CARD, 1) in post.told())


def test_a_welded_relay_is_told_and_its_port_is_locked(post: Post) -> None:
    post.charge(MINE, 1, 250)
    post.board.stimulate("weld", port=1)
    post.house.swipe(NAME, MINE)
    assert within(lambda: (c.EVENT_CHARGE_ENDED, c.END_RELAY_WELD, 0) in post.told())
    assert (c.EVENT_RELAY_WELD, c.END_RELAY_WELD, 0) in post.told(RING_ALARM)
    assert post.ask().ports[0].state == c.PORT_LOCKED
    post.board.stimulate("unweld", port=1)
    post.board.stimulate("turn_key", ms=3000)
    assert within(lambda: post.ask().ports[0].state == c.PORT_IDLE)
