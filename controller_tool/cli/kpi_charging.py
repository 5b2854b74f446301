"""`controller-tool kpi charging`: key figures of the chargers (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli import moments
from controller_tool.cli.common import App, ToolCommand, pass_app, plain, table
from controller_tool.cli.journal_reading import complain_of, require_pulled
from controller_tool.messages import name_of, t
from controller_tool.services import journal_read
from controller_tool.services import kpi as service

if TYPE_CHECKING:
    from rich.table import Table

    from controller_tool.services.kpi import Figures

_KILO = 10_000  # from so many Wh on they are told in kWh


@click.command(
    "charging", cls=ToolCommand, help=t("Energy, sessions, peak and faults of chargers.")
)
@click.argument("devices", nargs=-1)
@click.option("--by", type=click.Choice(service.PERIODS), default=service.DAY, show_default=True,
              help=t("A row for each"))  # fmt: skip
@click.option("--since", metavar="TIME", help=t("From this local day or minute on"))
@click.option("--until", metavar="TIME", help=t("Up to this day, or before this minute"))
@click.option("--csv", type=click.Path(path_type=Path), metavar="FILE",
              help=t("Write the figures as a table, each port with its own row"))  # fmt: skip
@click.option("--force", is_flag=True, help=t("Replace the file if it is there already"))
@pass_app
def charging(
    app: App, /, devices: tuple[str, ...], by: str, csv: Path | None, **asked: Any
) -> None:
    """From what was pulled; no controller is asked."""
    require_pulled(app, devices)
    since_s, until_s = moments.span(journal_read.local_of(app.site), asked["since"], asked["until"])
    flaws = journal_read.Flaws()
    with app.progress() as progress:
        found = service.figures(app.site, devices, by, since_s, until_s, progress, flaws)
    if csv is not None:
        service.as_csv(found, csv, asked["force"])
    whole = service.totals(found)
    shown: list[Any] = [t("No charging and no fault is stored of this time")]
    if found:
        shown = [_periods(found), *_by_port(whole), *_by_kind(whole)]
    if csv is not None:
        shown.append(t("{file} written", file=csv))
    app.show({"by": by, "figures": [_plain(one) for one in found],
              "totals": [_plain(one) for one in whole]}, *shown)  # fmt: skip
    complain_of(flaws)


def _plain(one: Figures) -> dict[str, Any]:
    ports = [one.ports[number] for number in sorted(one.ports)]
    faults, ends = (dict(sorted(kinds.items())) for kinds in (one.faults, one.ends))
    return {**plain(one), "faults": faults, "ends": ends, "ports": plain(ports)}


def _periods(found: list[Figures]) -> Table:
    rows = [
        (_period(one.period), one.controller, one.sessions,
         energy(one.energy_wh), one.minutes,
         "-" if one.peak_w is None else f"{one.peak_w} W", one.peak_time,
         sum(one.faults.values()))
        for one in found
    ]  # fmt: skip
    columns = [t("period"), t("controller"), t("sessions"), t("energy"), t("minutes"), t("peak"),
               t("at"), t("faults")]  # fmt: skip
    return table(columns, rows)


def _period(period: str) -> str:
    words = {service.ALL: t("all"), service.NO_CLOCK: t("clock not set")}
    return words.get(period, period)


def _by_port(whole: list[Figures]) -> list[Any]:
    rows = [
        (one.controller, number, one.ports[number].sessions, energy(one.ports[number].energy_wh),
         one.ports[number].minutes)
        for one in whole
        for number in sorted(one.ports)
    ]  # fmt: skip
    columns = [t("controller"), t("port"), t("sessions"), t("energy"), t("minutes")]
    return ["", table(columns, rows)] if rows else []


def _by_kind(whole: list[Figures]) -> list[Any]:
    """How sessions ended, and what went wrong, the most frequent first."""
    shown: list[Any] = []
    for title, group, which in (
        (t("ended by"), "end", "ends"),
        (t("faults"), "event", "faults"),
    ):
        rows = [
            (one.controller, name_of(group, kind), count)
            for one in whole
            for kind, count in getattr(one, which).most_common()
        ]
        if rows:
            shown += ["", table([t("controller"), title, t("how often")], rows)]
    return shown


def energy(wh: float) -> str:
    """As people read it."""
    return f"{wh / 1000:.2f} kWh" if wh >= _KILO else f"{wh:.0f} Wh"
