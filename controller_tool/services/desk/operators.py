"""Operators: who they are, what role they have, and that it is really them (host).

``require(site, act)`` is what every service calls before it does what a rule keeps to some roles.
An operator who has a secret gives it for what takes more than a clerk; one without is believed by
name, as the folder's passphrase already lets them in. Whoever is given more than a clerk's role
gets a first secret, which opens nothing but its own change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase as passphrases
from controller_tool.messages import t
from controller_tool.registry.models import Operator
from controller_tool.rules import duty, masking, words
from controller_tool.rules import secrets as secret_rules
from controller_tool.rules.refusal import Refusal
from controller_tool.rules.refusal import require as require_rules
from controller_tool.services import audit, people
from controller_tool.services.desk import operator_secret

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

NAME_MAX = 64
_ROLE = "role"


@dataclass(frozen=True)
class OperatorView:
    """An operator. proves: "own", "first" or "none": which secret they have.

    first_secret: what to hand over, only in the answer to who made it.
    """

    name: str
    role: str
    since_s: int
    ended_at_s: int | None
    proves: str
    first_secret: str | None = None


def require(site: Site, act: str, secret: str | None = None) -> None:
    """RuleRefused unless the operator of ``site`` may do the act now. act: of rules.duty.

    secret: what the operator gave; None: it is asked for, once in a run, if one is needed.
    """
    with site.registry.session() as session:
        row = find(session, site.operator)
    require_rules(duty.refuse(who(site.operator, row), act))
    if row is None or row.secret is None or not duty.guarded(act):
        return
    if secret is None and site.proven_operator == site.operator:
        return
    prove(site, site.operator, secret)
    site.proven_operator = site.operator


def require_given(site: Site, act: str) -> None:
    """As require, of an operator whom a head gave a secret, whatever the role.

    RuleRefused without one: anybody may come by a name.
    """
    with site.registry.session() as session:
        row = find(session, site.operator)
    require_rules(duty.refuse(who(site.operator, row), act), given(site.operator, row))
    if site.proven_operator != site.operator:
        prove(site, site.operator)
        site.proven_operator = site.operator


def given(name: str, row: Operator | None) -> Refusal | None:
    """Why nobody can prove to be this operator by a secret that a head gave, or None."""
    if row is None:
        return Refusal(
            "no_secret", t("{name} has no secret", name=name),
            t("A head writes them down and gives one: operator add {name}, operator secret {name}"
              " --reset", name=name),
        )  # fmt: skip
    if row.secret is not None and not operator_secret.is_claimed(row.secret):
        return _own(row)
    if row.role == words.HEAD:
        return _own(row)  # the founder, whom nobody gives one
    what = t("{name} has no secret", name=name)
    if row.secret is not None:
        what = t("{name} has a secret that no head gave", name=name)
    return Refusal(
        "no_secret", what, t("A head gives one: operator secret {name} --reset", name=name)
    )


def prove(site: Site, name: str, secret: str | None = None) -> None:
    """RuleRefused unless this is the operator's own secret. Wrong ones are counted and audited."""
    given = passphrases.operator_secret(name) if secret is None else secret
    with site.registry.writing() as session:
        row = get(session, name)
        refusal = _own(row) or _attempt(session, row, given)
    require_rules(refusal)


def find(session: Session, name: str) -> Operator | None:
    """The operator of this name, or None where the registry has not seen one."""
    return session.scalar(select(Operator).where(Operator.name == name))


def get(session: Session, name: str) -> Operator:
    """The operator of this name; OperatorError when there is none."""
    found = find(session, name)
    if found is None:
        raise OperatorError(
            t("No operator is called {name}", name=name), t("See them with: operator list")
        )
    return found


def who(name: str, row: Operator | None) -> duty.Who:
    """An operator as rules see one; who was never seen is a clerk."""
    if row is None:
        return duty.Who(name)
    return duty.Who(row.name, row.role, row.ended_at_s is not None)


def role_of(site: Site, session: Session) -> str:
    """The role of whoever works with this site now."""
    return who(site.operator, find(session, site.operator)).role


def name_seen(site: Site, session: Session, name: str) -> str:
    """A person's name as whoever works with this site may see it; the role is asked for once."""
    role = session.info.get(_ROLE)
    if role is None:
        role = session.info[_ROLE] = role_of(site, session)
    return masking.name(name, role)


def list_operators(site: Site) -> list[OperatorView]:
    """All of them, by name, those who ended too."""
    with site.registry.session() as session:
        return [_view(row) for row in session.scalars(select(Operator).order_by(Operator.name))]


