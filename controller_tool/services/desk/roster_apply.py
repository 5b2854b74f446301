"""Carries out what a roster means, many rows at once: first all that ends, then what begins (host).

The rows are those of check_in.move_in and change_stay, written together: former cards end as
*replaced*, so that receipts prove both issues.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.registry import bulk
from controller_tool.registry.models import STATE_REPLACED, Card, Device, Grant
from controller_tool.registry.stays import Lease
from controller_tool.rules import words
from controller_tool.services import cards, people, refs
from controller_tool.services.desk import change_stay
from controller_tool.services.people import Holder
from protocol.constants import ID_BYTES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.credentials import Credential
    from controller_tool.registry.houses import House, Room
    from controller_tool.services.desk.roster_books import Books
    from controller_tool.services.desk.roster_plan import Step
    from controller_tool.services.site import Site


class Applier:
    """Writes steps in the caller's transaction, which audits and minds the room of controllers."""

    def __init__(self, site: Site, session: Session, books: Books) -> None:
        self._site, self._session, self._books = site, session, books
        self._at_s = now_s()
        self.doors: set[Device] = set()

    def apply(self, steps: list[Step], kind: str, source: str, profile_id: int) -> dict[int, Lease]:
        """Each row's stay, by its line; ``what`` of a step gains "details" where they are new."""
        issues = {step.row.line: self._issues(step) for step in steps}
        until = {step.row.line: step.lease.until_min for step in steps if step.lease}
        self._end(steps)
        self._take(steps)
        stays = self._begin(steps, kind, source, profile_id)
        self._hand_out(steps, stays, issues, until)
        return stays

    def _issues(self, step: Step) -> list[tuple[Credential, Card | None]]:
        """What is handed out for a step, read before the cards end, and its former issue."""
        given: list[tuple[Credential, Card | None]] = []
        if step.row.credential:
            given.append((step.row.credential, None))
        if step.own or words.OTHER_CARD in step.what:
            return given
        if words.EXTENDED in step.what or words.MOVED_ON in step.what:
            return [(cards.credential_of(self._site, card), card) for card in step.held]
        return given if step.lease is None else []

    def _end(self, steps: list[Step]) -> None:
        for step in steps:
            anew = {words.EXTENDED, words.MOVED_ON, words.OTHER_CARD} & set(step.what)
            ending = [*(step.held if anew else []), *([step.own] if step.own else [])]
            for card in ending:
                card.state, card.ended_at_s = STATE_REPLACED, self._at_s
            if step.lease and words.MOVED_ON in step.what:
                step.lease.ended_at_s, step.lease.end_reason = self._at_s, words.MOVED
        self._session.flush()

    def _take(self, steps: list[Step]) -> None:
        for step in steps:
            row = step.row
            holder = Holder(row.name, row.id_number, step.room.number, row.phone, row.document,
                            row.sex, row.origin, row.employer)  # fmt: skip
            if step.person is None:
                step.person = people.made(self._site, holder, row.id_number)
                self._session.add(step.person)
            elif people.refresh(self._site, self._session, step.person, holder) and step.lease:
                step.what.append(words.DETAILS)
        self._session.flush()

    def _begin(
        self, steps: list[Step], kind: str, source: str, profile_id: int
    ) -> dict[int, Lease]:
        following = refs.run_of(self._session, Lease.ref, "L")
        stays: dict[int, Lease] = {}
        followed: list[tuple[Lease, Lease]] = []
        for step in steps:
            before, row = step.lease, step.row
            if before is not None and not step.begins:
                stays[row.line] = before
                before.until_min = row.until_min
                before.roster = before.roster or source
                if row.bed and row.bed != before.bed:
                    before.bed = row.bed
                    step.what.append(words.OTHER_BED)
                continue
            assert step.person is not None  # noqa: S101 - _take has made it
            made = stays[row.line] = Lease(
                id=os.urandom(ID_BYTES).hex(), ref=next(following), person_id=step.person.id,
                house_id=step.house.id, room_id=step.room.id, kind=before.kind if before else kind,
                host_lease_id=None, from_min=step.from_min, until_min=row.until_min,
                profile_id=before.profile_id if before else profile_id,
                contract=row.contract or (before.contract if before else ""),
                roster=(before.roster if before else None) or source, created_at_s=self._at_s,
                bed=row.bed,
            )  # fmt: skip
            self._session.add(made)
            if before is not None:
                followed.append((before, made))
        self._session.flush()
        self._follow(followed)
        return stays

    def _follow(self, followed: list[tuple[Lease, Lease]]) -> None:
        """Visitors of somebody who moved, asked for at once: most have none."""
        if not followed:
            return
        visits = select(Lease.host_lease_id).where(
            Lease.host_lease_id.is_not(None), Lease.ended_at_s.is_(None)
        )
        hosts = set(self._session.scalars(visits))
        for old, new in followed:
            if old.id in hosts:
                change_stay.follow(self._site, self._session, old, new)

    def _hand_out(
        self,
        steps: list[Step],
        stays: dict[int, Lease],
        issues: dict[int, list[tuple[Credential, Card | None]]],
        until: dict[int, int],
    ) -> None:
        """until: where the stays that were there ended before, by line."""
        following = refs.run_of(self._session, Card.ref, "K")
        grants = []
        for step in steps:
            line = step.row.line
            lease = stays[line]
            terms = cards.Terms(lease.from_min, lease.until_min, profile_id=lease.profile_id)
            for credential, former in issues[line]:
                card = cards.made(self._site, credential, terms, lease.person_id, next(following))
                card.lease_id = lease.id
                if former is not None:
                    change_stay.keep_terms(former, card, until[line], lease.profile_id)
                self._session.add(card)
                grants += self._grants(card, step.house, step.room)
        self._session.flush()
        bulk.insert_rows(self._session, Grant, ("card_id", "device_id", "points_mask"), grants)

    def _grants(self, card: Card, house: House, room: Room) -> list[tuple[str, str, int | None]]:
        doors = self._books.doors(house, room)
        self.doors |= doors.keys()
        return [(card.id, device.id, mask) for device, mask in doors.items()]
