"""A provisioned controller under test, whatever it is made of (host)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.channel.dial import Way, dial
from controller_tool.clock import now_s
from controller_tool.errors import LinkError
from controller_tool.services import cards, devices_ops, journal_verify, pull, push
from protocol import records
from protocol.constants import RECORD_BODY_BYTES, RECORD_BYTES, RING_ACCESS
from protocol.names import EVENT_NAMES, REASON_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.client import Client
    from controller_tool.credentials import Credential
    from controller_tool.services.site import Site
    from controller_tool.sim.service import Board
    from hil_tests.bench import Bench

PATIENCE_S = 15.0
_STEP_S = 0.05


@dataclass(frozen=True)
class Event:
    """What a test asks of a journal record: protocol.codes EVENT_* and REASON_*."""

    event: int
    reason: int

    def __repr__(self) -> str:
        reason = REASON_NAMES.get(self.reason, self.reason)
        return f"{EVENT_NAMES.get(self.event, self.event)}/{reason}"


class Controller:
    """A controller of a site, reached through the tool's own channel, and the bench around it.

    twin, jig: the virtual boards that it and its jig are, None for real ones; port: overrides
    where it was last.
    """

    def __init__(
        self, site: Site, name: str, bench: Bench, twin: Board | None = None,
        jig: Board | None = None, port: str | None = None,
    ) -> None:  # fmt: skip
        self.site = site
        self.name = name
        self.bench = bench
        self.twin = twin
        self.jig = jig
        self._way = Way(port=port)
        self._client: Client | None = None
        self._seen: dict[int, int] = {}

    def close(self) -> None:
        """Ends the session, if one is open."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    @property
    def client(self) -> Client:
        """An open session; a new one when the last has ended."""
        if self._client is not None:
            try:
                self._client.ping()
            except LinkError:
                self.close()
        if self._client is None:
            self._client = dial(self.site, self.site.device(self.name), self._way)
        return self._client

    def call(self, role: str) -> Client:
        """A session of its own as that role; the one that was open is over."""
        self.close()
        return dial(self.site, self.site.device(self.name), self._way, role)

    def issue_card(self) -> Credential:
        """A card that nobody has, good for an hour, on the controller when this returns."""
        card = self.bench.new_credential()
        minute = now_s() // 60
        terms = cards.Terms(minute - 1, minute + 60, devices=(self.name,))
        cards.issue(self.site, card, terms, None)
        self._push()
        return card

    def collect_card(self, card: Credential) -> None:
        """The card is handed in; proven dead when this returns."""
        cards.collect(self.site, str(card))
        self._push()
        assert cards.card_status(self.site, str(card)).deregistered

    def _push(self) -> None:
        result = push.push_open(self.site, self.site.device(self.name), self.client)
        assert result.ok, result.what

    def self_test(self) -> dict[str, bool]:
        """Each check of the controller's own and whether it passed."""
        self.close()  # another role asks
        return devices_ops.self_test(self.site, self.name, self._way)

    def pull_journal(self) -> None:
        """Fetches both rings into the registry."""
        assert pull.pull_open(self.site, self.site.device(self.name), self.client).ok

    def findings(self) -> list[str]:
        """What is wrong with the journal that was pulled; nothing, it is hoped."""
        report = journal_verify.verify(self.site, self.site.device(self.name))
        return [str(finding) for finding in report.findings]

    def comes_back(self) -> bool:
        """Whether it answers again within PATIENCE_S; then its clock is set, which it has lost."""
        self.close()
        back = self.within(self.answers)
        if back:
            devices_ops.sync_clock(self.site, self.site.device(self.name), self.client)
        return back

    def answers(self) -> bool:
        """Whether it answers now."""
        try:
            self.client.ping()
        except LinkError:
            return False
        return True

    def new_events(self, ring: int = RING_ACCESS) -> list[Event]:
        """What was journalled since the last call for this ring, or since the ring's start."""
        client = self.client
        head = client.head(ring)
        first = max(self._seen.get(ring, 0), head.oldest_seq)
        pages = b"".join(client.records(ring, [(first, head.next_seq)]))
        self._seen[ring] = head.next_seq
        bodies = (
            records.unpack(pages[at : at + RECORD_BODY_BYTES])
            for at in range(0, len(pages), RECORD_BYTES)
        )
        return [Event(body.event, body.reason) for body in bodies]

    def events_until(self, event: int, ring: int = RING_ACCESS) -> list[Event]:
        """New events up to and with one of this kind; AssertionError after PATIENCE_S without."""
        found: list[Event] = []

        def seen() -> bool:
            found.extend(self.new_events(ring))
            return any(one.event == event for one in found)

        assert self.within(seen), f"no {EVENT_NAMES[event]} among {found}"
        return found

    def locked(self) -> bool:
        """Whether the lock holds, within PATIENCE_S."""
        return self.within(lambda: not self.bench.powers())

    @staticmethod
    def within(holds: Callable[[], bool]) -> bool:
        """Whether a condition comes to hold within PATIENCE_S."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > end:
                return False
            time.sleep(_STEP_S)
        return True
