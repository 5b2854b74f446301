"""Anything that can happen at a charger, in any order, and what must hold all the while.

For MicroPython alone: tests/firmware/device_charger_walk.py walks a little, tests/bench/charger.py
with tests/firmware/soak_charger.py ten thousand sessions.
"""

import random

from protocol import codes as c
from tests.firmware.charger_rig import HARD, POWER_ON, WATCHDOG, Ticks, World
from tests.firmware.flash import PowerCut

TYPE_CHECKING = False

PORTS = 4
LIMIT_W = 1500
TEXTS = (b"ann", b"bob", b"cho", b"dee", b"eve", b"nobody")
LISTED = 5
TURN_MS = 50
MINUTE_S = 60
HOT_MV, WARM_MV, CUT_OFF_MV = 300, 1650, 3300
# to see an overload of the station, and to shed one port a second until it is none
SHED_MS = 1000 * (PORTS + 3)
_CONTACTS = ("smoke", "leakage", "estop", "estop")


class Walk:
    """One charger from its start on; check() after each turn of its loop."""

    def __init__(self, seed: int) -> None:
        random.seed(seed)
        settings = {64: LIMIT_W, 65: random.choice((1000, LIMIT_W)), 75: random.choice((1, 3))}
        contactor = random.random() < 0.7
        self.world = World(PORTS, settings, contactor, plugs=random.random() < 0.7)
        rows = [World.row(1, wh=random.choice((0, 20)), day_wh=random.choice((0, 60)))]
        rows.append(World.row(2, points=0b0110, minutes=random.choice((0, 2)), day_min=30))
        self.world.whitelist.manifest.profiles = rows
        self.keys = {}
        for number in range(LISTED):
            self.keys[TEXTS[number]] = self.world.card(TEXTS[number], 1 + number % 2)
        self.open_on_record = [False] * PORTS  # by the journal
        self.read = 0
        self.energy = [0] * PORTS
        self.went_on_s: dict[int, int] = {}  # of ports: seconds of its session when it went on last
        self.over_ms = 0
        self.lost_ms = [-9999] * PORTS
        self.cuts = self.sessions = self.resumed = 0
        self.ends: dict[int, int] = {}

    # --- what happens -------------------------------------------------------------------------

    def step(self) -> None:
        """One thing happens, then some time passes."""
        acts = (
            self.charge, self.charge, self.charge, self.charge, self.charge, self.swipe, self.plug,
            self.plug, self.press, self.contact, self.heat, self.meter, self.relay, self.ticket,
            self.ticket, self.collect, self.clock, self.cut, self.cut, self.again, self.flicker,
            self.mend, self.mend, self.mend,
        )  # fmt: skip
        try:
            random.choice(acts)()
            for _ in range(random.choice((1, 20, 60, 60, 100, 800))):
                self.world.turn(TURN_MS)
                self.check()
        except PowerCut:
            self.cuts += 1
            self.again()
            self.check()

    def again(self, off_s: int = -1) -> None:
        """Power goes and comes back."""
        self.world.chip.cut_at = 0
        if off_s < 0:
            off_s = random.choice((0, 5, 20, 59, 61, 4000))
        cause = random.choice((POWER_ON, POWER_ON, HARD, WATCHDOG))
        self.world.restart(off_s, cause, random.random() < 0.8)
        for relay in self.world.outputs:
            assert relay.level == 0, "a reset leaves every relay open"
        assert self.world.trip.level == 0
        self.energy = [0] * PORTS

    def flicker(self) -> None:
        """The mains come and go."""
        for _ in range(2):
            self.again(off_s=2)
            for _ in range(200):
                self.world.turn(TURN_MS)
                self.check()

    def charge(self) -> None:
        """A card, and what it takes to be given a port."""
        number = random.randrange(PORTS)
        self.swipe()
        self.world.plug(number, random.choice((5, 15, 200, 600, 900)))
        self.press()

    def swipe(self) -> None:
        self.world.swipe(random.choice(TEXTS))

    def plug(self) -> None:
        self.world.plug(random.randrange(PORTS), random.choice((0, 0, 5, 15, 200, 600, 900, 1200)))

    def press(self) -> None:
        name = "button" + random.choice(("", "2", "3", "4"))
        for turn in range(10):
            if turn == 4:  # a hand is not there while it holds the card
                self.world.wires[name].level = 1
            self.world.turn(TURN_MS)
            self.check()
        self.world.wires[name].level = 0

    def contact(self) -> None:
        name = random.choice(_CONTACTS)
        self.world.wires[name].level = 1 if random.random() < 0.6 else 0

    def heat(self) -> None:
        random.choice(self.world.heat).level_mv = random.choice((HOT_MV, WARM_MV, CUT_OFF_MV))

    def meter(self) -> None:
        row = random.choice(self.world.meters_made)
        row.silent = {random.randrange(row.count)} if random.random() < 0.3 else set()

    def relay(self) -> None:
        relay = random.choice(self.world.outputs)
        if random.random() < 0.5:
            relay.welded = random.random() < 0.4
        else:
            relay.lost = random.random() < 0.4

    def ticket(self) -> None:
        kind, point = self.world.kind, random.randrange(PORTS)
        action = random.choice((c.TICKET_CHARGE_START, c.TICKET_CHARGE_STOP))
        if kind.takes(action, point, 0):
            kind.act(action, point, random.choice((0, 1, 20 << 10)))

    def collect(self) -> None:
        text = random.choice(TEXTS[:LISTED])
        self.world.card(text, 1, random.choice((0, 1)))
        self.world.changes += 1
        self.world.turn(TURN_MS)
        self.check()
        if self.world.whitelist.held[self.keys[text]][1]:
            for port in self.world.kind.sessions.ports:
                assert not port.owns(self.keys[text]), "a collected card goes on charging"

    def clock(self) -> None:
        """Somebody sets it, a little or much."""
        self.world.clock.time_s += random.choice((-3600, -1, 1, 3600, 86400))

    def cut(self) -> None:
        chip = self.world.chip
        chip.cut_quarters = random.choice((0, 1, 2, 4))
        chip.cut_at = chip.operations + random.randrange(1, 6)

    def reset(self) -> None:
        self.world.wires["reset"].level = 1
        for _ in range(50):
            self.world.turn(TURN_MS)
            self.check()
        self.world.wires["reset"].level = 0

    def mend(self) -> None:
        """All is well again, and somebody resets it."""
        for name in _CONTACTS:
            self.world.wires[name].level = 0
        for adc in self.world.heat:
            adc.level_mv = WARM_MV
        for meter in self.world.meters_made:
            meter.silent = set()
        for relay in self.world.outputs:
            relay.welded = relay.lost = False
        for _ in range(20):
            self.world.turn(TURN_MS)
            self.check()
        self.reset()

    # --- what must hold -------------------------------------------------------------------------

    def check(self) -> None:
        self._read_journal()
        world, sessions = self.world, self.world.kind.sessions
        for number in range(PORTS):
            port = sessions.ports[number]
            if world.outputs[number].lost:
                self.lost_ms[number] = Ticks.now_ms
            # one that was out of reach is opened when its turn comes
            in_reach = Ticks.now_ms - self.lost_ms[number] > 2 * PORTS * TURN_MS
            if world.outputs[number].level and in_reach:
                assert self.open_on_record[number], "closed without a session on record"
                assert port.live, "closed though its session is over"
            if sessions.running[number] and port.live:
                assert port.energy_mwh >= self.energy[number], "energy falls"
                self.energy[number] = port.energy_mwh
            else:
                self.energy[number] = 0
        if sessions.station.latches:
            for relay in world.outputs:
                late = Ticks.now_ms - max(self.lost_ms) <= 2 * PORTS * TURN_MS
                assert not relay.level or late, "latched, and a relay is closed"
            assert not world.trip.level, "latched, and the contactor is closed"
        self._check_limit()

    def _check_limit(self) -> None:
        world = self.world
        flows_dw = sum(world.flows_dw(number) for number in range(PORTS))
        blind = any(meter.silent or any(meter.trouble) for meter in world.meters_made)
        stuck = any(relay.welded or relay.lost for relay in world.outputs)
        if flows_dw <= 10 * LIMIT_W or blind or stuck:
            self.over_ms = 0
        else:
            self.over_ms += TURN_MS
            assert self.over_ms <= SHED_MS, "more than the station may draw"

    def _read_journal(self) -> None:
        records = self.world.journal.records
        while self.read < len(records):
            event, reason, point, _, _ = records[self.read]
            self.read += 1
            if event == c.EVENT_CHARGE_STARTED:
                again = reason == c.REASON_RESUMED
                assert self.open_on_record[point] == again, "begun twice, or resumed from nothing"
                self.open_on_record[point] = True
                self._goes_on(point, again)
                self.sessions += not again
                self.resumed += again
            elif event == c.EVENT_CHARGE_ENDED:
                assert self.open_on_record[point], "ended twice, or never begun"
                self.open_on_record[point] = False
                self.ends[reason] = self.ends.get(reason, 0) + 1

    def _goes_on(self, point: int, again: bool) -> None:
        """Once, and not once more before a minute is accounted."""
        port = self.world.kind.sessions.ports[point]
        before_s = self.went_on_s.pop(point, -MINUTE_S)
        if again and port.live:
            assert port.seconds - before_s >= MINUTE_S, "goes on again and again"
            self.went_on_s[point] = port.seconds

    def finish(self) -> None:
        """After one more outage every session has its one end."""
        self.world.chip.cut_at = 0
        self.mend()
        self.again(off_s=4000)
        for _ in range(100):
            self.world.turn(TURN_MS)
            self.check()
        assert not any(self.open_on_record), "a session without an end"


def walk(seed: int, steps: int) -> Walk:
    """Walk so far; the walk, for what has happened in it."""
    Ticks.now_ms = 0
    one = Walk(seed)
    for _ in range(steps):
        one.step()
    one.finish()
    return one
