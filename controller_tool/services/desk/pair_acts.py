"""Acts that one operator asks for and another one lets happen (host).

What each act checks and does stands in services.desk.pair_work; it happens in the transaction of
the second one's yes. The first one gives a secret that a head gave them, or one person could be
both; the second one proves themselves with their own secret each time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.stays import PairAct
from controller_tool.rules import duty, pairs, words
from controller_tool.rules.refusal import require as require_rules
from controller_tool.services import audit
from controller_tool.services.desk import operators

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site


@dataclass(frozen=True)
class Asked:
    """What was asked for, as the work of an act sees it. facts: plain values, no personal data."""

    act: str
    subject: str
    document: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class PairView:
    """A question and what became of it. state: as it is now; result: what the act brought about."""

    id: int
    act: str
    subject: str
    document: str
    facts: dict[str, Any]
    state: str
    asked_by: str
    asked_at_s: int
    lapses_at_s: int
    decided_by: str | None
    decided_at_s: int | None
    result: dict[str, Any] = field(default_factory=dict)


def ask(
    site: Site, act: str, subject: str, document: str, facts: dict[str, Any], dry_run: bool = False
) -> PairView:
    """Write the question down for a second operator; RuleRefused when the act cannot be done now.

    act: of rules.words.PAIR_ACTS; document: number of the paper that it rests on.
    """
    operators.require_given(site, duty.ASK_PAIR)
    require_rules(pairs.refuse_document(document))
    with site.registry.writing() as session, session.begin_nested() as trial:
        require_rules(pairs.refuse_question(_open(session, act, subject), subject))
        asked = Asked(act, subject, document.strip(), facts)
        _work(act).check(site, session, asked)
        row = PairAct(
            act=act, subject=subject, document=asked.document, state=words.ASKED,
            facts=json.dumps(facts, ensure_ascii=False, sort_keys=True),
            asked_by=site.operator, asked_at_s=now_s(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        _write(session, site, "pair.ask", row)
        view = _view(row)
        if dry_run:
            trial.rollback()
    return view


def decide(site: Site, number: int, yes: bool, secret: str | None = None) -> PairView:
    """The second operator's word; a yes carries the act out, or nothing is changed.

    secret: theirs; None: it is asked for. Who asked may say no themselves, without it.
    """
    with site.registry.session() as session:
        row = _get(session, number)
        _require_open(row)
        withdrawn = not yes and row.asked_by == site.operator
        if not withdrawn:
            _require_two(site, session, row, yes)
    if not withdrawn:
        operators.prove(site, site.operator, secret)
    if yes:
        site.unlock()
    with site.registry.writing() as session:
        row = _get(session, number, lock=True)
        _require_open(row)
        if not withdrawn:
            _require_two(site, session, row, yes)
        row.state = words.DONE if yes else words.REFUSED
        row.decided_by, row.decided_at_s = site.operator, now_s()
        result: dict[str, Any] = {}
        if yes:
            asked = Asked(row.act, row.subject, row.document, json.loads(row.facts))
            result = _work(row.act).carry_out(site, session, asked)
        _write(session, site, "pair.confirm" if yes else "pair.refuse", row)
        return _view(row, result)


def list_acts(site: Site, state: str | None = None) -> list[PairView]:
    """All of them, the newest first; perhaps of one state as it is now."""
    with site.registry.session() as session:
        found = [_view(row) for row in session.scalars(select(PairAct).order_by(PairAct.id.desc()))]
    return [view for view in found if state in (None, view.state)]


def _work(act: str) -> Any:
    from controller_tool.services.desk import pair_work  # noqa: PLC0415 - its acts ask through here

    return pair_work.WORK[act]


def _require_two(site: Site, session: Session, row: PairAct, yes: bool) -> None:
    """The second one is another who may say so; of a yes, the first one still counts."""
    mine = operators.who(site.operator, operators.find(session, site.operator))
    asker = operators.find(session, row.asked_by)
    first = operators.who(row.asked_by, asker)
    require_rules(
        duty.second(row.act, row.asked_by, mine),
        duty.first(first, row.id, proven=not operators.given(row.asked_by, asker)) if yes else None,
    )


def _open(session: Session, act: str, subject: str) -> int | None:
    """Number of the question about it that stands; what lapsed stands no more."""
    return session.scalar(
        select(PairAct.id).where(
            PairAct.act == act, PairAct.subject == subject, PairAct.state == words.ASKED,
            PairAct.asked_at_s > now_s() - pairs.LAPSE_S,
        )
    )  # fmt: skip


def _require_open(row: PairAct) -> None:
    state = pairs.state_at(row.state, row.asked_at_s, now_s())
    require_rules(pairs.refuse_decision(row.id, state))


def _get(session: Session, number: int, lock: bool = False) -> PairAct:
    row = session.get(PairAct, number, with_for_update=lock, populate_existing=lock)
    if row is None:
        raise OperatorError(
            t("Nothing was asked for as number {n}", n=number), t("See what was with: pair list")
        )
    return row


def _write(session: Session, site: Site, act: str, row: PairAct) -> None:
    audit.append(
        session, site.operator, act, number=row.id, of=row.act, subject=row.subject,
        document=row.document, asked_by=row.asked_by,
    )  # fmt: skip


def _view(row: PairAct, result: dict[str, Any] | None = None) -> PairView:
    return PairView(
        row.id, row.act, row.subject, row.document, json.loads(row.facts),
        pairs.state_at(row.state, row.asked_at_s, now_s()), row.asked_by, row.asked_at_s,
        row.asked_at_s + pairs.LAPSE_S, row.decided_by, row.decided_at_s, result or {},
    )  # fmt: skip
