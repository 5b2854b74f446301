"""Stays to look at: lists of who is there, who should have left, who leaves soon (host)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.houses import House, Room
from controller_tool.registry.models import STATE_ISSUED, Card, Person, Profile
from controller_tool.registry.stays import Lease
from controller_tool.rules import masking
from controller_tool.services.desk import check_in, operators, people_view, places

if TYPE_CHECKING:
    from sqlalchemy import Select

    from controller_tool.services.desk.check_in import Stay
    from controller_tool.services.site import Site

_DAY_MIN = 1440


@dataclass(frozen=True)
class Line:
    """A stay in a list. over: its lease is over and the person has not been checked out."""

    ref: str
    house: str
    room: str
    name: str
    kind: str
    from_min: int
    until_min: int
    over: bool
    cards_out: int
    bed: str = ""


@dataclass(frozen=True)
class Wish:
    """Which stays that go on; None, False: not asked for. ending_days: so many days from now."""

    house: str | None = None
    room: str | None = None
    over: bool = False
    ending_days: int | None = None


@dataclass(frozen=True)
class Detail:
    """One stay in full. number, phone: masked; host: reference of the stay that is visited."""

    stay: Stay
    document: str
    number: str
    phone: str
    profile: str
    contract: str
    host: str | None


def listed(site: Site, wish: Wish) -> list[Line]:
    """Stays that go on, by house, room and reference; OperatorError for a house that is none."""
    site.require_cards()
    now_min = now_s() // 60
    with site.registry.session() as session:
        query = _query(wish, now_min)
        if wish.house is not None:
            query = query.where(Lease.house_id == places.house(session, wish.house).id)
        rows = list(session.execute(query))
        role = operators.role_of(site, session)
    return [
        Line(
            lease.ref, house, room, masking.name(name, role), lease.kind, lease.from_min,
            lease.until_min, lease.until_min <= now_min, out, lease.bed,
        )
        for lease, house, room, name, out in rows
    ]  # fmt: skip


def show(site: Site, text: str) -> Detail:
    """A stay by its reference or a card of it."""
    site.require_cards()
    with site.registry.session() as session:
        lease = places.lease(site, session, text)
        person = people_view.seen(site, session, session.get_one(Person, lease.person_id))
        host = session.get(Lease, lease.host_lease_id) if lease.host_lease_id else None
        return Detail(
            replace(check_in.view(site, session, lease), name=person.name), person.document,
            person.number, person.phone, session.get_one(Profile, lease.profile_id).name,
            lease.contract, host.ref if host else None,
        )  # fmt: skip


def _query(wish: Wish, now_min: int) -> Select[Lease, str, str, str, int]:
    out = select(func.count()).where(Card.lease_id == Lease.id, Card.state == STATE_ISSUED)
    query = (
        select(Lease, House.ref, Room.number, Person.name, out.scalar_subquery())
        .join(House, House.id == Lease.house_id)
        .join(Room, Room.id == Lease.room_id)
        .join(Person, Person.id == Lease.person_id)
        .where(Lease.ended_at_s.is_(None))
        .order_by(House.ref, Room.number, Lease.ref)
    )
    if wish.room is not None:
        query = query.where(Room.number == wish.room.strip())
    if wish.over:
        query = query.where(Lease.until_min <= now_min)
    if wish.ending_days is not None:
        if wish.ending_days < 0:
            raise OperatorError(t("Days are counted from now on"), t("Give 0 or more"))
        last_min = now_min + wish.ending_days * _DAY_MIN
        query = query.where(Lease.until_min > now_min, Lease.until_min <= last_min)
    return query
