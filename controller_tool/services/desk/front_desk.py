"""What the desk does in one go: the rows change, then the controllers are told (host).

Each act is one of check_in, check_out or change_stay, which say what is allowed, followed by
services.desk.proving. With ``push`` off, or in a dry run, nobody is called on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.services.desk import change_stay, check_in, check_out, places, proving

if TYPE_CHECKING:
    from controller_tool.credentials import Credential
    from controller_tool.services.desk.check_in import Request, Stay
    from controller_tool.services.desk.proving import Proof, Report
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class How:
    """dry_run: check everything, change nothing; push: tell the controllers at once."""

    dry_run: bool = False
    push: bool = True
    report: Report | None = None


@dataclass(frozen=True)
class Done:
    """The stay as it is now and what is proven of it, its visits and what it came from.

    visitors: references of visits that ended with it.
    """

    stay: Stay
    proof: Proof
    dry_run: bool
    visitors: tuple[str, ...] = ()


def arrive(site: Site, request: Request, how: How) -> Done:
    """Check somebody in."""
    return _done(site, check_in.check_in(site, request, how.dry_run), how)


def depart(site: Site, text: str, how: How, lost: bool = False, reason: str | None = None) -> Done:
    """Check somebody out, by stay or card: the cards end first, then everything else."""
    ended = check_out.check_out(site, text, lost, reason, how.dry_run)
    return _done(site, ended.stay, how, visitors=ended.visitors)


def extend(site: Site, text: str, until_min: int, how: How) -> Done:
    """A later end."""
    return _done(site, change_stay.extend(site, text, until_min, how.dry_run), how)


def move(site: Site, text: str, house: str | None, room: str, how: How) -> Done:
    """Another room; house: None is the one where the stay is."""
    was = find(site, text)
    moved = change_stay.move(site, was.ref, house or was.house, room, how.dry_run)
    return _done(site, moved, how, before=was.ref)


def add_card(
    site: Site, text: str, credential: Credential, how: How, in_place_of: str | None = None
) -> Done:
    """One more card; in_place_of: a card of the stay that is lost, which ends first."""
    stay = change_stay.add_card(site, text, credential, how.dry_run, in_place_of)
    return _done(site, stay, how)


def find(site: Site, text: str) -> Stay:
    """A stay by its reference or a card of it."""
    site.require_cards()
    with site.registry.session() as session:
        return check_in.view(site, session, places.lease(site, session, text))


def _done(
    site: Site, stay: Stay, how: How, visitors: tuple[str, ...] = (), before: str | None = None
) -> Done:
    if how.dry_run:
        return Done(stay, proving.Proof((stay,)), dry_run=True, visitors=visitors)
    refs = [stay.ref, *visitors, *([before] if before else [])]
    shown = proving.prove(site, refs, how.report) if how.push else proving.proof(site, refs)
    return Done(shown.stays[0], shown, dry_run=False, visitors=visitors)
