"""Operators who have proven themselves, without waiting for scrypt (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.rules import words
from controller_tool.services.desk import operators

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.services.site import Site

HEAD = "王芳"  # who founded the site of the fixtures
SECRETS = {HEAD: "heads own words", "赵刚": "police own words", "陈静": "supervisors words",
           "李明": "a clerks words"}  # fmt: skip


def hire(site: Site, open_site: Callable[..., Site], name: str, role: str) -> Site:
    """A new operator, who has changed the first secret; the site as they open it."""
    given = operators.add(site, name, role).first_secret
    if role == words.CLERK:
        given = operators.reset_secret(site, name).first_secret
    theirs = open_site(site.path, operator=name)
    operators.set_secret(theirs, SECRETS[name], given)
    return theirs


def prove(site: Site) -> Site:
    """Whoever works with the site has given their secret in this run."""
    operators.prove(site, site.operator, SECRETS[site.operator])
    site.proven_operator = site.operator
    return site
