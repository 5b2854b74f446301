"""`controller-tool device energy`: what a charger's ports drew, as a curve (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller_tool import date_forms
from controller_tool.cli import chart, moments
from controller_tool.cli.common import App, ToolCommand, pass_app, table
from controller_tool.cli.ways import way, way_options
from controller_tool.messages import t
from controller_tool.services import (
    clock_step,
    energy_pull,
    energy_report,
    journal_read,
    load_curve,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from controller_tool.services.energy_pull import EnergyPulled
    from controller_tool.services.energy_report import EnergyReport

_PORTS_MAX = 16
_HEIGHT = 12
_MARGIN = 10  # the scale beside the curve
_WIDTH_MIN, _WIDTH_MAX = 24, 120
_LABELS = 4
_DAY_S = 86400
_KILO = 10_000  # from so many Wh on they are told in kWh


@click.command("energy", cls=ToolCommand, help=t("What a charger drew: pulls it, shows a curve."))
@click.argument("name")
@click.option("--point", type=click.IntRange(1, _PORTS_MAX), metavar="N",
              help=t("Only this charging port, from 1"))  # fmt: skip
@click.option("--since", metavar="TIME", help=t("From this local day or minute on"))
@click.option("--until", metavar="TIME", help=t("Up to this day, or before this minute"))
@click.option("--stored", is_flag=True, help=t("Only what is stored here; ask no controller"))
@click.option("--png", type=click.Path(path_type=Path), metavar="FILE",
              help=t("Write the curve as a picture"))  # fmt: skip
@click.option("--csv", type=click.Path(path_type=Path), metavar="FILE",
              help=t("Write each port's minutes as a table"))  # fmt: skip
@click.option("--force", is_flag=True, help=t("Replace the file if it is there already"))
@way_options
@pass_app
def energy(app: App, /, name: str, stored: bool, **asked: Any) -> None:
    """Without times: the last day that is stored."""
    since_s, until_s = moments.span(journal_read.local_of(app.site), asked["since"], asked["until"])
    dialled = way(asked["via"], asked["port"])
    pulled = None if stored else energy_pull.pull(app.site, name, dialled, app.note)
    made = energy_report.report(app.site, name, asked["point"], since_s, until_s)
    written = {} if made is None else _write(app, made, asked)
    untimed_wh = energy_report.untimed_wh(app.site, name, asked["point"])
    if app.as_json:
        app.show({"pulled": pulled, **_plain(name, made), "untimed_wh": untimed_wh, **written})
        return
    _tell_pulled(app, name, pulled)
    _tell_untimed(app, name, untimed_wh, 0 if made is None else made.guessed_wh)
    if made is None:
        app.show(None, *([] if untimed_wh else [t("{device} has told of no energy yet",
                                                  device=name)]))  # fmt: skip
        return
    lines = [t("{file} written", file=file) for file in written.values()]
    app.show(None, *_shown(app, made), *lines)


def _write(app: App, made: EnergyReport, asked: dict[str, Any]) -> dict[str, Path]:
    """The files that were asked for, by their kind."""
    written = {}
    for kind, write in (("png", energy_report.picture), ("csv", energy_report.as_csv)):
        if asked[kind] is not None:
            write(app.site, made, asked[kind], asked["force"])
            written[kind] = asked[kind]
    missing = load_curve.missing_font() if "png" in written else None
    if missing is not None:
        app.complain(*missing)
    return written


def _plain(name: str, made: EnergyReport | None) -> dict[str, object]:
    if made is None:
        return {"device": name, "ports": [], "curve": []}
    left_out = ("steps", "minutes", "since_s", "until_s")
    return {key: value for key, value in vars(made).items() if key not in left_out}


def _tell_pulled(app: App, name: str, pulled: EnergyPulled | None) -> None:
    if pulled is None:
        return
    clock = clock_step.said(pulled.clock)
    if clock is not None:
        app.complain(*clock)
    if pulled.begun_anew:
        app.complain(
            t("{device} began its account of energy anew", device=name),
            t("What is stored stays; see: journal show {device} --event energy_lost", device=name),
        )
    if pulled.overwritten:
        app.complain(
            t("{device}: {n} entries of its account were overwritten before they were pulled",
              n=pulled.overwritten, device=name),
            t("Pull at least every three hours; sessions with their Wh are in the journal"),
        )  # fmt: skip


def _tell_untimed(app: App, name: str, untimed_wh: float, guessed_wh: float) -> None:
    """Energy that no curve can show, and where it is told instead."""
    see = t("The sessions with their energy: journal sessions {device}", device=name)
    if untimed_wh:
        app.complain(
            t("{device}: {energy} have no time, for its clock was not set; they are not in here",
              device=name, energy=_energy(untimed_wh)), see,
        )  # fmt: skip
    if guessed_wh:
        app.complain(
            t("{device}: {energy} were drawn while its clock was not set; they are shown as if"
              " right after the last known minute",
              device=name, energy=_energy(guessed_wh)), see,
        )  # fmt: skip


def _shown(app: App, made: EnergyReport) -> list[RenderableType]:
    which = made.device
    if made.port is not None:
        which = t("{device}, port {port}", device=which, port=made.port)
    since, until = date_forms.shown(made.since), date_forms.shown(made.until)
    if not made.steps:
        return [t("{which}: no energy from {since} to {until}",
                  which=which, since=since, until=until)]  # fmt: skip
    head = t("{which}, {since} to {until}: {energy}, at most {peak} W at {time}",
             which=which, since=since, until=until, energy=_energy(made.energy_wh),
             peak=made.peak_w, time=date_forms.shown(made.peak_time))  # fmt: skip
    rows = [
        (one.port, _energy(one.energy_wh), f"{one.peak_w} W", one.minutes) for one in made.ports
    ]
    columns = [t("port"), t("energy"), t("peak"), t("minutes")]
    return [head, "\n".join(_curve(app, made)), table(columns, rows)]


def _curve(app: App, made: EnergyReport) -> list[str]:
    """The stretch in which anything was drawn, as wide as the terminal."""
    begin_s, end_s = made.steps[0].begin_s, made.steps[-1].end_s
    width = min(max(app.console().width - _MARGIN, _WIDTH_MIN), _WIDTH_MAX)
    values = chart.columns(made.steps, begin_s, end_s, width)
    lines = chart.rows(values, _HEIGHT, "W")
    margin = lines[0].index("┤") + 1
    local = journal_read.local_of(app.site)
    labels = []
    for number in range(_LABELS):
        column = width * number // _LABELS
        text = local.text(begin_s + (end_s - begin_s) * number // _LABELS)
        labels.append((column, text if number == 0 else text[11:]))
    lines.append(chart.times(labels, margin, width))
    lines.append(
        " " * margin + t("each column: the mean of {span}", span=_span((end_s - begin_s) / width))
    )
    return lines


def _span(seconds: float) -> str:
    """A stretch of time in the unit that fits it."""
    for template, unit_s, below_s in (
        (t("{n:.0f} s"), 1, 120), (t("{n:.1f} min"), 60, 7200), (t("{n:.1f} h"), 3600, 172_800),
    ):  # fmt: skip
        if seconds < below_s:
            return template.format(n=seconds / unit_s)
    return t("{n:.1f} days", n=seconds / _DAY_S)


def _energy(wh: float) -> str:
    return f"{wh / 1000:.2f} kWh" if wh >= _KILO else f"{wh:.0f} Wh"
