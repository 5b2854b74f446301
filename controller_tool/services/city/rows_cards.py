"""Rows of persons and of what their cards open for hzaccess/1 (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from controller_tool.registry.models import Card, Device, Grant, Person, Profile, Schedule
from controller_tool.registry.records import SentCard
from controller_tool.registry.stays import Lease
from controller_tool.services.city.rows_places import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site
    from controller_tool.services.site_time import SiteTime

HERE, LEFT, ERASED = "here", "left", "erased"


def persons(site: Site, session: Session, local: SiteTime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every person; doc_no in the clear: who calls seals it. in, out: of their first and last
    stay, out empty while one goes on.
    """
    stays = select(
        Lease.person_id, func.min(Lease.from_min), func.max(Lease.ended_at_s),
        func.count() - func.count(Lease.ended_at_s),
    ).group_by(Lease.person_id)  # fmt: skip
    by_person = {row[0]: row[1:] for row in session.execute(stays)}
    for person in session.scalars(select(Person).order_by(Person.id)):
        from_min, ended_s, going_on = by_person.get(person.id, (None, None, 0))
        erased = person.erased_at_s is not None
        out_s = None if going_on else ended_s
        yield person.id, {
            "doc_type": person.document, "doc_no": "" if erased else number_of(site, person),
            "name": "" if erased else person.name, "sex": person.sex,
            "phone": "" if erased else phone_of(site, person), "origin": person.origin,
            "in": moment(None if from_min is None else 60 * from_min, local),
            "out": moment(out_s, local),
            "state": ERASED if erased else LEFT if out_s is not None else HERE,
        }  # fmt: skip


def number_of(site: Site, person: Person) -> str:
    """The ID number; empty where none was taken."""
    return site.vault.open("persons", person.id, "id_number", person.id_number_sealed).decode()


def phone_of(site: Site, person: Person) -> str:
    """The phone number; empty where none was taken."""
    if person.phone_sealed is None:
        return ""
    return site.vault.open("persons", person.id, "phone", person.phone_sealed).decode()


def bindings(site: Site, session: Session, local: SiteTime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every issue of a card; doors: controller/point, points from 0 as records have them.

    list_version: controller:version, the first list that has the card as it is now, live or dead.
    """
    del site
    doors, versions = _doors(session), _versions(session)
    schedules = {row.id: row.name for row in session.execute(select(Schedule.id, Schedule.name))}
    query = (
        select(Card, Profile.schedule_id, Lease.house_id, Lease.end_reason)
        .join(Profile, Profile.id == Card.profile_id)
        .outerjoin(Lease, Lease.id == Card.lease_id)
        .order_by(Card.id)
    )
    for card, schedule_id, house_id, reason in session.execute(query):
        ended_s = card.ended_at_s
        yield card.id, {
            "card_ref": card.ref, "person_id": card.person_id or "", "house_id": house_id or "",
            "doors": doors.get(card.id, []), "from": moment(60 * card.from_min, local),
            "to": moment(60 * card.until_min if ended_s is None else ended_s, local),
            "schedule": schedules.get(schedule_id, "always"), "state": card.state,
            "reason": reason or "", "list_version": versions.get(card.id, []),
        }  # fmt: skip


def binding_ids(session: Session) -> dict[str, str]:
    """The id of each issue of a card, by its reference."""
    return {row.ref: row.id for row in session.execute(select(Card.ref, Card.id))}


def _doors(session: Session) -> dict[str, list[str]]:
    query = (
        select(Grant.card_id, Grant.device_id, Grant.points_mask, Profile.points_mask,
               Device.points)
        .join(Card, Card.id == Grant.card_id)
        .join(Profile, Profile.id == Card.profile_id)
        .join(Device, Device.id == Grant.device_id)
        .order_by(Grant.card_id, Grant.device_id)
    )  # fmt: skip
    found: dict[str, list[str]] = {}
    for card_id, device_id, narrowed, mask, points in session.execute(query):
        opens = mask if narrowed is None else mask & narrowed
        found.setdefault(card_id, []).extend(
            f"{device_id}/{point}" for point in range(points) if opens >> point & 1
        )
    return found


def _versions(session: Session) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    query = select(SentCard).order_by(SentCard.card_id, SentCard.device_id)
    for sent in session.scalars(query):
        version = sent.dead_from_version or sent.first_version
        found.setdefault(sent.card_id, []).append(f"{sent.device_id}:{version}")
    return found
