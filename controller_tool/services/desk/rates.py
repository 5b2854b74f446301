"""The five rates and the card rate of houses, grids, villages, districts and the site (host).

What each counts stands in rules.rates; where it comes from, in rate_facts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller_tool.clock import now_s
from controller_tool.rules import masking, ranking, words
from controller_tool.rules import rates as rules
from controller_tool.services.desk import operators, rate_facts
from controller_tool.services.desk.rate_books import HOUSE, Books

if TYPE_CHECKING:
    from controller_tool.rules.ranking import Standing
    from controller_tool.rules.rates import Ages, Gap
    from controller_tool.services.desk.rate_books import Unit
    from controller_tool.services.desk.rate_facts import Facts
    from controller_tool.services.site import Site

BY = (HOUSE, *reversed(words.AREAS))


@dataclass(frozen=True)
class Report:
    """whole: of all that was asked for; gaps: of it by rate; entries, surveys: how old they are."""

    at_s: int
    whole: Unit
    units: list[Unit]
    gaps: dict[str, list[Gap]]
    entries: Ages | None
    surveys: Ages | None


def report(
    site: Site, by: str | None = None, area: str | None = None, house: str | None = None
) -> Report:
    """Of the site, of one area (by code) or of one house (by reference).

    by: BY, what the units are; None for no units. Names of gaps are masked for the role of whoever
    works with ``site``. OperatorError for a place that is none.
    """
    with site.registry.session() as session:
        facts = rate_facts.read(session)
        role = operators.role_of(site, session)
    found = of_facts(facts, now_s(), by, area, house)
    gaps = {name: [_masked(gap, role) for gap in many] for name, many in found.gaps.items()}
    return replace(found, gaps=gaps)


def _masked(gap: Gap, role: str) -> Gap:
    shown = masking.name(gap.who, role)
    return gap if shown == gap.who else replace(gap, who=shown)


def of_facts(
    facts: Facts,
    at_s: int,
    by: str | None = None,
    area: str | None = None,
    house: str | None = None,
) -> Report:
    """The same of facts that were read."""
    books = Books(facts, at_s)
    whole = books.scope(area, house)
    return Report(
        at_s,
        whole,
        [] if by is None else list(books.units(by, whole)),
        books.gaps_of(whole),
        rules.ages(books.entry_days(whole)),
        rules.ages(books.survey_days(whole)),
    )


def standings(site: Site, kind: str, area: str | None = None) -> list[tuple[Unit, Standing]]:
    """Areas of a kind, the best first."""
    units = {unit.code: unit for unit in report(site, kind, area).units if unit.kind == kind}
    found = ranking.ranked({code: unit.rates for code, unit in units.items()})
    return [(units[one.key], one) for one in found]
