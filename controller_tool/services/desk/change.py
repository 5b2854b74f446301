"""A change of the desk's registry, done or only tried (host)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import people

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site


@contextmanager
def changing(site: Site, dry_run: bool) -> Iterator[Session]:
    """A writing session that is undone if ``dry_run``; its objects stay readable."""
    site.require_cards()
    with site.registry.writing() as session, session.begin_nested() as trial:
        yield session
        session.flush()
        if dry_run:
            trial.rollback()


def wanted(text: str, longest: int, named: str) -> str:
    """The text without blanks around it; OperatorError when there is none, or it is too long."""
    short = people.short(text, longest)
    if not short:
        raise OperatorError(t("{what} is missing", what=named), t("Say it"))
    return short
