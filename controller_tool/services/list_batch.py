"""Lists for a whole site: contents made ahead of a push, or all lists signed in one go (host).

`prepare` is for a push: a controller that does not answer is not signed for, so that it never
counts among those to which a card was sent. `sign_all` counts all of them, and is for lists that
another folder brings to the controllers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.errors import ToolError
from controller_tool.registry.models import Device
from controller_tool.services import list_signing, list_state, standing
from controller_tool.services.list_accounts import Books
from controller_tool.services.list_content import Collector
from controller_tool.services.list_update import Update

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from controller_tool.registry.records import ListVersion
    from controller_tool.services.list_content import Content
    from controller_tool.services.site import Site


@dataclass(frozen=True)
class NotSigned:
    """A controller for which no list could be signed, and why."""

    device: str
    what: str
    next_step: str


@dataclass(frozen=True)
class Signed:
    """What `sign_all` did. Names of controllers: signed anew; those whose list is good still."""

    signed: tuple[str, ...]
    unchanged: tuple[str, ...]
    failed: tuple[NotSigned, ...]


def prepare(site: Site, names: Sequence[str]) -> dict[str, Content]:
    """Contents, by controller's id, of those of the controllers that need a new list.

    What did not change since it was signed is found out without being made.
    """
    contents = {}
    site.unlock()
    with site.registry.writing() as session:
        rows = _rows(session, names)
        due = [row for row, newest in rows if not _known_good(site, session, row, newest)]
        collector = Collector(site, session, due)
        for row in due:
            contents[row.id] = collector.content(row)
        noted = [list_state.note_of(row, contents[row.id]) for row in due]
        list_state.keep(session, [note for note in noted if note])
    return contents


def sign_all(site: Site, names: Sequence[str]) -> Signed:
    """Sign a full list for each of the controllers whose newest one is no longer good.

    One transaction: all that could be signed is, or nothing when the registry fails.
    """
    site.require(list_signing.SIGNING_KEY)
    site.unlock()
    with site.registry.writing() as session:
        rows = _rows(session, names)
        due = [(row, newest) for row, newest in rows if not _known_good(site, session, row, newest)]
        run = _Run(site, session, [row for row, _ in due])
        for row, newest in due:
            try:
                run.sign(row, newest)
            except ToolError as error:
                run.failed.append(NotSigned(row.name, error.what, error.next_step))
        run.finish()
    bad = {one.device for one in run.failed}
    good = [row.name for row, _ in rows if row.name not in bad | run.signed]
    return Signed(tuple(sorted(run.signed)), tuple(good), tuple(run.failed))


class _Run:
    """Lists that are signed in one transaction; what all of them write is written at its end."""

    def __init__(self, site: Site, session: Session, rows: list[Device]) -> None:
        self.signed: set[str] = set()
        self.failed: list[NotSigned] = []
        self._site = site
        self._session = session
        self._collector = Collector(site, session, rows)
        self._books = Books(session)
        self._notes: list[list_state.Note] = []

    def sign(self, row: Device, newest: ListVersion | None) -> None:
        """Unless the newest list is good as it is. ToolError when none can be signed."""
        standing.refuse_fork(row)
        content = self._collector.content(row)
        if note := list_state.note_of(row, content):
            self._notes.append(note)
        if newest is not None and list_state.still_good(self._site, newest, content.hash(), row):
            return
        list_signing.check_capacity(row, content)
        update = Update(content, None, content.payload)
        list_signing.sign(self._site, self._session, row, update, newest, self._books)
        self.signed.add(row.name)

    def finish(self) -> None:
        self._books.write()
        list_state.keep(self._session, self._notes)


def _rows(session: Session, names: Sequence[str]) -> list[tuple[Device, ListVersion | None]]:
    """The controllers by name, each with the newest list that was signed for it."""
    query = select(Device).where(Device.name.in_(names)).order_by(Device.name)
    return [(row, standing.newest(session, row)) for row in session.scalars(query)]


def _known_good(site: Site, session: Session, row: Device, newest: ListVersion | None) -> bool:
    known = list_state.known_hash(session, row)
    if newest is None or known is None:
        return False
    return list_state.still_good(site, newest, known, row)
