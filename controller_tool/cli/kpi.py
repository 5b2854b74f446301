"""`controller-tool kpi`: the five rates, the card rate, and what is missing to them (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli.chart import bar
from controller_tool.cli.common import App, ToolGroup, pairs, pass_app, plain, table
from controller_tool.cli.kpi_charging import charging
from controller_tool.cli.kpi_places import AREA as _AREA
from controller_tool.cli.kpi_places import areas, doors
from controller_tool.messages import name_of, t
from controller_tool.rules import rates as rules
from controller_tool.rules import words
from controller_tool.services import load_curve
from controller_tool.services.desk import rate_picture, rate_sheet, rate_words, rates
from controller_tool.services.folding import ON_SCREEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.rules.rates import Ages, Rate
    from controller_tool.services.desk.rate_books import Unit
    from controller_tool.services.desk.rates import Report

_BAR = 30
_HOUSE = click.option("--house", metavar="HOUSE", help=t("Only this house"))
_FORCE = click.option("--force", is_flag=True, help=t("Replace the file if it is there already"))


@click.group(cls=ToolGroup, help=t("The five rates of the order, the card rate, and their gaps."))
def kpi() -> None:
    """The group; its commands do the work."""


for _command in (areas, doors, charging):
    kpi.add_command(_command)


def _file(option: str, text: str) -> Callable[[Any], Any]:
    kind = click.Path(path_type=Path)
    return click.option(option, type=kind, metavar="FILE", help=text)


@kpi.command("rates", help=t("How much of each rate is reached, here or place by place."))
@_AREA
@_HOUSE
@click.option("--by", type=click.Choice(rates.BY), help=t("A row for each"))
@_file("--png", t("Write the rates as a picture"))
@_file("--xlsx", t("Write a workbook, one sheet a gap list"))
@_FORCE
@pass_app
def rates_(app: App, /, by: str | None, area: str | None, house: str | None,
           force: bool, png: Path | None, xlsx: Path | None) -> None:  # fmt: skip
    """From the registry alone."""
    found = rates.report(app.site, by, area, house)
    if png is not None:
        rate_picture.save(found, png, force)
        _tell_font(app)
    if xlsx is not None:
        rate_sheet.save(app.site, found, xlsx, force)
    written = [t("{file} written", file=file) for file in (png, xlsx) if file is not None]
    app.show(_plain(found), *_whole(found), *_units(found), *written)


@kpi.command("gaps", help=t("What is missing to a rate, one by one."))
@click.argument("rate", type=click.Choice(rules.RATES))
@_AREA
@_HOUSE
@click.option("--all", "everything", is_flag=True, help=t("Show all, however many there are"))
@_file("--xlsx", t("Write a workbook, one sheet a gap list"))
@_FORCE
@pass_app
def gaps(app: App, /, rate: str, area: str | None, house: str | None, everything: bool,
         xlsx: Path | None, force: bool) -> None:  # fmt: skip
    """From the registry alone."""
    found = rates.report(app.site, None, area, house)
    if xlsx is not None:
        rate_sheet.save(app.site, found, xlsx, force)
    listed = found.gaps[rate]
    seen = listed if everything else listed[:ON_SCREEN]
    shown: list[Any] = [f"{name_of('rate', rate)}: {_text(found.whole.rates[rate])}"]
    if listed:
        shown += ["", table(*rate_words.gap_table(app.site, seen))]
    if len(seen) < len(listed):
        shown.append(t("and {n} more: --all, or --xlsx FILE", n=len(listed) - len(seen)))
    if xlsx is not None:
        shown.append(t("{file} written", file=xlsx))
    app.show({"rate": rate, **_rate(found.whole.rates[rate]), "gaps": plain(listed)}, *shown)


@kpi.command("ranking", help=t("Grids, villages or districts, the best first."))
@click.option("--by", type=click.Choice(words.AREAS), default=words.GRID, show_default=True,
              help=t("A row for each"))  # fmt: skip
@_AREA
@pass_app
def ranking(app: App, /, by: str, area: str | None) -> None:
    """By the mean of the rates; whoever did not count stands behind."""
    found = rates.standings(app.site, by, area)
    rows = [
        ("-" if one.place is None else one.place, rate_words.place(unit),
         rules.percent_of(one.mean_tenths), one.reached, one.missing, one.uncounted)
        for unit, one in found
    ]  # fmt: skip
    columns = [t("place"), t("area"), t("mean"), t("rates at 100 %"), t("missing"),
               t("not counted")]  # fmt: skip
    shown = table(columns, rows) if rows else t("No such area is known here")
    app.show([{**plain(one), "name": unit.name} for unit, one in found], shown)


def _tell_font(app: App) -> None:
    missing = load_curve.missing_font(places=True)
    if missing is not None:
        app.complain(*missing)


def _rate(rate: Rate) -> dict[str, Any]:
    return {**plain(rate), "percent": rate.percent, "reached": rate.reached}


def _unit(unit: Unit) -> dict[str, Any]:
    return {**plain(unit), "rates": {name: _rate(rate) for name, rate in unit.rates.items()}}


def _plain(found: Report) -> dict[str, Any]:
    counts = {name: len(gaps) for name, gaps in found.gaps.items()}
    return {
        "at_s": found.at_s, "whole": _unit(found.whole), "units": list(map(_unit, found.units)),
        "gaps": counts, "entries": plain(found.entries), "surveys": plain(found.surveys),
    }  # fmt: skip


def _text(rate: Rate) -> str:
    return f"{rate.percent} ({rate.numerator}/{rate.denominator})"


def _whole(found: Report) -> list[Any]:
    rows = []
    for name in rules.RATES:
        rate = found.whole.rates[name]
        drawn = bar(rate.numerator, rate.denominator, _BAR)
        reached = f"{rate.numerator}/{rate.denominator}"
        rows.append((name_of("rate", name), reached, rate.percent, drawn, len(found.gaps[name])))
    columns = [rate_words.place(found.whole), t("reached"), "%", "", t("gaps")]
    facts = [
        (name_of("rate", rules.DUE), _text(found.whole.rates[rules.DUE])),
        (t("age of entries"), _ages(found.entries)),
        (t("age of counts of houses"), _ages(found.surveys)),
    ]
    return [table(columns, rows), "", pairs(facts)]


def _ages(ages: Ages | None) -> str:
    if ages is None:
        return t("none")
    return t(
        "{count}: half of them over {half} days, a tenth over {tenth}, the oldest {oldest}",
        count=ages.count, half=ages.half_days, tenth=ages.tenth_days, oldest=ages.oldest_days,
    )  # fmt: skip


def _units(found: Report) -> list[Any]:
    if not found.units:
        return []
    rows = [
        (rate_words.place(unit), *(_text(unit.rates[name]) for name in rules.RATES))
        for unit in found.units
    ]
    columns = [t("where"), *(name_of("rate", name) for name in rules.RATES)]
    return ["", table(columns, rows)]
