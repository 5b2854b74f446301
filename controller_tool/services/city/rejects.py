"""The work list: records that a target refused, until somebody mends or drops them (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.stays import DeliveryReject
from controller_tool.rules import duty
from controller_tool.services import audit
from controller_tool.services.city import marks
from controller_tool.services.desk import operators

if TYPE_CHECKING:
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class Reject:
    """One of them; resolved_at_s: None while it waits."""

    id: int
    target: str
    kind: str
    event_id: str
    reason: str
    at_s: int
    resolved_at_s: int | None


def list_rejects(site: Site, settled: bool = False) -> list[Reject]:
    """What waits, the oldest first; settled: what does not wait any more as well."""
    query = select(DeliveryReject).order_by(DeliveryReject.id)
    if not settled:
        query = query.where(DeliveryReject.resolved_at_s.is_(None))
    with site.registry.session() as session:
        return [
            Reject(**{name: getattr(row, name) for name in Reject.__dataclass_fields__})
            for row in session.scalars(query)
        ]


def resolve(site: Site, number: int, again: bool = False, dry_run: bool = False) -> Reject:
    """Take one off the list; again: the next export sends its record anew. OperatorError."""
    operators.require(site, duty.EXPORT)
    found = next((one for one in list_rejects(site) if one.id == number), None)
    if found is None:
        raise OperatorError(
            t("No refused record {n} waits", n=number), t("See them with: export rejects list")
        )
    if dry_run:
        return found
    with site.registry.writing() as session:
        row = session.get_one(DeliveryReject, number)
        row.resolved_at_s = now_s()
        if again:
            marks.send_again(session, row)
        audit.append(
            session, site.operator, "export.reject_resolved", target=row.target, kind=row.kind,
            event=row.event_id, again=again,
        )  # fmt: skip
    return found