def add(site: Site, name: str, role: str, dry_run: bool = False) -> OperatorView:
    """A new operator; who has ended before comes back."""
    require(site, duty.OPERATORS)
    name = name.strip()
    if not name or not people.is_short(name, NAME_MAX):
        raise OperatorError(
            t("The name is empty, longer than {n} characters, or unprintable", n=NAME_MAX),
            t("Correct it"),
        )
    with site.registry.writing() as session, session.begin_nested() as trial:
        row = find(session, name)
        if row is not None and row.ended_at_s is None:
            raise OperatorError(
                t("{name} is there already", name=name),
                t("Give another role with: operator role"),
            )
        if row is None:
            require_rules(duty.new_name(name, session.scalars(select(Operator.name))))
            row = Operator(name=name, created_at_s=now_s(), role=words.CLERK)
            session.add(row)
        row.ended_at_s, row.secret = None, None
        view = _give_role(row, role)
        audit.append(session, site.operator, "operator.add", name=name, role=role)
        if dry_run:
            trial.rollback()
    return view


def set_role(site: Site, name: str, role: str, dry_run: bool = False) -> OperatorView:
    """Another role; whoever is raised above a clerk proves themselves anew, with a first secret."""
    require(site, duty.OPERATORS)
    with site.registry.writing() as session, session.begin_nested() as trial:
        row = _other(site, session, name)
        before = row.role
        view = _view(row) if role == before else _give_role(row, role)
        if role != before:
            audit.append(
                session, site.operator, "operator.role", name=name, role=role, before=before
            )
        if dry_run:
            trial.rollback()
    return view


def end(site: Site, name: str, dry_run: bool = False) -> OperatorView:
    """They do nothing more here; what they did stays under their name."""
    require(site, duty.OPERATORS)
    with site.registry.writing() as session, session.begin_nested() as trial:
        row = _other(site, session, name)
        row.ended_at_s, row.secret = now_s(), None
        audit.append(session, site.operator, "operator.end", name=name)
        view = _view(row)
        if dry_run:
            trial.rollback()
    return view


def reset_secret(site: Site, name: str) -> OperatorView:
    """A first secret for somebody who forgot theirs."""
    require(site, duty.OPERATORS)
    with site.registry.writing() as session:
        row = _other(site, session, name)
        view = _first_secret(row)
        audit.append(session, site.operator, "operator.secret_reset", name=name)
    return view


def set_secret(site: Site, new: str, old: str | None = None) -> OperatorView:
    """The operator's own new secret; the old one, where there is one, proves that it is them.

    old: None: it is asked for when it is needed.
    """
    name = site.operator
    with site.registry.session() as session:
        row = find(session, name)
    require_rules(duty.in_service(who(name, row)), secret_rules.refuse_new(new, name))
    if row is not None and row.secret is not None and old is None:
        old = passphrases.operator_secret(name)
    with site.registry.writing() as session:
        row = find(session, name)
        refusal = None
        if row is not None and row.secret is not None:
            refusal = _attempt(session, row, old or "")
        if refusal is None:
            audit.append(session, name, "operator.secret_set")  # writes a new one down first
            row = get(session, name)
            # under a clerk's name anybody may have come
            claimed = row.role == words.CLERK and (
                row.secret is None or operator_secret.is_claimed(row.secret)
            )
            row.secret = operator_secret.make(new, claimed=claimed)
            view = _view(row)
    require_rules(refusal)
    return view


def _own(row: Operator) -> Refusal | None:
    """Only a secret of one's own proves anything."""
    if row.secret is None:
        return Refusal(
            "no_secret", t("{name} has no secret", name=row.name),
            t("Set one under this name: operator secret"),
        )  # fmt: skip
    if operator_secret.is_first(row.secret):
        return Refusal(
            "first_secret", t("{name} still has the secret that somebody else gave", name=row.name),
            t("Change it under this name: operator secret"),
        )  # fmt: skip
    return None


def _attempt(session: Session, row: Operator, secret: str) -> Refusal | None:
    """One try within a writing session, so that tries at once are counted one by one."""
    assert row.secret is not None  # noqa: S101 - asked before
    row.secret, refusal = operator_secret.attempt(row.secret, secret, row.name, now_s())
    if refusal is not None and refusal.rule == "secret":
        audit.append(session, row.name, "operator.secret_wrong")
    return refusal


def _other(site: Site, session: Session, name: str) -> Operator:
    """Somebody in service who is not the one who asks."""
    row = get(session, name)
    mine = who(site.operator, find(session, site.operator))
    require_rules(duty.staffing(mine, name), duty.in_service(who(name, row)))
    return row


def _give_role(row: Operator, role: str) -> OperatorView:
    if role not in words.ROLES:
        raise OperatorError(
            t("There is no role {role}", role=role),
            t("Roles: {roles}", roles=", ".join(words.ROLES)),
        )
    known = row.role != words.CLERK and row.secret is not None  # what a clerk set, others may have
    row.role = role
    return _view(row) if known or role == words.CLERK else _first_secret(row)


def _first_secret(row: Operator) -> OperatorView:
    made = operator_secret.first_secret()
    row.secret = operator_secret.make(made, first=True)
    return _view(row, made)


def _view(row: Operator, first_secret: str | None = None) -> OperatorView:
    proves = "none"
    if row.secret is not None:
        proves = "first" if operator_secret.is_first(row.secret) else "own"
    return OperatorView(row.name, row.role, row.created_at_s, row.ended_at_s, proves, first_secret)
