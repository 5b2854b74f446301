"""Cards from and to the chargers of other makes, as OCPP local authorization lists (host).

Export, one entry for each card of the controller (or of the site):

- issued and begun: Accepted until its end; over: Expired; not begun: Invalid, NotAtThisTime in
  2.0.1, for a list has no beginning
- collected: Invalid; lost: Blocked; for as long as lists name it
- what no token can hold, or what a charger would take for another card: none, and it is told

Import, all entries or none:

- Accepted, ConcurrentTx: issued to nobody by name until its expiry; a card that is out with
  another end is refused, and one that is over already is not issued
- Blocked: lost; Expired, Invalid, Unknown, or taken off a Differential list: collected
- NoCredit, NotAllowedTypeEVSE, NotAtThisLocation, NotAtThisTime: nothing, for it may open again
- what a Full list does not name stays as it is: other doors may rely on it
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import (
    STATE_COLLECTED,
    STATE_ISSUED,
    STATE_LOST,
    Card,
    Device,
    Grant,
)
from controller_tool.rules import duty, stay
from controller_tool.rules.refusal import require
from controller_tool.services import (
    audit,
    card_holder,
    card_terms,
    cards,
    list_content,
    ocpp_list,
    ocpp_tokens,
)
from controller_tool.services.desk import operators
from controller_tool.services.desk.sheet_cells import Fault
from controller_tool.services.list_records import oldest_min
from controller_tool.services.ocpp_list import Entry, LocalList
from controller_tool.services.roster import RosterRefused
from protocol.constants import TIME_END_MIN

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from controller_tool.credentials import Credential
    from controller_tool.services.site import Site

_ENDS = {
    ocpp_list.BLOCKED: STATE_LOST,
    ocpp_list.EXPIRED: STATE_COLLECTED,
    ocpp_list.INVALID: STATE_COLLECTED,
    ocpp_list.UNKNOWN: STATE_COLLECTED,
    None: STATE_COLLECTED,
}
_ACTS = {STATE_LOST: "lost", STATE_COLLECTED: "collect"}
_OPENS = (ocpp_list.ACCEPTED, ocpp_list.CONCURRENT)


@dataclass(frozen=True)
class Exported:
    """message: the payload for the charger; left_out: references of cards that are not in it."""

    version: str
    number: int
    cards: int
    left_out: tuple[str, ...]
    message: dict[str, Any]


@dataclass(frozen=True)
class Taken:
    """What an import did, or would do. Entries; cards that are new, ended, as they were.

    over: not issued, for their time is over.
    """

    version: str
    entries: int
    issued: int
    ended: int
    unchanged: int
    over: int
    devices: tuple[str, ...]
    dry_run: bool


def export(
    site: Site, version: str, device: str | None = None, number: int | None = None
) -> Exported:
    """The full list of one controller's cards, or of all; number: None counts by the clock."""
    site.require_cards()
    operators.require(site, duty.EXPORT)
    chosen = site.device(device) if device else None
    entries: dict[str, Entry] = {}
    left_out = []
    list_number = now_s() if number is None else number
    site.unlock()
    with site.registry.writing() as session:
        for card in _cards(session, chosen):
            credential = cards.credential_of(site, card)
            token = ocpp_tokens.token_of(version, credential)
            if token is None or token.folded in entries:
                left_out.append(card.ref)
            else:
                entries[token.folded] = Entry(token, *_status(version, card))
        # card numbers leave the registry in the clear
        audit.append(
            session, site.operator, "card.export", device=device, version=version,
            cards=len(entries),
        )  # fmt: skip
    made = LocalList(version, list_number, True, tuple(entries.values()))
    return Exported(version, list_number, len(entries), tuple(left_out), ocpp_list.dump(made))


def import_list(
    site: Site,
    path: Path,
    devices: tuple[str, ...] | None = None,
    until_min: int | None = None,
    dry_run: bool = False,
    profile: str | None = None,
) -> Taken:
    """Do what the file says on the named controllers (None: on all).

    until_min: the end of cards whose entries have none; profile: by name, of cards that are issued,
    for a list knows no hours and no limits of charging. Raises RosterRefused with every fault.
    """
    site.require_cards()
    operators.require(site, duty.CHECK_IN)
    profile_id = card_terms.profile_id(site, profile)
    found, faults = ocpp_list.load(_json(path))
    if found is None:
        raise RosterRefused(path.name, faults)
    site.unlock()
    with site.registry.writing() as session:
        run = _Import(site, session, until_min, profile_id)
        for row, entry in enumerate(found.entries, 1):
            run.take(row, entry)
        if run.faults:
            raise RosterRefused(path.name, run.faults)
        doors = cards.grant_devices(session, devices)
        with session.begin_nested() as trial:
            run.carry_out(doors)
            list_content.require_room(session, doors)
            if dry_run:
                trial.rollback()
        if not dry_run:
            audit.append(
                session, site.operator, "card.import", file=path.name, rows=len(found.entries),
                cards=len(run.new), ended=len(run.ended), devices=[door.name for door in doors],
            )  # fmt: skip
    return Taken(
        found.version, len(found.entries), len(run.new), len(run.ended), run.unchanged, run.over,
        tuple(door.name for door in doors), dry_run,
    )  # fmt: skip


