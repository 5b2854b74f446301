"""Happenings of hzaccess/1: what pulled journals hold and the target has not acknowledged (host).

Each record is found by its number, so that one that was pulled late is sent as well. Between the
records of a kind lie others: their numbers are noted with the next record, so that nobody looks at
them again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller_tool.services import charge_sessions, journal_read
from controller_tool.services.city import event_rows, marks, rows_cards
from controller_tool.services.city.kinds import Item, Once, Places
from controller_tool.services.energy_pull import CHARGER
from protocol.constants import RING_ACCESS, RING_ALARM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from controller_tool.registry.models import Device
    from controller_tool.services.charge_sessions import Session
    from controller_tool.services.site import Site

    Placed = tuple[int, dict[str, Any]]  # number, fields

_CHUNK = 20_000  # records that are looked at together: cards are read anew for each
_RINGS = {
    "access": RING_ACCESS, "alarm": RING_ALARM, "charge_fault": RING_ALARM,
    "charge_session": RING_ACCESS,
}  # fmt: skip
_OF_CHARGERS = ("charge_session", "charge_fault")
_TOLD = (charge_sessions.ENDED, charge_sessions.LOST)  # one that runs is told when it has ended


def items(site: Site, target: str, kind: str, full: bool) -> Iterator[Item]:
    """What is to be sent of one kind, by controller and number."""
    ring = _RINGS[kind]
    with site.registry.session() as session:
        bindings = rows_cards.binding_ids(session)
    for device in site.devices():
        if kind in _OF_CHARGERS and device.kind != CHARGER:
            continue
        with site.registry.session() as session:
            seen = [] if full else marks.ranges(session, target, kind, device.id, ring)
            told = set() if full else marks.once(session, target, kind)
            numbers = marks.unseen(session, device.id, ring, seen)
        if not numbers:
            continue
        found = _sessions(site, device) if kind == "charge_session" else {}
        for start in range(0, len(numbers), _CHUNK):
            some = numbers[start : start + _CHUNK]
            if kind == "charge_session":
                placed = [
                    (seq, _session(device, found[seq], bindings)) for seq in some if seq in found
                ]
            else:
                placed = _entries(site, kind, device, ring, some, bindings)
            yield from _covering(kind, device, ring, some, placed)
        for one in found.values():
            if one.end_seq is None and _session_id(device, one) not in told:
                yield Item(kind, Once(_session_id(device, one)), _session(device, one, bindings))


def _entries(
    site: Site, kind: str, device: Device, ring: int, numbers: Sequence[int],
    bindings: Mapping[str, str],
) -> list[Placed]:  # fmt: skip
    local = journal_read.local_of(site)
    return [
        (entry.seq, event_rows.fields(kind, device.id, ring, entry, local, bindings))
        for entry in journal_read.at(site, device, ring, numbers, event_rows.EVENTS[kind])
    ]


def _covering(
    kind: str, device: Device, ring: int, numbers: Sequence[int], placed: Iterable[Placed]
) -> Iterator[Item]:
    """Records with the numbers that they cover; what is behind the last is only noted."""
    begin = 0
    for seq, fields in placed:
        end = numbers.index(seq, begin) + 1
        note = Places(device.id, ring, tuple(numbers[begin:end]))
        yield Item(kind, note, fields, device.id, ring, seq)
        begin = end
    if begin < len(numbers):
        yield Item(kind, Places(device.id, ring, tuple(numbers[begin:])), None)


def _sessions(site: Site, device: Device) -> dict[int, Session]:
    """By the number that stands for them: of their end, else, below zero, of their beginning."""
    wish = charge_sessions.Wish(devices=(device.name,), states=frozenset(_TOLD))
    return {
        -1 - (one.start_seq or 0) if one.end_seq is None else one.end_seq: one
        for one in charge_sessions.sessions(site, wish)
    }


def _session_id(device: Device, one: Session) -> str:
    if one.end_seq is None:
        return f"{device.id}-lost-{one.start_seq}"
    return f"{device.id}-session-{one.end_seq}"


def _session(device: Device, one: Session, bindings: Mapping[str, str]) -> dict[str, Any]:
    return {
        "event_id": _session_id(device, one), "device_id": device.id, "point": one.point,
        **event_rows.card(one.card, bindings), "state": one.state, "began": one.began,
        "ended": one.ended, "clock_quality": one.clock, "minutes": one.minutes,
        "energy_wh": one.wh, "begun_by": one.by, "end_reason": one.why,
        "quota_min": one.quota_min, "quota_wh": one.quota_wh, "resumed": one.resumed,
        "start_seq": one.start_seq, "end_seq": one.end_seq,
    }  # fmt: skip
