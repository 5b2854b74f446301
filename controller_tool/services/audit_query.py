"""Reads the operators' log: who did what, and who looked at whom (host)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from controller_tool.registry.records import AuditEntry
from controller_tool.rules import duty
from controller_tool.services import audit, audit_texts, export
from controller_tool.services.desk import held_before, operators, people_view

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site


@dataclass(frozen=True)
class Wish:
    """What to look for. act: one, or with a dot at its end all of a kind, such as "person.";

    person: an id, stay, card, ID number or name; about: text that the details hold; since_s,
    until_s: seconds since 2020, the latter exclusive; limit: the newest so many.
    """

    operator: str | None = None
    act: str | None = None
    person: str | None = None
    about: str | None = None
    since_s: int | None = None
    until_s: int | None = None
    limit: int = 50


@dataclass(frozen=True)
class Entry:
    """One act as the log has it, with the reason that stands beside it, empty once deleted."""

    id: int
    at_s: int
    operator: str
    act: str
    details: dict[str, Any]


@dataclass(frozen=True)
class Found:
    """Entries, the oldest first; total: how many there are in all.

    acts: those that the log has, where none of the act that was asked for is in it.
    """

    entries: tuple[Entry, ...]
    total: int
    acts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """first_broken: number of the first entry that does not continue the chain; None: whole.

    unknown_head: a signed list names a head that this log does not have: it was cut or remade;
    texts_gone: numbers of entries whose words were deleted or changed beside the log.
    """

    entries: int
    first_broken: int | None
    unknown_head: bool
    head: bytes
    texts_gone: tuple[int, ...] = ()

    @property
    def whole(self) -> bool:
        """Nothing was changed, taken out or cut off."""
        return self.first_broken is None and not self.unknown_head and not self.texts_gone


def search(site: Site, wish: Wish) -> Found:
    """The newest entries that fit; RuleRefused for a role that may not read the log.

    What stood in an entry that an order keeps is for those who may see whole numbers, and the look
    is written down before it is shown.
    """
    operators.require(site, duty.SEE_AUDIT)
    with site.registry.session() as session:
        texts = _texts(site, session)
        query = _filtered(select(AuditEntry), wish, texts)
        if wish.person is not None:
            person = people_view.find(site, session, wish.person)
            query = query.where(AuditEntry.details.contains(person.id, autoescape=True))
        total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        newest = session.scalars(query.order_by(AuditEntry.id.desc()).limit(wish.limit))
        rows = list(newest)[::-1]
        unknown = wish.act is not None and not total
        acts = session.scalars(select(AuditEntry.act).distinct()) if unknown else ()
        known = tuple(sorted(acts))
    held = [r.id for r in rows if r.act in held_before.ACTS and _named(r) in texts]
    if held:
        with site.registry.writing() as session:
            audit.append(session, site.operator, "audit.held_seen", entries=held)
    entries = (Entry(r.id, r.at_s, r.operator, r.act, _details(r, texts)) for r in rows)
    return Found(tuple(entries), total, known)


def verify(site: Site) -> Verdict:
    """Whether the log is whole. Everybody may ask."""
    site.unlock()  # the words beside the log are sealed
    with site.registry.session() as session:
        count = session.scalar(select(func.count()).select_from(AuditEntry)) or 0
        cut = export.holds_log(site.role) and audit.unknown_head(session)
        broken = audit.first_broken(session)
        # of a log that was changed nobody knows which words it names
        gone = audit_texts.missing(site, session) if broken is None else ()
        return Verdict(count, broken, cut, audit.head(session), gone)


def _texts(site: Site, session: Session) -> dict[str, str]:
    """Texts that the role may see, by what the log names them by."""
    texts = audit_texts.every(site, session)
    mine = operators.who(site.operator, operators.find(session, site.operator))
    if duty.refuse(mine, duty.SEE_DOCUMENTS) is not None:
        for row in session.scalars(select(AuditEntry).where(AuditEntry.act.in_(held_before.ACTS))):
            texts.pop(_named(row), None)
    return texts


def _named(row: AuditEntry) -> str:
    return str(json.loads(row.details)[audit_texts.NAMED])


def _details(row: AuditEntry, texts: dict[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(row.details)
    if audit_texts.NAMED in said:
        said["reason"] = texts.get(said.pop(audit_texts.NAMED), "")
    return said


def _filtered(query: Select[AuditEntry], wish: Wish, texts: dict[str, str]) -> Select[AuditEntry]:
    if wish.operator is not None:
        query = query.where(AuditEntry.operator == wish.operator)
    # without regard to case, which LIKE alone would heed on one kind of registry only
    if wish.act is not None:
        kind = AuditEntry.act.istartswith(wish.act, autoescape=True)
        query = query.where(kind if wish.act.endswith(".") else AuditEntry.act == wish.act)
    if wish.about is not None:
        named = [id_ for id_, said in texts.items() if wish.about.casefold() in said.casefold()]
        query = query.where(
            or_(
                AuditEntry.details.icontains(wish.about, autoescape=True),
                *(AuditEntry.details.contains(id_) for id_ in named),
            )
        )
    if wish.since_s is not None:
        query = query.where(AuditEntry.at_s >= wish.since_s)
    if wish.until_s is not None:
        query = query.where(AuditEntry.at_s < wish.until_s)
    return query
