"""A supply that fails: what is journalled, what waits and what does not (MicroPython)."""

import asyncio

from firmware import dispatch
from firmware.chores import PERIOD_MS, Chores
from firmware.supply import Supply
from protocol import codes as k
from protocol import framing, messages
from tests.firmware.config_rig import HasAll, Pin
from tests.firmware.list_rig import Rig, records, signed_delta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STEADY_MV, LOW_MV, SAG_MV = 12000, 10500, 9000


class Board(HasAll):
    """It measures its supply and sees the mains."""

    SUPPLY_LOW_MV, SUPPLY_HOLD_MV = 11000, 10000

    def __init__(self) -> None:
        super().__init__()
        self.mv = STEADY_MV
        self.wires["mains"] = Pin()
        self.wires["mains"].level = 1

    def supply(self) -> int:
        return self.mv


class Written:
    """A journal that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[int, int]] = []
        self.erased = 0

    def note(self, event: int, _reason: int = 0, extra: int = 0) -> None:
        self.events.append((event, extra))

    def record(self, event: int, reason: int = 0, extra: int = 0) -> int:
        self.note(event, reason, extra)
        return 0

    def tell(self, _uptime_s: int) -> None:
        return None

    def erase_ahead(self) -> bool:
        self.erased += 1
        return True


class Quiet:
    """Whatever else a controller has: nothing happens there."""

    refused = uptime_s = memory_faults = 0
    heap_is_spent = restart_wanted = config_waits = False
    guest: "Any" = None
    fault = ""

    def __init__(self) -> None:
        self.steps = 0
        self.settings: dict[int, int] = {}

    def tick(self) -> None:
        return None

    def step(self) -> None:
        self.steps += 1

    def minute(self) -> None:
        return None

    def quiet_for(self, _ms: int) -> bool:
        return True


class Powered(Quiet):
    """A controller on such a board."""

    def __init__(self) -> None:
        super().__init__()
        self.board = Board()
        self.config = Quiet()
        self.journal: Any = Written()
        self.clock = self.pace = self.access = self.admission = Quiet()
        self.intake: Any = Quiet()
        self.reply = memoryview(bytearray(500))
        me: Any = self
        self.me = me
        self.supply = Supply(me)
        self.chores = Chores(me)

    def passes(self, seconds: int) -> None:
        for _ in range(seconds * 1000 // PERIOD_MS):
            self.chores.turn(PERIOD_MS)

    def ask(self, operation: int, *arguments: "Any", role: int = k.ROLE_DESK) -> int:
        """The wire error of a request."""
        request = messages.request(1, operation, *arguments)[2:]
        reply = asyncio.run(dispatch.answer(self.me, role, memoryview(request)))
        parser = framing.Parser()
        parser.feed(bytes(reply))
        message = parser.next()
        assert message is not None
        return messages.parse_reply(message)[1]


def test_a_steady_supply_says_nothing_and_holds_nothing() -> None:
    c = Powered()
    c.passes(60)
    assert c.journal.events == []
    assert c.intake.steps > 200
    assert c.journal.erased == 60


def test_mains_lost_and_back_are_journalled_once_each() -> None:
    c = Powered()
    c.board.wires["mains"].level = 0
    c.passes(1)
    assert c.journal.events == [], "a flicker is none"
    c.passes(30)
    c.board.wires["mains"].level = 1
    c.passes(30)
    assert c.journal.events == [(k.EVENT_MAINS_LOST, 0), (k.EVENT_MAINS_BACK, 0)]


def test_a_flicker_of_the_mains_starts_the_time_anew() -> None:
    c = Powered()
    for _ in range(10):
        c.board.wires["mains"].level = 0
        c.passes(1)
        c.board.wires["mains"].level = 1
        c.passes(1)
    assert c.journal.events == []


def test_the_mains_have_the_time_that_was_set() -> None:
    c = Powered()
    c.config.settings[50] = 10
    c.board.wires["mains"].level = 0
    c.passes(9)
    assert c.journal.events == []
    c.passes(2)
    assert c.journal.events == [(k.EVENT_MAINS_LOST, 0)]


def test_a_low_supply_is_told_once_and_again_after_it_was_well() -> None:
    c = Powered()
    for mv in (LOW_MV, 11100, LOW_MV, STEADY_MV, LOW_MV):
        c.board.mv = mv
        c.passes(5)
    assert c.journal.events == [(k.EVENT_SUPPLY_LOW, LOW_MV)] * 2
    assert c.journal.erased == 25, "low is not yet a sag"


def test_merges_and_erases_wait_while_it_sags_and_go_on_after_it() -> None:
    c = Powered()
    c.board.mv = SAG_MV
    c.passes(1)
    steps, erased = c.intake.steps, c.journal.erased
    c.passes(60)
    assert (c.intake.steps, c.journal.erased) == (steps, erased)
    c.board.mv = 10200
    c.passes(5)
    assert c.intake.steps == steps, "until it is well above"
    c.board.mv = STEADY_MV
    c.passes(5)
    assert c.intake.steps > steps
    assert c.journal.erased > erased


def test_a_card_that_is_left_at_a_reader_puts_off_merges_and_erases_for_ten_seconds() -> None:
    c = Powered()
    c.pace.quiet_for = lambda _ms: False  # type: ignore[method-assign]
    c.passes(9)
    assert (c.intake.steps, c.journal.erased) == (0, 0)
    c.passes(10)
    assert c.intake.steps > 10
    assert c.journal.erased == 10
    c.pace.quiet_for = lambda _ms: True  # type: ignore[method-assign]
    c.passes(1)
    c.pace.quiet_for = lambda _ms: False  # type: ignore[method-assign]
    steps = c.intake.steps
    c.passes(9)
    assert c.intake.steps == steps, "somebody at the door is not a card that was left there"


def test_large_writes_are_answered_with_busy_and_the_rest_is_answered() -> None:
    c = Powered()
    c.board.mv = SAG_MV
    envelope = bytes(500)
    for operation, arguments in (
        (k.OP_LIST_BEGIN, (envelope,)),
        (k.OP_LIST_CHUNK, (0, b"x")),
        (k.OP_LIST_COMMIT, (bytes(16),)),
        (k.OP_PUT_TRUST, (0, 100, b"x")),
        (k.OP_PUT_CONFIG, (envelope,)),
    ):
        role = k.ROLE_INSTALLER if operation == k.OP_PUT_TRUST else k.ROLE_DESK
        assert c.ask(operation, *arguments, role=role) == k.ERR_BUSY, operation
    assert c.ask(k.OP_PING) == k.OK
    assert not c.heap_is_spent, "busy for want of power is not busy for want of room"
    c.board.mv = STEADY_MV
    assert c.ask(k.OP_LIST_CHUNK, 0, b"x") != k.ERR_BUSY


def test_a_broken_wire_is_no_sag() -> None:
    c = Powered()
    for mv in (0, 150, 2999):
        c.board.mv = mv
        c.passes(5)
    assert c.journal.events == []
    assert c.journal.erased == 15


def test_limits_are_those_that_were_set() -> None:
    c = Powered()
    c.config.settings[48], c.config.settings[49] = 20000, 19000
    c.passes(1)
    assert c.journal.events == [(k.EVENT_SUPPLY_LOW, STEADY_MV)]
    assert c.supply.sags()


def test_a_board_without_such_wires_holds_nothing() -> None:
    c = Powered()
    c.me.board = HasAll()
    supply = Supply(c.me)
    assert not supply.turn(PERIOD_MS)
    assert c.journal.events == []


# --- power goes for good while it sags -------------------------------------------------------


def test_a_merge_that_waits_is_in_no_danger_when_power_goes() -> None:
    """Nothing is written while it waits: whenever power goes, the flash is as it was."""
    rig = Rig(cards=600)
    old = records(300)
    rig.full(1, old)
    new = b"".join(sorted(old[at : at + 16] for at in range(16, len(old), 16)))
    gone = old[:8] + bytes(7) + b"\x80"
    rig.push(signed_delta(2, 1, old, new, gone), gone)
    rig.clock.uptime_s += 4000
    c = Powered()
    c.intake = rig.intake
    rig.intake.clock.uptime_s = 4000
    c.passes(1)
    c.board.mv = SAG_MV
    c.passes(1)
    before = rig.image()
    writes = rig.chip.operations
    c.passes(120)
    assert rig.chip.operations == writes, "not one operation"
    rig.reboot(before)
    assert rig.whitelist.version == 2
    c = Powered()
    c.intake = rig.intake
    rig.intake.clock.uptime_s = 4000
    c.passes(600)
    assert rig.chip.operations > writes
    assert len(rig.whitelist.index) == 0, "merged after all"
    assert rig.whitelist.version == 2
