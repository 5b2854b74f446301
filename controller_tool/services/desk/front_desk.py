"""What the desk does in one go: the rows change, then the controllers are told (host).

Each act is one of check_in, check_out or change_stay, which say what is allowed, followed by
services.desk.proving. With ``push`` off, or in a dry run, nobody is called on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.clock import now_s
from controller_tool.messages import name_of, t
from controller_tool.rules import words
from controller_tool.services import site_time
from controller_tool.services.desk import (
    change_stay,
    check_in,
    check_out,
    form,
    places,
    proving,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.credentials import Credential
    from controller_tool.services.desk.check_in import Request, Stay
    from controller_tool.services.desk.form import Form
    from controller_tool.services.desk.proving import Proof, Report
    from controller_tool.services.site import Site
    from controller_tool.services.taps import Trials


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
    pushed: bool = False

    @property
    def ok(self) -> bool:
        """Whether all that was asked for is proven; where nobody was to be told, it is done."""
        return self.dry_run or not self.pushed or self.proof.whole

    def hint(self) -> str:
        """What to do next; empty where there is nothing."""
        if self.dry_run:
            return ""
        if not self.proof.whole:
            return t("What is pending goes on with: desk pending --watch")
        if self.proof.doors:
            return t("Now test it: hold the card to a door")
        return ""


@dataclass(frozen=True)
class Tapped:
    """A test at a door: whether it opened for the new card; device: None where none has it yet."""

    device: str | None
    ok: bool
    trials: Trials | None = None

    def words(self) -> str:
        """One line for people."""
        if self.device is None:
            return t("no test: no door has the card yet")
        if self.ok:
            return t("{device} opened for the card", device=self.device)
        if self.trials is None or not self.trials.taps:
            return t("{device} saw no card in time", device=self.device)
        return t("{device} did not open for it: {reason}", device=self.device,
                 reason=name_of("reason", self.trials.taps[0].reason))  # fmt: skip


def arrive(site: Site, request: Request, how: How) -> Done:
    """Check somebody in."""
    return _done(site, check_in.check_in(site, request, how.dry_run), how)


def ready(site: Site, filled: Form, say: Callable[[str], None]) -> Request:
    """A form that lacks nothing as a check-in: tried first, then its cards are waited for."""
    site.require_cards()
    request = filled.request(site)
    if not filled.card_words:
        return request
    check_in.check_in(site, request, dry_run=True)
    cards = (form.card_of(site, word, say) for word in filled.card_words)
    return filled.request(site, tuple(dict.fromkeys(cards)))


def visit_form(site: Site, host: str, hours: int) -> dict[str, str]:
    """What of a visitor's form the host's stay says; the visit begins now."""
    there = find(site, host)
    end_min = now_s() // 60 + hours * 60
    until = site_time.of(site).text(end_min * 60).replace(" ", "T")
    return {"house": there.house, "room": there.room, "kind": words.VISITOR, "host": there.ref,
            "until": until}  # fmt: skip


def tap(site: Site, done: Done, say: Callable[[str], None]) -> Tapped:
    """Wait for the new card at the first controller that has it."""
    ready_at = [name for name in done.proof.doors if name not in done.proof.unlisted]
    if not ready_at or done.dry_run:
        return Tapped(None, ok=False)
    found = proving.tap(site, ready_at[0], say)
    return Tapped(ready_at[0], proving.opened_for(found, done.proof), found)


def depart(site: Site, text: str, how: How, lost: bool = False, reason: str | None = None) -> Done:
    """Check somebody out, by stay or card: the cards end first, then everything else."""
    ended = check_out.check_out(site, text, lost, reason, how.dry_run)
    return _done(site, ended.stay, how, visitors=ended.visitors)


def extend(site: Site, text: str, until_min: int, how: How) -> Done:
    """A later end."""
    return _done(site, change_stay.extend(site, text, until_min, how.dry_run), how)


def move(site: Site, text: str, house: str | None, room: str, how: How, bed: str = "") -> Done:
    """Another room; house: None is the one where the stay is; bed: as it is marked there."""
    was = find(site, text)
    moved = change_stay.move(site, was.ref, house or was.house, room, how.dry_run, bed)
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
    return Done(shown.stays[0], shown, dry_run=False, visitors=visitors, pushed=how.push)
