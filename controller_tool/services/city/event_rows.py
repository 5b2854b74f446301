"""Journal records as hzaccess/1 tells them: access, alarm, charge_fault (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller_tool import clock
from controller_tool.services import journal_read
from protocol import records
from protocol.codes import (
    EVENT_CONTACTOR_TRIPPED,
    EVENT_DENIED,
    EVENT_EMERGENCY_STOP,
    EVENT_ENERGY_LOST,
    EVENT_GRANTED,
    EVENT_INPUT_FAULT,
    EVENT_LEAKAGE,
    EVENT_METER_LOST,
    EVENT_OUTPUT_LOST,
    EVENT_OVER_POWER,
    EVENT_OVER_TEMPERATURE,
    EVENT_RELAY_FAULT,
    EVENT_RELAY_WELD,
    EVENT_REVOKED_CARD_PRESENTED,
    EVENT_REX,
    EVENT_STATION_LIMIT,
    EVENT_TEMPERATURE_WARNING,
    REASON_EMERGENCY_CARD,
    REASON_FIRE,
    REASON_REX,
    REASON_TICKET,
)
from protocol.constants import RECORD_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller_tool.services.journal_read import Entry
    from controller_tool.services.site_time import SiteTime

_DECISIONS = {EVENT_GRANTED: "granted", EVENT_DENIED: "denied", EVENT_REX: "granted"}
_METHODS = {
    REASON_EMERGENCY_CARD: "emergency_card", REASON_REX: "button", REASON_TICKET: "ticket",
    REASON_FIRE: "fire",
}  # fmt: skip
EVENTS = {
    "access": frozenset(_DECISIONS),
    "alarm": frozenset(range(EVENT_REVOKED_CARD_PRESENTED, 256)),
    "charge_fault": frozenset((
        EVENT_CONTACTOR_TRIPPED, EVENT_EMERGENCY_STOP, EVENT_ENERGY_LOST, EVENT_INPUT_FAULT,
        EVENT_LEAKAGE, EVENT_METER_LOST, EVENT_OUTPUT_LOST, EVENT_OVER_POWER,
        EVENT_OVER_TEMPERATURE, EVENT_RELAY_FAULT, EVENT_RELAY_WELD, EVENT_STATION_LIMIT,
        EVENT_TEMPERATURE_WARNING,
    )),
}  # fmt: skip


def fields(
    kind: str, device_id: str, ring: int, entry: Entry, local: SiteTime, bindings: Mapping[str, str]
) -> dict[str, Any]:
    """A record of that kind, with the columns of city.kinds in their order.

    bindings: ids of issues by reference, rows_cards.binding_ids.
    """
    body = records.unpack(bytes.fromhex(entry.record)[:RECORD_BODY_BYTES])
    made = _MAKERS[kind](device_id, entry, body, local, bindings)
    return {"event_id": f"{device_id}-{body.boot}-{ring}-{entry.seq}", **made}


def offset_of(entry: Entry, local: SiteTime) -> str:
    """How far its local time is ahead of UTC, as in +08:00."""
    time_s = records.unpack(bytes.fromhex(entry.record)[:RECORD_BODY_BYTES]).time_s
    return clock.local_text(time_s, local.offset_min(time_s))[-6:]


def card(named: str, bindings: Mapping[str, str]) -> dict[str, str]:
    """Reference and id of a card as journals name it; empty where nobody was issued it.

    References are one folder's own: two desks of a site may each have a K000007.
    """
    known = named != journal_read.UNKNOWN_CARD
    return {"card_ref": named if known else "", "binding_id": bindings.get(named, "")}


def _access(
    device_id: str, entry: Entry, body: records.Record, local: SiteTime, bindings: Mapping[str, str]
) -> dict[str, Any]:
    del device_id
    rex = body.event == EVENT_REX or body.reason == REASON_REX
    method = "button" if rex else _METHODS.get(body.reason, "card")
    folded = body.event == EVENT_DENIED and body.point == journal_read.CONTROLLER
    return {
        **_common(entry, local),
        "direction": "out" if rex else "in" if method in ("card", "emergency_card") else "",
        **card(entry.card, bindings),
        "result": _DECISIONS[body.event],
        "reason": entry.reason,
        "method": method,
        **_proof(entry),
        "count": body.extra if folded else 1,
    }


def _alarm(
    device_id: str, entry: Entry, body: records.Record, local: SiteTime, bindings: Mapping[str, str]
) -> dict[str, Any]:
    del device_id, body
    return {**_common(entry, local), "alarm": entry.event, **_rest(entry, bindings)}


def _charge_fault(
    device_id: str, entry: Entry, body: records.Record, local: SiteTime, bindings: Mapping[str, str]
) -> dict[str, Any]:
    del body
    common = _common(entry, local)
    return {"device_id": device_id, **common, "fault": entry.event, **_rest(entry, bindings)}


def _rest(entry: Entry, bindings: Mapping[str, str]) -> dict[str, Any]:
    return {
        "reason": entry.reason,
        **card(entry.card, bindings),
        **_proof(entry),
        "extra": entry.extra,
    }


def _common(entry: Entry, local: SiteTime) -> dict[str, Any]:
    return {"time": entry.time + offset_of(entry, local), "clock_quality": entry.clock}


def _proof(entry: Entry) -> dict[str, Any]:
    return {
        "list_version": entry.list_version,
        "chain_tag": entry.record[2 * RECORD_BODY_BYTES :],
        "point": None if entry.point == journal_read.CONTROLLER else entry.point,
    }


_MAKERS = {"access": _access, "alarm": _alarm, "charge_fault": _charge_fault}
