"""Cards: issued, handed in, lost, and what is proven about them (host).

A card is *deregistered* when it has ended and every controller that was ever sent it has
receipted a list in which it opens nothing. Receipts alone count: not "sent", not "pushed OK".
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool import credentials
from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import (
    ENDED_LOST,
    ENDED_WIPED,
    STATE_COLLECTED,
    STATE_ISSUED,
    STATE_LOST,
    STATE_REPLACED,
    Card,
    Device,
    Grant,
    Person,
)
from controller_tool.registry.records import SentCard
from controller_tool.rules import duty
from controller_tool.rules.refusal import require
from controller_tool.services import audit, card_holder, card_terms, list_content, people, refs
from controller_tool.services.desk import operators
from controller_tool.services.site_init import RESIDENT_PROFILE
from protocol.constants import FLAG_EMERGENCY, FLAG_MASTER, ID_BYTES, TIME_END_MIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from controller_tool.credentials import Credential
    from controller_tool.registry.sealing import Vault
    from controller_tool.services.site import Site

_INDEX = "credential"
_REFERENCE = re.compile(r"[Kk][0-9]{6,}")


@dataclass(frozen=True)
class Terms:
    """What a card allows. Minutes since 2020; ``until_min`` is the first that is not allowed.

    devices: names of controllers, None for all of the site; flags: FLAG_*.
    """

    from_min: int
    until_min: int
    devices: tuple[str, ...] | None = None
    flags: int = 0
    profile_id: int = RESIDENT_PROFILE


@dataclass(frozen=True)
class CardStatus:
    """A card and what is proven about it.

    proven: controllers whose receipt shows that it opens nothing there; of: those for which it was
    ever signed, for a signed list may be on its way, sent_to: their names; pending: names of those
    whose receipt is missing, for an issued card: that it is in their list.
    """

    ref: str
    state: str
    holder: str
    room: str
    credential: str
    from_min: int
    until_min: int
    devices: tuple[str, ...]
    proven: int
    of: int
    pending: tuple[str, ...]
    sent_to: tuple[str, ...]

    @property
    def deregistered(self) -> bool:
        """Whether it is proven dead wherever it was ever sent."""
        return self.state != STATE_ISSUED and self.proven == self.of

    @property
    def word(self) -> str:
        """The one word for the screen: "issued", "pending n/m" or "deregistered".

        "replaced" is a former issue that is proven gone, of a card that its holder keeps.
        """
        if self.state == STATE_ISSUED:
            return t("issued")
        if self.deregistered:
            return t("replaced") if self.state == STATE_REPLACED else t("deregistered")
        return t("pending {n}/{m}", n=self.proven, m=self.of)


def issue(
    site: Site,
    credential: Credential,
    terms: Terms,
    holder: people.Holder | None,
    dry_run: bool = False,
) -> CardStatus:
    """Issue one card; OperatorError when it is out already or its terms are impossible."""
    site.require_cards()
    operators.require(site, _act(terms))
    site.unlock()
    with site.registry.writing() as session, session.begin_nested() as trial:
        card_terms.check(session, terms)
        person = people.take(site, session, holder) if holder else None
        card = add(site, session, credential, terms, person)
        devices = grant_devices(session, terms.devices)
        audit.append(
            session, site.operator, "card.issue", ref=card.ref, devices=[d.name for d in devices],
            profile=terms.profile_id, flags=terms.flags,
        )  # fmt: skip
        session.add_all(Grant(card_id=card.id, device_id=device.id) for device in devices)
        list_content.require_room(session, devices)
        status = status_of(site, session, card)
        if dry_run:
            trial.rollback()
    return status


def _act(terms: Terms) -> str:
    if terms.flags & FLAG_EMERGENCY:
        return duty.ISSUE_EMERGENCY
    return duty.ISSUE_MASTER if terms.flags & FLAG_MASTER else duty.CHECK_IN


def add(
    site: Site,
    session: Session,
    credential: Credential,
    terms: Terms,
    person: Person | None,
    found: bool = False,
) -> Card:
    """The row of a new card in the caller's transaction, without grants.

    found: two operators say that it is lost no more; RuleRefused for a lost card without.
    """
    out = live_card(site, session, credential)
    if out is not None:
        raise OperatorError(
            t("Card {card} is issued already: {holder}", card=credential.masked(),
              holder=card_holder.said(site, session, out)),
            card_holder.way_out(session, out),
        )  # fmt: skip
    gone = None if found else lost_card(site, session, credential)
    if gone is not None:
        require(card_holder.refuse_lost(site, session, gone, credential))
    if not 0 <= terms.from_min < terms.until_min <= TIME_END_MIN:
        raise OperatorError(
            t("The card would end before it begins, or lie outside of 2020 to 2051"),
            t("Check the dates"),
        )
    card = made(site, credential, terms, person.id if person else None,
                refs.following(session, Card.ref, "K"))  # fmt: skip
    session.add(card)
    session.flush()
    return card


def lost_card(site: Site, session: Session, credential: Credential) -> Card | None:
    """The newest card with this credential if it was lost, which takes two operators to end."""
    last = newest_with(site, session, credential)
    return last if last is not None and last.state == STATE_LOST else None


def made(site: Site, credential: Credential, terms: Terms, person_id: str | None, ref: str) -> Card:
    """The row of a new card, which the caller adds and has looked after: none is out, or lost."""
    row_id = os.urandom(ID_BYTES).hex()
    return Card(
        id=row_id,
        ref=ref,
        credential_type=credential.type,
        credential_sealed=site.vault.seal("cards", row_id, "credential", credential.data),
        credential_index=index(site.vault, credential),
        state=STATE_ISSUED,
        flags=terms.flags,
        profile_id=terms.profile_id,
        from_min=terms.from_min,
        until_min=terms.until_min,
        person_id=person_id,
        issued_at_s=now_s(),
    )


def grant_devices(session: Session, names: Sequence[str] | None) -> list[Device]:
    """The controllers of these names; None: all but those that were replaced."""
    if names is None:
        found = session.scalars(select(Device).order_by(Device.name))
        return [device for device in found if "~" not in device.name]
    query = select(Device).where(Device.name.in_(names))
    devices = list(session.scalars(query.order_by(Device.name)))
    unknown = sorted(set(names) - {device.name for device in devices})
    if unknown:
        raise OperatorError(
            t("No controller is named {name}", name=", ".join(unknown)),
            t("See the names with: device list"),
        )
    return devices


def collect(site: Site, text: str) -> CardStatus:
    """The card was handed in: it opens nothing any more. Doing it twice changes nothing."""
    return _end(site, text, STATE_COLLECTED, "card.collect")


def lost(site: Site, text: str) -> CardStatus:
    """The card is lost: as collected, and remembered as lost."""
    return _end(site, text, STATE_LOST, "card.lost")


def find(site: Site, session: Session, text: str) -> Card:
    """The card with this reference or number, the issued one first; OperatorError when none."""
    found = by_ref(session, text)
    if found is not None:
        return found
    credential = parse(session, text)
    found = newest_with(site, session, credential)
    if found is None:
        raise OperatorError(
            t("No card {card} was ever issued here", card=credential.masked()),
            t("See the cards with: card list"),
        )
    return found


def by_ref(session: Session, text: str) -> Card | None:
    """The card with this reference."""
    return session.scalar(select(Card).where(Card.ref == text.strip().upper()))


def newest_with(site: Site, session: Session, credential: Credential) -> Card | None:
    """The card with this credential that is issued, else the one that was issued last."""
    query = select(Card).where(Card.credential_index == index(site.vault, credential))
    return newest(session.scalars(query))


def newest(same: Iterable[Card]) -> Card | None:
    """Of cards with one credential the one that is issued, else the one that was issued last."""
    return max(same, key=lambda one: (one.state == STATE_ISSUED, len(one.ref), one.ref),
               default=None)  # fmt: skip


def parse(session: Session, text: str) -> Credential:
    """A card number as this site reads it; a reference comes here when nobody has it."""
    if _REFERENCE.fullmatch(text.strip()):
        raise OperatorError(
            t("No card {card} was ever issued here", card=text.strip().upper()),
            t("See the cards with: card list"),
        )
    return credentials.parse(text, list_content.number(session, "em4100_version"))


def read_credential(site: Site, text: str) -> Credential:
    """The credential of the card with this reference, or of this number, known here or not."""
    site.require_cards()
    with site.registry.session() as session:
        found = by_ref(session, text)
        return parse(session, text) if found is None else credential_of(site, found)


def credential_of(site: Site, card: Card) -> Credential:
    """The unsealed credential of a card."""
    data = site.vault.open("cards", card.id, "credential", card.credential_sealed)
    return credentials.Credential(card.credential_type, data)


def live_card(site: Site, session: Session, credential: Credential) -> Card | None:
    """The issued card with this credential."""
    query = select(Card).where(
        Card.credential_index == index(site.vault, credential), Card.state == STATE_ISSUED
    )
    return session.scalar(query)


def card_status(site: Site, text: str) -> CardStatus:
    """One card and what is proven about it."""
    with site.registry.session() as session:
        return status_of(site, session, find(site, session, text))


def list_cards(site: Site, state: str | None = None, room: str | None = None) -> list[CardStatus]:
    """All cards by reference, perhaps of one state or one room only."""
    site.require_cards()
    query = select(Card).order_by(Card.ref)
    if state is not None:
        query = query.where(Card.state == state)
    if room is not None:
        query = query.join(Person, Person.id == Card.person_id).where(Person.room == room)
    with site.registry.session() as session:
        return [status_of(site, session, card) for card in session.scalars(query)]


def unproven(site: Site) -> list[CardStatus]:
    """Cards that ended and are not proven dead wherever they were sent, by reference."""
    query = select(Card).where(Card.state != STATE_ISSUED, Card.id.in_(waiting()))
    with site.registry.session() as session:
        found = session.scalars(query.order_by(Card.ref))
        return [status_of(site, session, card) for card in found]


def waiting() -> Select[str]:
    """Ids of cards that some controller in their *m* has not proven dead."""
    return (
        select(SentCard.card_id)
        .join(Device, Device.id == SentCard.device_id)
        .where(not_dead(), counts())
    )


def _end(site: Site, text: str, state: str, act: str) -> CardStatus:
    site.require_cards()
    operators.require(site, duty.CHECK_OUT)
    site.unlock()
    with site.registry.writing() as session:
        card = find(site, session, text)
        if card.state == STATE_ISSUED:
            card.state, card.ended_at_s = state, now_s()
            audit.append(session, site.operator, act, ref=card.ref)
        session.flush()
        return status_of(site, session, card)


def status_of(site: Site, session: Session, card: Card) -> CardStatus:
    """One card of an open session and what is proven about it."""
    person = session.get(Person, card.person_id) if card.person_id else None
    granted = select(Device.name).join(Grant, Grant.device_id == Device.id).where(counts())
    names = tuple(session.scalars(granted.where(Grant.card_id == card.id).order_by(Device.name)))
    sent = (
        select(SentCard, Device)
        .join(Device, Device.id == SentCard.device_id)
        .where(SentCard.card_id == card.id, counts())
        .order_by(Device.name)
    )
    pairs = list(session.execute(sent))
    dead = {device.name for row, device in pairs if proven_dead(row, device)}
    listed = {device.name for row, device in pairs if _proven_listed(row, device)}
    sent_to = tuple(device.name for _, device in pairs)
    return CardStatus(
        ref=card.ref,
        state=card.state,
        holder=operators.name_seen(site, session, person.name) if person else "",
        room=person.room if person else "",
        credential=credential_of(site, card).masked(),
        from_min=card.from_min,
        until_min=card.until_min,
        devices=names,
        proven=len(dead),
        of=len(pairs),
        pending=tuple(name for name in names if name not in listed)
        if card.state == STATE_ISSUED
        else tuple(name for name in sent_to if name not in dead),
        sent_to=sent_to,
    )


def counts() -> ColumnElement[bool]:
    """Of a controller: it is in the *m* of what it was sent.

    None is after its wipe receipt, or after two operators stated that it is lost.
    """
    return Device.ended_how.is_(None) | Device.ended_how.not_in((ENDED_WIPED, ENDED_LOST))


def not_dead() -> ColumnElement[bool]:
    """Of a sent card and its controller: no receipt says that it has it no more."""
    dead_from = SentCard.dead_from_version
    return dead_from.is_(None) | (Device.list_version_receipted < dead_from)


def proven_dead(row: SentCard, device: Device) -> bool:
    """A receipt says that the controller has it no more."""
    dead_from = row.dead_from_version
    return dead_from is not None and device.list_version_receipted >= dead_from


def _proven_listed(row: SentCard, device: Device) -> bool:
    return row.dead_from_version is None and device.list_version_receipted >= row.first_version


def index(vault: Vault, credential: Credential) -> bytes:
    """What stands in the registry for a credential so that it can be found."""
    return vault.index(_INDEX, bytes((credential.type,)) + credential.data)
