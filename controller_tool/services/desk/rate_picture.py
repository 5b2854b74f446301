"""Rates as a picture: one field a rate, a bar for each place (host).

matplotlib is loaded when somebody draws.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from controller_tool.messages import language, name_of
from controller_tool.rules import rates as rules
from controller_tool.services.desk import rate_words
from controller_tool.services.journal_export import new_file
from controller_tool.services.load_curve import can_write_chinese, fonts, word

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from controller_tool.services.desk.rate_books import Unit
    from controller_tool.services.desk.rates import Report

PLACES_MAX = 30  # in one picture: the worst of each rate
_DPI = 110
_ALL = 1000
_COLOURS = {True: "#2a7d4f", False: "#d1495b"}  # reached or not


def save(found: Report, path: Path, force: bool = False) -> None:
    """Draw the units, or the whole where there are none, into a new file. Raises OperatorError."""
    png = draw(found)
    with new_file(path, force) as file:
        file.write(png)


def draw(found: Report) -> bytes:
    """The picture as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    units = found.units or [found.whole]
    rows = min(len(units), PLACES_MAX)
    with fonts(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name in letters that no font here has
        figure = Figure(figsize=(13, 2 * (1.3 + 0.25 * rows)), dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        for axes, name in zip(figure.subplots(2, 3).flat, rules.RATES, strict=True):
            _paint(axes, name, _worst(units, name))
        made = io.BytesIO()
        figure.savefig(made, format="png", metadata={"Software": None})
    return made.getvalue()


def _worst(units: list[Unit], name: str) -> list[Unit]:
    """So many as there is room for, in their own order."""
    ranked = sorted(units, key=lambda unit: _tenths(unit, name))
    chosen = {id(unit) for unit in ranked[:PLACES_MAX]}
    return [unit for unit in units if id(unit) in chosen]


def _tenths(unit: Unit, name: str) -> int:
    tenths = unit.rates[name].tenths
    return _ALL + 1 if tenths is None else tenths


def _paint(axes: Axes, name: str, units: list[Unit]) -> None:
    rates = [unit.rates[name] for unit in units]
    axes.barh(
        range(len(units)), [(rate.tenths or 0) / 10 for rate in rates],
        color=[_COLOURS[rate.reached] for rate in rates],
    )  # fmt: skip
    for at, rate in enumerate(rates):
        text = f"{rate.percent}  {rate.numerator}/{rate.denominator}"
        axes.annotate(text, (1, at), va="center", fontsize=8)
    axes.set_yticks(range(len(units)), [_label(unit) for unit in units], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_title(_title(name), loc="left", fontsize=11)


def _title(name: str) -> str:
    return name if language() == "zh" and not can_write_chinese() else name_of("rate", name)


def _label(unit: Unit) -> str:
    if can_write_chinese():
        return rate_words.place(unit) if unit.code else rate_words.kind(unit)
    return unit.code or word("all")
