"""Whose card a record is of, in folders that hold the cards (host).

A controller knows a card by a key of its own; the same card has another key on each. Which issue
of a credential a record means is told by the list that was in force then, for a card that comes
back goes to somebody else: the newest issue that this list or one before it had; when none had, the
first that came later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import Card, Device, Person
from controller_tool.registry.records import SentCard
from controller_tool.services import cards, list_records
from controller_tool.services.desk import operators
from controller_tool.services.site import CARD_ROLES
from protocol.constants import FLAG_EMERGENCY, FLAG_MASTER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from controller_tool.credentials import Credential
    from controller_tool.services.site import Site


class Known(NamedTuple):
    """Reference, holder as the operator's role may see them, and flag of a card."""

    ref: str
    holder: str
    flag: str


class _Issue(NamedTuple):
    card_id: str
    known: Known


class People:
    """Cards and holders by the keys of the controllers; empty in folders without cards."""

    def __init__(self, site: Site, session: Session) -> None:
        self._site = site
        self._session = session
        self._issues: dict[bytes, list[_Issue]] | None = None
        self._by_device: dict[str, dict[bytes, list[_Issue]]] = {}
        self._told: dict[tuple[str, bytes, int], Known] = {}

    def of(self, device: Device, key: bytes, list_version: int) -> Known | None:
        """The card that a controller knew by this key while that list was in force."""
        issues = self._keys(device).get(key, [])
        if len(issues) <= 1:
            return issues[0].known if issues else None
        asked = (device.id, key, list_version)
        if asked not in self._told:
            self._told[asked] = self._one_of(device, issues, list_version)
        return self._told[asked]

    def reads(self, device: Device) -> bool:
        """Whether this folder can tell the cards of this controller apart at all."""
        return device.card_key_sealed is not None and self._site.role in CARD_ROLES

    def knows(self, device: Device, key: bytes) -> bool:
        """Whether the card was ever issued, to whomever."""
        return key in self._keys(device)

    def _one_of(self, device: Device, issues: list[_Issue], list_version: int) -> Known:
        query = select(SentCard.card_id, SentCard.first_version).where(
            SentCard.device_id == device.id,
            SentCard.card_id.in_([issue.card_id for issue in issues]),
            SentCard.first_version <= list_version,
        )
        sent = {row.card_id: row.first_version for row in self._session.execute(query)}
        then = [issue for issue in issues if issue.card_id in sent]
        # by reference already, so of equal ones the later issue counts
        return max(then, key=lambda i: (sent[i.card_id], i.known.ref), default=issues[0]).known

    def _keys(self, device: Device) -> dict[bytes, list[_Issue]]:
        """Issues of one credential by the controller's key for it, the earliest first."""
        if device.id not in self._by_device:
            self._by_device[device.id] = self._read(device)
        return self._by_device[device.id]

    def _read(self, device: Device) -> dict[bytes, list[_Issue]]:
        if not self.reads(device):
            return {}
        if self._issues is None:
            self._issues = self._all()
        keys = list_records.card_keys(self._site.secret(device, "card_key"), self._issues)
        return dict(zip(keys, self._issues.values(), strict=True))

    def _all(self) -> dict[bytes, list[_Issue]]:
        query = (
            select(
                Card.id, Card.ref, Card.flags, Card.credential_type, Card.credential_sealed,
                Person.name,
            )
            .outerjoin(Person, Person.id == Card.person_id)
            .order_by(Card.ref)
        )  # fmt: skip
        found: dict[bytes, list[_Issue]] = {}
        for row in self._session.execute(query):
            data = self._site.vault.open("cards", row.id, "credential", row.credential_sealed)
            holder = operators.name_seen(self._site, self._session, row.name or "")
            issue = _Issue(row.id, Known(row.ref, holder, _flag(row.flags)))
            message = list_records.key_message(row.credential_type, data)
            found.setdefault(message, []).append(issue)
        return found


def keys_of(
    site: Site, session: Session, devices: Sequence[Device], who: str
) -> dict[str, frozenset[bytes]]:
    """By controller id the keys of what ``who`` names: a reference, a credential or a holder.

    Also a credential that was never issued here. Raises OperatorError for what is none of these.
    """
    site.require_cards()
    messages = [
        list_records.key_message(credential.type, credential.data)
        for credential in _credentials(site, session, who)
    ]
    return {
        device.id: frozenset(list_records.card_keys(site.secret(device, "card_key"), messages))
        for device in devices
        if device.card_key_sealed is not None
    }


def _credentials(site: Site, session: Session, who: str) -> list[Credential]:
    held = select(Card).join(Person, Person.id == Card.person_id).where(Person.name == who.strip())
    if of_holder := list(session.scalars(held)):
        return [cards.credential_of(site, card) for card in of_holder]
    if (card := cards.by_ref(session, who)) is not None:
        return [cards.credential_of(site, card)]
    try:
        return [cards.parse(session, who)]
    except OperatorError:
        raise OperatorError(
            t("{who} is no card, credential or holder that is known here", who=who),
            t("Give a reference such as K000001, a card number, a holder's full name, or unknown"),
        ) from None


def _flag(flags: int) -> str:
    if flags & FLAG_EMERGENCY:
        return "emergency"
    return "master" if flags & FLAG_MASTER else ""
