"""Rates and their gap lists as a workbook: all places, then one sheet a gap list (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.messages import name_of, t
from controller_tool.rules import rates as rules
from controller_tool.services import audit, journal_sheet
from controller_tool.services.desk import rate_words
from controller_tool.services.journal_export import new_file, safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from controller_tool.services.desk.rate_books import Unit
    from controller_tool.services.desk.rates import Report
    from controller_tool.services.site import Site

    Sheet = tuple[str, list[str], Iterable[list[object]]]


def save(site: Site, found: Report, path: Path, force: bool = False) -> None:
    """A new file of the owner's alone. Raises OperatorError."""
    sheets: list[Sheet] = [(t("rates"), _headers(), _rates(found))]
    for name in rules.RATES:
        rows = ([safe(cell) for cell in row] for row in rate_words.gap_rows(site, found.gaps[name]))
        sheets.append((name_of("rate", name), rate_words.gap_columns(), rows))
    audit.export_begun(site, "kpi", ["gap"], sum(len(gaps) for gaps in found.gaps.values()))
    with new_file(path, force) as file:
        journal_sheet.write_sheets(file, sheets)


def _headers() -> list[str]:
    made = [t("kind"), t("code"), t("name")]
    for name in (*rules.RATES, rules.DUE):
        rate = name_of("rate", name)
        parts = (t("numerator"), t("denominator"), t("not counted"))
        made += [rate, *(f"{rate} {part}" for part in parts)]
    return made


def _rates(found: Report) -> Iterator[list[object]]:
    for unit in [found.whole, *found.units]:
        yield _row(unit)


def _row(unit: Unit) -> list[object]:
    made: list[object] = [rate_words.kind(unit), safe(unit.code), safe(unit.name)]
    for name in (*rules.RATES, rules.DUE):
        rate = unit.rates[name]
        made += [rate.percent, rate.numerator, rate.denominator, rate.uncounted]
    return made
