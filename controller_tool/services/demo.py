"""The main job told on virtual controllers, with what was measured on the way (host).

Set-up (not part of the story's time): a new site with its keys, three blank boards that run, the
roster of a dormitory imported. Then, each step on real firmware over the real channel: provision,
push, the right card in, a stranger out, a card collected, its receipts, the same card refused, a
battery that burns at the charging station, the log pulled and verified.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from controller_tool import resources
from controller_tool.channel.dial import dial
from controller_tool.errors import DeviceError
from controller_tool.messages import name_of, t
from controller_tool.registry.models import STATE_ISSUED
from controller_tool.services import (
    card_grants,
    cards,
    demo_runaway,
    journal_verify,
    pull,
    push,
    roster,
)
from controller_tool.services.devices_ops import in_parallel
from controller_tool.services.virtual_house import VirtualHouse
from protocol import records
from protocol.codes import EVENT_DENIED, EVENT_GRANTED
from protocol.constants import RECORD_BODY_BYTES, RECORD_BYTES, RING_ACCESS, RING_ALARM
from protocol.names import EVENT_NAMES, REASON_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from controller_tool.client import Client
    from controller_tool.services.provision import Narrator
    from controller_tool.sim import service as sim

DOOR, PILE, STATION = "door-1", "pile-1", "pile-2"
CONTROLLERS = {DOOR: "virtual-door", PILE: "virtual-charger", STATION: "virtual-charger2"}
PICTURE = "thermal-runaway.png"
STRANGER = "0099999999"
_PATIENCE_S = 10.0
_STEP_S = 0.01
_Found = TypeVar("_Found")


class Teller(Protocol):
    """Shows the story as it happens."""

    def chapter(self, title: str) -> None:
        """A new part begins."""

    def line(self, text: str) -> None:
        """Something happened."""

    def narrator(self, name: str) -> Narrator:
        """Who tells of the provisioning of one controller."""


@dataclass(frozen=True)
class Event:
    """A card at a reader, and what the controller's journal says that it decided.

    relay_ms: from the last byte of the card to the relay, by the board's own clock.
    """

    controller: str
    what: str
    event: str
    reason: str
    relay_ms: float | None


@dataclass
class Figures:
    """What was measured, by controller; seconds (``_s``) by this computer's clock.

    revoke_s: from collecting a card to the last receipt, "open" on an open session and "cold".
    """

    setup_s: float = 0.0
    story_s: float = 0.0
    people: int = 0
    list_bytes: int = 0
    provision_s: dict[str, float] = field(default_factory=dict)
    push_s: dict[str, float] = field(default_factory=dict)
    push_bytes: dict[str, int] = field(default_factory=dict)
    revoke_s: dict[str, float] = field(default_factory=dict)
    smoke_to_open_ms: float = 0.0
    records_pulled: dict[str, int] = field(default_factory=dict)
    verified: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """The whole run: whether everything came out as it should, and the figures."""

    ok: bool
    events: list[Event]
    figures: Figures
    site: str | None = None


class Story:
    """One telling; ``run`` fills ``figures`` and ``events``, ``as_expected`` is its verdict."""

    def __init__(self, house: VirtualHouse, teller: Teller, picture: Path | None = None) -> None:
        self.house = house
        self._picture = picture
        self.site = house.site
        self.say = teller
        self.figures = Figures()
        self.events: list[Event] = []
        self.as_expected = True
        self._open: dict[str, Client] = {}

    def run(self) -> None:
        """All chapters."""
        started = time.monotonic()
        try:
            self._provision()
            self._push()
            self._cards()
            self._fire()
        finally:
            self._hang_up()
        self._log()
        self.figures.story_s = time.monotonic() - started

    def _provision(self) -> None:
        self.say.chapter(t("Three blank boards become controllers"))
        self.house.provision({name: self.say.narrator(name) for name in self.house.controllers})
        for done in self.house.provisioned:
            self._expect(done.ok)
            self.figures.provision_s[done.device] = done.seconds
            self.say.line(
                t("{device}: {files} files over the cable, self-test passed, enrolled; {s:.1f} s",
                  device=done.device, files=done.files_written, s=done.seconds)
            )  # fmt: skip

    def _push(self) -> None:
        self.say.chapter(t("The signed whitelist goes out"))
        for name in self.house.controllers:
            card_grants.grant_all(self.site, name)
        for result in push.push(self.site):
            self._expect(result.ok)
            self.figures.push_s[result.device] = result.session_s
            self.figures.push_bytes[result.device] = result.sent_bytes
            self.figures.list_bytes = result.payload_bytes
            self.say.line(
                t("{device}: {count} cards, {size} bytes, receipt for version {version}; {s:.2f} s",
                  device=result.device, count=result.count, size=result.payload_bytes,
                  version=result.version, s=result.session_s)
            )  # fmt: skip

    def _cards(self) -> None:
        first, second = [c.ref for c in cards.list_cards(self.site, STATE_ISSUED)[:2]]
        self.say.chapter(t("At the door and at the charger"))
        self._present(DOOR, first, t("a resident's card"), EVENT_GRANTED)
        self._present(DOOR, STRANGER, t("a card that nobody issued"), EVENT_DENIED)
        self._present(PILE, first, t("the resident charges an e-bike"), EVENT_GRANTED)
        self.say.chapter(t("A card is collected while the desk has its sessions open"))
        self._revoke(first, "open")
        self._present(DOOR, first, t("the collected card"), EVENT_DENIED)
        self.say.chapter(t("Another is collected with no session open"))
        self._hang_up()
        self._revoke(second, "cold")
        self._present(DOOR, second, t("the other collected card"), EVENT_DENIED)

    def _present(self, name: str, card: str, what: str, wanted: int) -> None:
        """A card at a reader; the controller's own journal says what it decided."""
        board, client = self.house.boards[name], self._session(name)
        first = client.head(RING_ACCESS).next_seq
        seen = _newest_move(board)
        self.house.swipe(name, card)
        record = _until(lambda: _decision(client, first))
        took_ms = _until(lambda: _closed_after(board, seen)) if wanted == EVENT_GRANTED else None
        event, reason = EVENT_NAMES[record.event], REASON_NAMES[record.reason]
        self.events.append(Event(name, what, event, reason, took_ms))
        self._expect(record.event == wanted)
        line = t("{device}: {what}: {event} ({reason})",
                 device=name, what=what, event=t(event),
                 reason=name_of("reason", reason))  # fmt: skip
        if took_ms is not None:
            line += t(", relay closed {ms:.1f} ms after the last byte of the card", ms=took_ms)
        self.say.line(line)

    def _fire(self) -> None:
        self.say.chapter(t("A battery burns at the charging station"))
        board, client = self.house.boards[STATION], self._session(STATION)
        two = [c.ref for c in cards.list_cards(self.site, STATE_ISSUED)[:2]]
        rings = {ring: client.head(ring).next_seq for ring in (RING_ACCESS, RING_ALARM)}
        scenario = demo_runaway.Scenario(
            board, client, self.say.line, lambda event: _is_on_record(client, rings, event)
        )
        scenario.begin(lambda number: self.house.swipe(STATION, two[number]))
        seen = scenario.burn()
        self._expect(seen.ok)
        self.figures.smoke_to_open_ms = seen.open_ms
        if self._picture is not None:
            demo_runaway.picture(seen, self._picture)
            self.say.line(t("load, heat and smoke in one picture: {path}", path=self._picture))

    def _revoke(self, card: str, how: str) -> None:
        """From the word at the desk to the receipts of every controller."""
        started = time.monotonic()
        cards.collect(self.site, card)

        def one(name: str) -> push.PushResult:
            return push.push_open(self.site, self.site.device(name), self._session(name))

        results: list[push.PushResult] = in_parallel(one, list(self.house.controllers))
        took_s = time.monotonic() - started
        status = cards.card_status(self.site, card)
        self._expect(all(result.ok for result in results) and status.deregistered)
        self.figures.revoke_s[how] = took_s
        self.say.line(
            t("{card}: {word}, proven by {n} of {m} controllers {s:.2f} s after the desk took it",
              card=card, word=status.word, n=status.proven, m=status.of, s=took_s)
        )  # fmt: skip

    def _log(self) -> None:
        self.say.chapter(t("The logs are pulled and verified"))
        for result in pull.pull(self.site):
            self._expect(result.ok)
            verdict = journal_verify.verify(self.site, self.site.device(result.device))
            self._expect(verdict.ok)
            self.figures.records_pulled[result.device] = result.new
            self.figures.verified[result.device] = verdict.ok
            self.say.line(
                t("{device}: {n} records, chain and tags whole", device=result.device, n=result.new)
                if verdict.ok
                else t("{device}: the log does NOT verify", device=result.device)
            )

    def _session(self, name: str) -> Client:
        if name not in self._open:
            self._open[name] = dial(self.site, self.site.device(name), role="desk")
        return self._open[name]

    def _hang_up(self) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def _expect(self, holds: bool) -> None:
        self.as_expected = self.as_expected and holds