class _Import:
    """What is to be done, found out before anything is."""

    def __init__(
        self, site: Site, session: Session, until_min: int | None, profile_id: int
    ) -> None:
        self.faults: list[Fault] = []
        self.new: list[tuple[Credential, int]] = []
        self.ended: list[tuple[Card, str]] = []
        self.unchanged = self.over = 0
        self._site = site
        self._session = session
        self._until_min = until_min
        self._profile_id = profile_id
        self._rows: dict[Credential | str, int] = {}
        self._now_min = now_s() // 60

    def take(self, row: int, entry: Entry) -> None:
        """Judge one entry."""
        credential = ocpp_tokens.credential_of(entry.token)
        if credential is None:
            self._wrong(row, entry, t("no card that a reader here could report"))
            return
        # a charger takes tokens for the same that differ in case, and we may two spellings
        first = min(self._rows.setdefault(key, row) for key in (credential, entry.token.folded))
        if first != row:
            self._wrong(row, entry, t("the same as in row {row}", row=first))
            return
        card = cards.live_card(self._site, self._session, credential)
        if entry.status in _OPENS:
            self._open(row, entry, credential, card)
        elif entry.status in _ENDS and card is not None:
            self.ended.append((card, _ENDS[entry.status]))
        else:
            self.unchanged += 1

    def carry_out(self, doors: list[Device]) -> None:
        """Ends first: a controller's room may depend on it."""
        for card, state in self.ended:
            card.state, card.ended_at_s = state, now_s()
            audit.append(self._session, self._site.operator, f"card.{_ACTS[state]}", ref=card.ref)
        served = card_terms.served(self._session, [door.name for door in doors])
        for credential, until_min in self.new:
            require(stay.card_without_stay(served, self._now_min, until_min, self._now_min))
            terms = cards.Terms(self._now_min, until_min, profile_id=self._profile_id)
            card = cards.add(self._site, self._session, credential, terms, None)
            self._session.add_all(Grant(card_id=card.id, device_id=door.id) for door in doors)

    def _open(self, row: int, entry: Entry, credential: Credential, card: Card | None) -> None:
        until_min = self._until_min if entry.until_min is None else entry.until_min
        lost = cards.lost_card(self._site, self._session, credential)
        if lost is not None:
            holder = card_holder.said(self._site, self._session, lost)
            self._wrong(row, entry, card_holder.lost_in_row(lost, holder))
        elif card is not None:
            if entry.until_min in {None, card.until_min}:
                self.unchanged += 1
            else:
                what = t("this card is out for another lease ({ref}): collect it first",
                         ref=card.ref)  # fmt: skip
                self._wrong(row, entry, what)
        elif until_min is None:
            self._wrong(row, entry, t("it has no end: give one with --until"))
        elif until_min <= self._now_min:
            self.over += 1
        else:
            self.new.append((credential, until_min))

    def _wrong(self, row: int, entry: Entry, what: str) -> None:
        self.faults.append(Fault(row, entry.token.text, what))


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except OSError:
        raise OperatorError(
            t("{path} cannot be read", path=path.name), t("Check the name of the file")
        ) from None
    except (ValueError, RecursionError):
        raise OperatorError(
            t("{path} is no JSON file", path=path.name),
            t("Give the payload of SendLocalList as JSON"),
        ) from None


def _cards(session: Session, device: Device | None) -> list[Card]:
    """Issued ones first, then what ended last; of one credential the card that counts."""
    query = select(Card)
    if device is not None:
        granted = select(Grant.card_id).where(Grant.device_id == device.id)
        query = query.where(Card.id.in_(granted))
    found = [
        card
        for card in session.scalars(query.order_by(Card.ref))
        if min(card.until_min, (card.ended_at_s or 2**53) // 60) >= oldest_min()
    ]
    live = [card for card in found if card.state == STATE_ISSUED]
    ended = [card for card in found if card.state != STATE_ISSUED]
    taken = {card.credential_index for card in live}
    for card in sorted(ended, key=lambda card: (-(card.ended_at_s or 0), card.ref)):
        if card.credential_index not in taken:
            taken.add(card.credential_index)
            live.append(card)
    return live


def _status(version: str, card: Card) -> tuple[str, int | None]:
    """Status of a card, and its end where it has one."""
    now_min = now_s() // 60
    until_min = None if card.until_min == TIME_END_MIN else card.until_min
    if card.state != STATE_ISSUED:
        return (ocpp_list.BLOCKED if card.state == STATE_LOST else ocpp_list.INVALID), None
    if card.until_min <= now_min:
        return ocpp_list.EXPIRED, until_min
    if card.from_min > now_min:
        return (ocpp_list.INVALID if version == ocpp_tokens.V16 else ocpp_list.NOT_NOW), None
    return ocpp_list.ACCEPTED, until_min
