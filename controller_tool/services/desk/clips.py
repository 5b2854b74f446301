"""The list of clips for the video system: which camera, from when to when, and why (host).

Events at doors that a camera sees (house_points). The camera's clock and the controller's are two:
the list says how sure the controller's is. Of one that was never set the time says no more than
"not before": such events are on the list, and no clip can be cut by them. No card, no name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.errors import OperatorError
from controller_tool.messages import name_of, t
from controller_tool.registry.houses import House, HousePoint
from controller_tool.rules import duty
from controller_tool.services import audit, journal_read
from controller_tool.services.city import event_rows
from controller_tool.services.desk import operators, tables
from controller_tool.services.journal_filter import Filter
from protocol.codes import (
    EVENT_DENIED,
    EVENT_DOOR_OPENED,
    EVENT_DURESS,
    EVENT_FORCED_OPEN,
    EVENT_GRANTED,
    EVENT_HELD_OPEN,
    EVENT_REVOKED_CARD_PRESENTED,
    EVENT_REX,
    EVENT_TAMPER,
)
from protocol.names import EVENT_NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.site import Site

BEFORE_S, AFTER_S = 5, 10
SPAN_MAX_S = 600
EVENTS = frozenset(
    EVENT_NAMES[event]
    for event in (
        EVENT_GRANTED, EVENT_DENIED, EVENT_REX, EVENT_DOOR_OPENED, EVENT_FORCED_OPEN,
        EVENT_HELD_OPEN, EVENT_TAMPER, EVENT_DURESS, EVENT_REVOKED_CARD_PRESENTED,
    )
)  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """since_s, until_s: seconds since 2020; events: by name, all of EVENTS where empty."""

    since_s: int | None = None
    until_s: int | None = None
    events: frozenset[str] = frozenset()
    before_s: int = BEFORE_S
    after_s: int = AFTER_S


@dataclass(frozen=True)
class Clip:
    """begin, end: local ISO 8601; event_id as in hzaccess/1; clock: its quality."""

    camera: str
    begin: str
    end: str
    time: str
    clock: str
    house: str
    door: str
    event: str
    reason: str
    event_id: str


def find(site: Site, wish: Wish) -> list[Clip]:
    """What the cameras saw, by time; OperatorError for impossible spans or unknown events."""
    operators.require(site, duty.EXPORT)
    _check(wish)
    with site.registry.session() as session:
        local = journal_read.local_time(site, session)
        query = (
            select(HousePoint.device_id, HousePoint.point, HousePoint.camera, House.ref)
            .join(House, House.id == HousePoint.house_id)
            .where(HousePoint.camera.is_not(None), HousePoint.camera != "")
            .order_by(House.ref)
        )
        seen: dict[tuple[str, int], tuple[str, list[str]]] = {}
        for device_id, point, camera, ref in session.execute(query):
            seen.setdefault((device_id, point), (camera or "", []))[1].append(ref)
    devices = {d.id: d for d in site.devices() if any(id_ == d.id for id_, _ in seen)}
    ids = {device.name: device.id for device in devices.values()}
    wanted = Filter(
        devices=tuple(ids), events=wish.events or EVENTS, since_s=wish.since_s,
        until_s=wish.until_s,
    )  # fmt: skip
    found = []
    for entry in journal_read.walk(site, wanted) if ids else ():
        device_id = ids[entry.controller]
        place = seen.get((device_id, entry.point))
        if place is None:
            continue
        moment = datetime.fromisoformat(entry.time)
        offset = event_rows.offset_of(entry, local)
        begin = moment - timedelta(seconds=wish.before_s)
        end = moment + timedelta(seconds=wish.after_s)
        ring = {"access": 0, "alarm": 1}[entry.ring]
        found.append(
            Clip(
                place[0], _text(begin, offset), _text(end, offset), entry.time + offset,
                entry.clock, " ".join(place[1]), f"{entry.controller}/{entry.point + 1}",
                entry.event, entry.reason, f"{device_id}-{entry.boot}-{ring}-{entry.seq}",
            )
        )  # fmt: skip
    return found


def export(site: Site, wish: Wish, path: Path, force: bool = False) -> int:
    """Write the list as .csv or .xlsx; returns how many clips. Raises OperatorError."""
    tables.require_suffix(path)
    found = find(site, wish)
    headers = [t("camera"), t("from"), t("to"), t("time"), t("clock"), t("house"), t("door"),
               t("event"), t("reason"), t("number")]  # fmt: skip
    rows = [
        [c.camera, c.begin, c.end, c.time, name_of("clock", c.clock), c.house, c.door,
         name_of("event", c.event), name_of("reason", c.reason), c.event_id]
        for c in found
    ]  # fmt: skip
    audit.export_begun(site, "clips", ["clip"], len(rows))
    count = tables.write(path, headers, rows, t("clips"), force)
    with site.registry.writing() as session:
        audit.append(session, site.operator, "export.clips", clips=count)
    return count


def _check(wish: Wish) -> None:
    if not (0 <= wish.before_s <= SPAN_MAX_S and 0 <= wish.after_s <= SPAN_MAX_S):
        raise OperatorError(
            t("A clip begins and ends within {n} seconds of its event", n=SPAN_MAX_S),
            t("Give fewer seconds"),
        )
    if unknown := wish.events - EVENTS:
        raise OperatorError(
            t("No door tells of {event}", event=min(unknown)),
            t("Name one of: {names}", names=", ".join(sorted(EVENTS))),
        )


def _text(moment: datetime, offset: str) -> str:
    return moment.isoformat(timespec="milliseconds") + offset