def set_up(folder: Path, passphrase: str, teller: Teller, *, keep: bool) -> VirtualHouse:
    """A new site with its keys, blank boards that run, and the people of a dormitory."""
    teller.chapter(t("Set-up: keys of a new site, three blank virtual boards, a roster"))
    # boards that are not to stay must not outlive this process, whatever ends it
    until_pid = 0 if keep else os.getpid()
    house = VirtualHouse.found(
        folder, t("demonstration"), passphrase, CONTROLLERS, until_pid=until_pid
    )
    try:
        done = roster.import_roster(house.site, resources.demo_roster())
    except BaseException:
        house.close()
        raise
    teller.line(t("{n} people and their cards imported, all invented", n=done.new_people))
    return house


def tell(house: VirtualHouse, teller: Teller, picture: Path | None = None) -> Report:
    """Runs the story in a house that was set up; picture: where the fire is to be drawn."""
    story = Story(house, teller, picture)
    story.run()
    story.figures.people = len(cards.list_cards(house.site))
    return Report(story.as_expected, story.events, story.figures)


def _decision(client: Client, first: int) -> records.Record | None:
    """The first grant or denial from record ``first`` on."""
    ahead = [(first, client.head(RING_ACCESS).next_seq)]
    for page in client.records(RING_ACCESS, ahead):
        for at in range(0, len(page), RECORD_BYTES):
            record = records.unpack(page[at : at + RECORD_BODY_BYTES])
            if record.event in (EVENT_GRANTED, EVENT_DENIED):
                return record
    return None


def _is_on_record(client: Client, rings: dict[int, int], event: int) -> bool:
    """Whether one of the rings has such an event from its number on."""
    for ring, first in rings.items():
        for page in client.records(ring, [(first, client.head(ring).next_seq)]):
            for at in range(0, len(page), RECORD_BYTES):
                if records.unpack(page[at : at + RECORD_BODY_BYTES]).event == event:
                    return True
    return False


def _newest_move(board: sim.Board) -> int:
    """Number of the last change of a relay; -1 before the first."""
    return max((move["number"] for move in board.counters()["relay_log"]), default=-1)


def _closed_after(board: sim.Board, seen: int) -> float | None:
    """Milliseconds from the card's last byte to the relay that closed since ``seen``."""
    for move in board.counters()["relay_log"]:
        if move["number"] > seen and move["on"] and move["since_read_us"] is not None:
            return float(move["since_read_us"]) / 1000
    return None


def _until(ask: Callable[[], _Found | None]) -> _Found:
    end = time.monotonic() + _PATIENCE_S
    while True:
        found = ask()
        if found is not None:
            return found
        if time.monotonic() > end:
            raise DeviceError(
                t("A virtual controller did not do what it should"), t("Run the demo again")
            )
        time.sleep(_STEP_S)
