"""Which records somebody wants to see, in the words of people (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.services import journal_people
from controller_tool.services.journal_index import CARD_EVENTS
from controller_tool.services.journal_query import Facet, Wanted
from protocol.codes import (
    END_SMOKE,
    EVENT_CHARGE_CHOOSES,
    EVENT_CHARGE_ENDED,
    EVENT_CHARGE_STARTED,
    EVENT_CONFIG_REFUSED,
    EVENT_CONTACTOR_TRIPPED,
    EVENT_DENIED,
    EVENT_DOOR_MODE,
    EVENT_DURESS,
    EVENT_EMERGENCY_STOP,
    EVENT_FIRE,
    EVENT_FIRMWARE_REFUSED,
    EVENT_FIRMWARE_ROLLED_BACK,
    EVENT_GRANTED,
    EVENT_INPUT_FAULT,
    EVENT_LEAKAGE,
    EVENT_LIST_REFUSED,
    EVENT_METER_LOST,
    EVENT_MODE_CHANGED,
    EVENT_OVER_TEMPERATURE,
    EVENT_READER_LOST,
    EVENT_READER_PAIRED,
    EVENT_READER_TAMPER,
    EVENT_RELAY_WELD,
    EVENT_REVOKED_CARD_PRESENTED,
    EVENT_REX,
    EVENT_SESSION_CLOSED,
    EVENT_SESSION_OPENED,
    EVENT_TICKET_EXECUTED,
    EVENT_TICKET_REFUSED,
    EVENT_TRUST_REFUSED,
    EVENT_UNLOCKED,
    REASON_UNKNOWN_CARD,
)
from protocol.names import (
    END_NAMES,
    ERROR_NAMES,
    EVENT_NAMES,
    LINE_NAMES,
    METER_TROUBLE_NAMES,
    MODE_NAMES,
    PAIRING_NAMES,
    READER_TROUBLE_NAMES,
    REASON_NAMES,
    ROLE_NAMES,
    ROLLBACK_NAMES,
    TICKET_NAMES,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

_BITS = (EVENT_READER_LOST, EVENT_READER_TAMPER, EVENT_METER_LOST)
JOIN = "+"  # between the names of several bits
UNKNOWN = "unknown"  # as --who: credentials that nobody was issued, as far as this folder knows
RESULTS = {"granted": EVENT_GRANTED, "denied": EVENT_DENIED}
# their reason is the code of the end that they put to sessions
END_EVENTS = (
    EVENT_CHARGE_ENDED, EVENT_CONTACTOR_TRIPPED, EVENT_EMERGENCY_STOP, EVENT_LEAKAGE,
    EVENT_OVER_TEMPERATURE, EVENT_RELAY_WELD,
)  # fmt: skip
_REASONS = {
    **dict.fromkeys(
        (
            EVENT_LIST_REFUSED,
            EVENT_TRUST_REFUSED,
            EVENT_CONFIG_REFUSED,
            EVENT_TICKET_REFUSED,
            EVENT_FIRMWARE_REFUSED,
        ),
        ERROR_NAMES,
    ),
    EVENT_FIRMWARE_ROLLED_BACK: ROLLBACK_NAMES,
    EVENT_TICKET_EXECUTED: TICKET_NAMES,
    EVENT_READER_LOST: READER_TROUBLE_NAMES,
    EVENT_READER_TAMPER: READER_TROUBLE_NAMES,
    EVENT_METER_LOST: METER_TROUBLE_NAMES,
    EVENT_READER_PAIRED: PAIRING_NAMES,
    **dict.fromkeys(END_EVENTS, END_NAMES),
    EVENT_SESSION_OPENED: ROLE_NAMES,
    EVENT_SESSION_CLOSED: ROLE_NAMES,
    EVENT_DOOR_MODE: MODE_NAMES,
    EVENT_MODE_CHANGED: MODE_NAMES,
    EVENT_INPUT_FAULT: LINE_NAMES,
    **dict.fromkeys(
        (
            EVENT_GRANTED,
            EVENT_DENIED,
            EVENT_DURESS,
            EVENT_UNLOCKED,
            EVENT_REX,
            EVENT_CHARGE_CHOOSES,
            EVENT_CHARGE_STARTED,
            EVENT_REVOKED_CARD_PRESENTED,
        ),
        REASON_NAMES,
    ),
    EVENT_FIRE: {**REASON_NAMES, END_SMOKE: END_NAMES[END_SMOKE]},
}


@dataclass(frozen=True)
class Filter:
    """Each field narrows; an empty one does not.

    devices: names of controllers; points: as records have them; events, reasons: by name, a reason
    without one by its number; since_s, until_s: seconds since 2020, the second is not shown any
    more; who: a card reference, credential or holder's name, or UNKNOWN.
    """

    devices: tuple[str, ...] = ()
    ring: int | None = None
    points: frozenset[int] = frozenset()
    events: frozenset[str] = frozenset()
    result: str | None = None
    reasons: frozenset[str] = frozenset()
    since_s: int | None = None
    until_s: int | None = None
    who: str | None = None

    def chosen(self, site: Site) -> list[Device]:
        """The controllers, all that the registry has where none is named."""
        return [site.device(name) for name in dict.fromkeys(self.devices)] or site.devices()

    def wants(self, facet: Facet, device_ids: frozenset[str] | None) -> bool:
        """Whether records of this kind are wanted; device_ids: None for all controllers."""
        return (
            (device_ids is None or facet.device_id in device_ids)
            and self.ring in (None, facet.ring)
            and (not self.points or facet.point in self.points)
            and (not self.events or event_name(facet.event) in self.events)
            and (self.result is None or facet.event == RESULTS[self.result])
            and (not self.reasons or self._wants_reason(reason_name(facet.event, facet.reason)))
            and (self.who != UNKNOWN or is_unknown(facet))
        )

    def _wants_reason(self, name: str) -> bool:
        return not self.reasons.isdisjoint((name, *name.split(JOIN)))

    def resolve(
        self, site: Site, session: Session, devices: Sequence[Device], end_s: int | None
    ) -> Wanted:
        """For the index; OperatorError when ``who`` is nobody. end_s: of a page, as until_s."""
        ids = frozenset(device.id for device in devices) if self.devices else None
        keys = None
        if self.who not in (None, UNKNOWN):
            keys = journal_people.keys_of(site, session, devices, str(self.who))
        free = ids is None and self.ring is None and self.result is None and self.who is None
        every = free and not (self.points or self.events or self.reasons)
        return Wanted(
            facet=None if every else lambda facet: self.wants(facet, ids),
            since_s=self.since_s,
            until_s=min((s for s in (self.until_s, end_s) if s is not None), default=None),
            keys=keys,
        )


def is_unknown(facet: Facet) -> bool:
    """Whether the controller did not know the card."""
    judged = facet.event in CARD_EVENTS and facet.event != EVENT_CHARGE_ENDED  # an end is no reason
    return judged and facet.reason == REASON_UNKNOWN_CARD


def event_name(event: int) -> str:
    """Name of an event, its number where it has none."""
    return EVENT_NAMES.get(event, str(event))


def reason_name(event: int, reason: int) -> str:
    """Name of a reason of that event, its number where it has none, nothing for none.

    Of a reason that is bits the names of all that are set, with JOIN between them.
    """
    names = _REASONS.get(event, {})
    bits = [name for bit, name in names.items() if event in _BITS and reason & bit]
    if len(bits) > 1:
        return JOIN.join(bits)
    return names.get(reason, str(reason) if reason else "")


def reason_names() -> list[str]:
    """All names that a reason can have, by the alphabet."""
    return sorted({name for names in _REASONS.values() for name in names.values() if name})
