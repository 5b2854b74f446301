"""People, stays, cards, hazards and cases straight into the registry, for rates (host)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from controller_tool.clock import now_s
from controller_tool.registry.houses import Case, Hazard, House, Inspection, Room, Sanction
from controller_tool.registry.models import STATE_ISSUED, Card, Device, Person
from controller_tool.registry.records import SentCard
from controller_tool.registry.stays import Lease
from controller_tool.rules import words

if TYPE_CHECKING:
    from controller_tool.services.site import Site

DAY_S = 86400


def add_stay(
    site: Site, house: House, room: str = "101", person: str | None = None, *,
    kind: str = words.TENANT, ended_s: int | None = None, **facts: Any,
) -> tuple[str, str]:  # fmt: skip
    """A stay of a new person or of that one; reference and person's id.

    facts: of Person; ``number`` and ``phone``, empty where nobody took them.
    """
    number, phone = facts.pop("number", b"330102199003078515"), facts.pop("phone", b"138")
    with site.registry.writing() as session:
        if person is None:
            person = os.urandom(8).hex()
            seal = site.vault.seal
            session.add(Person(
                id=person, name="李强",
                id_number_sealed=seal("persons", person, "id_number", number),
                id_number_index=os.urandom(16),
                phone_sealed=seal("persons", person, "phone", phone) if phone else None,
                **{"created_at_s": now_s(), "sex": "M", "origin": "安徽", **facts},
            ))  # fmt: skip
            session.flush()
        ref = f"L{(session.scalar(select(func.count()).select_from(Lease)) or 0) + 1:06d}"
        room_id = session.scalar(
            select(Room.id).where(Room.house_id == house.id, Room.number == room)
        )
        session.add(Lease(
            id=os.urandom(8).hex(), ref=ref, person_id=person, house_id=house.id, room_id=room_id,
            kind=kind, from_min=0, until_min=10_000_000, profile_id=1, created_at_s=now_s(),
            ended_at_s=ended_s,
        ))  # fmt: skip
    return ref, person


def add_card(
    site: Site, stay: str | None = None, state: str = STATE_ISSUED,
    sent: dict[str, tuple[int | None, int]] | None = None,
) -> str:  # fmt: skip
    """A card of a stay; its reference. sent: by controller, the list in which it opens nothing
    any more and the list that the controller receipted last.
    """
    row_id = os.urandom(8).hex()
    with site.registry.writing() as session:
        ref = f"K{(session.scalar(select(func.count()).select_from(Card)) or 0) + 1:06d}"
        lease_id = session.scalar(select(Lease.id).where(Lease.ref == stay))
        session.add(Card(
            id=row_id, ref=ref, credential_type=1, credential_sealed=b"",
            credential_index=os.urandom(16), state=state, profile_id=1, from_min=0,
            until_min=10_000_000, issued_at_s=now_s(), lease_id=lease_id,
        ))  # fmt: skip
        session.flush()
        for name, (dead_from, receipted) in (sent or {}).items():
            device = session.scalar(select(Device).where(Device.name == name))
            assert device is not None
            device.list_version_receipted = receipted
            session.add(SentCard(card_id=row_id, device_id=device.id, first_version=1,
                                 dead_from_version=dead_from))  # fmt: skip
    return ref


def add_visit(site: Site, house: House, at_s: int, kind: str = words.PERIODIC) -> int:
    """An inspection; its id."""
    with site.registry.writing() as session:
        visit = Inspection(house_id=house.id, kind=kind, passed=True, at_s=at_s, operator="王芳",
                           note="")  # fmt: skip
        session.add(visit)
        session.flush()
        return visit.id


def add_hazard(site: Site, house: House, ref: str, visit: int, due_s: int,
               fixed_by: int | None = None) -> None:  # fmt: skip
    """Something dangerous that a visit found."""
    with site.registry.writing() as session:
        session.add(Hazard(ref=ref, house_id=house.id, inspection_id=visit, what="=楼道堆物",
                           grade=words.MAJOR, due_s=due_s, fixed_by_id=fixed_by))  # fmt: skip


def add_case(site: Site, house: House, ref: str, sanction: str | None = None,
             closed_s: int | None = None) -> None:  # fmt: skip
    """A breach, perhaps with what was decided."""
    with site.registry.writing() as session:
        case = Case(ref=ref, house_id=house.id, party="landlord", party_name="陈建国", what="…",
                    opened_at_s=now_s(), closed_at_s=closed_s)  # fmt: skip
        session.add(case)
        session.flush()
        if sanction is not None:
            session.add(Sanction(case_id=case.id, kind=sanction, document="2026-1", at_s=now_s(),
                                 operator="王芳"))  # fmt: skip
