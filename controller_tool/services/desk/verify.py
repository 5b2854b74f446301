"""Spot checks: somebody compares an entry with the person, and says whether it is right (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.clock import now_s
from controller_tool.registry.models import Person
from controller_tool.rules import duty
from controller_tool.services import audit
from controller_tool.services.desk import operators, places

if TYPE_CHECKING:
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class Verified:
    """before: what the last check said, None where there was none; at_s: of this one."""

    stay: str
    right: bool
    before: bool | None
    at_s: int


def verify(site: Site, stay: str, right: bool, dry_run: bool = False) -> Verified:
    """Write down that the person of a stay (reference, or one of its cards) was checked now.

    OperatorError when there is no such stay.
    """
    site.require_cards()
    operators.require(site, duty.INSPECT)
    places.unlock_for(site, stay)
    with site.registry.writing() as session:
        lease = places.lease(site, session, stay)
        person = session.get_one(Person, lease.person_id)
        found = Verified(lease.ref, right, person.verified_good, now_s())
        if not dry_run:
            person.verified_at_s, person.verified_good = found.at_s, right
            audit.append(session, site.operator, "person.verify", stay=lease.ref, right=right)
    return found
