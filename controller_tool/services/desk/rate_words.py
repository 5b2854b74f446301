"""Rates and gaps in the words of people (host).

A gap names who is to be asked, as rates.report masked it for the role of who looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.messages import name_of, t
from controller_tool.rules import rates as rules
from controller_tool.rules import words
from controller_tool.services import journal_read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller_tool.rules.rates import Gap
    from controller_tool.services.desk.rate_books import Unit
    from controller_tool.services.site import Site
    from controller_tool.services.site_time import SiteTime


def kind(unit: Unit) -> str:
    """What sort of place it is."""
    return name_of("area" if unit.kind in words.AREAS else "unit", unit.kind)


def place(unit: Unit) -> str:
    """The place by code and name."""
    return " ".join(filter(None, (unit.code, unit.name))) or kind(unit)


def gap_columns() -> list[str]:
    """Headers of `gap_rows`."""
    return [
        t("area"), t("house"), t("what"), t("room"), t("person or landlord"), t("why"),
        t("how many"), t("details"), t("due"), t("proven"), t("missing receipts"),
    ]  # fmt: skip


def gap_table(site: Site, gaps: Sequence[Gap]) -> tuple[list[str], list[list[object]]]:
    """Columns and rows for a screen, without columns in which nothing stands."""
    rows = gap_rows(site, gaps)
    kept = [place for place in range(len(gap_columns())) if any(row[place] for row in rows)]
    columns = [gap_columns()[place] for place in kept]
    return columns, [[row[place] for place in kept] for row in rows]


def gap_rows(site: Site, gaps: Sequence[Gap]) -> list[list[object]]:
    """Gaps as lines of a table, each without what it does not have."""
    local = journal_read.local_of(site)
    return [_row(local, gap) for gap in gaps]


def _row(local: SiteTime, gap: Gap) -> list[object]:
    return [
        gap.place, gap.house, gap.subject, gap.room, gap.who, name_of("gap", gap.reason),
        gap.count or "", _details(gap), "" if gap.due_s is None else local.text(gap.due_s)[:10],
        "" if gap.of is None else f"{gap.proven}/{gap.of}", " ".join(gap.devices),
    ]  # fmt: skip


def _details(gap: Gap) -> str:
    if gap.rate == rules.ACCURACY:
        return " ".join(name_of("field", name) for name in gap.detail.split(",") if name)
    return name_of("party", gap.detail) if gap.rate == rules.BREACHES else gap.detail
