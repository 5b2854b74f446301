"""`controller-tool device ports` and `calibrate`: what a charger's ports do and measure (host)."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from controller_tool.cli.common import App, ToolCommand, pass_app, plain, table
from controller_tool.cli.ways import way, way_options
from controller_tool.messages import name_of, t

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from controller_tool.services.ports import PortView, StationView


_WATTS = (20, 1200)  # less tells a gain badly, more no port delivers


@click.command("ports", cls=ToolCommand, help=t("What a charger's ports do."))
@click.argument("name", metavar="DEVICE")
@click.option("--watch", is_flag=True, help=t("Each second anew, until stopped"))
@way_options
@pass_app
def ports(app: App, name: str, watch: bool, via: str | None, port: str | None) -> None:
    """One line a port; with --watch and --json one line of JSON a second."""
    from controller_tool.services import ports as service  # noqa: PLC0415 - slow to import

    if watch:
        _follow(app, service.watch(app.site, name, way(via, port), app.note))
        return
    found = service.show(app.site, name, way(via, port), app.note)
    app.show(found, *_lines(found))


def _lines(found: StationView) -> list[RenderableType]:
    """The station, its clock where that is not set, a table of its ports."""
    from controller_tool.services import clock_step  # noqa: PLC0415 - slow to import

    lines: list[RenderableType] = [heading(found)]
    if found.clock == clock_step.UNSET:
        lines.append(
            t("the clock is not set: nothing it writes has a time. Set it with: device time"
              " {device}", device=found.device)
        )  # fmt: skip
    return [*lines, _table(found)]


def _follow(app: App, seen: Iterator[StationView]) -> None:
    """A table in its place on a terminal; one after the other where there is none."""
    if app.as_json:
        for found in seen:
            click.echo(json.dumps(plain(found), ensure_ascii=False))
            sys.stdout.flush()
        return
    console = app.console()
    if not console.is_terminal:
        for found in seen:
            app.show(found, *_lines(found))
        return
    from rich.live import Live  # noqa: PLC0415 - slow to import

    with Live(console=console, auto_refresh=False) as live:
        for found in seen:
            live.update(_together(app, found), refresh=True)


def _together(app: App, found: StationView) -> RenderableType:
    from rich.console import Group  # noqa: PLC0415 - slow to import

    from controller_tool.cli.narrow import fitted  # noqa: PLC0415

    *lines, rows = _lines(found)
    return Group(*lines, fitted(app.console(), rows))


def heading(found: StationView) -> str:
    """The station in one line."""
    line = t("{device}: {power:.0f} of {limit} W", device=found.device, power=found.power_w,
             limit=found.limit_w)  # fmt: skip
    if found.contactor != "none":
        line += t(", contactor {state}", state=name_of("contactor", found.contactor))
    if found.temperature_c is not None:
        line += f"{t(', ')}{_degrees(found.temperature_c)}"
    if found.sensor_broken:
        line += t(", board sensor broken")
    if found.latches:
        words = t(", ").join(name_of("latch", latch) for latch in found.latches)
        line += t("; latched until it is reset on site: {latches}", latches=words)
    return line


def _table(found: StationView) -> RenderableType:
    columns = [t("port"), t("state"), t("card"), t("holder"), "W", "Wh", t("min"),
               t("temperature"), t("trouble"), t("last end")]  # fmt: skip
    return table(columns, map(_row, found.ports))


def _row(p: PortView) -> tuple[object, ...]:
    card = t("by ticket") if p.by_ticket else name_of("card", p.card)
    return (
        p.port, name_of("port_state", p.state), card, p.holder, f"{p.power_w:.1f}",
        f"{p.energy_wh:.1f}", f"{p.minutes:.0f}",
        "-" if p.temperature_c is None else _degrees(p.temperature_c),
        t(", ").join(name_of("port", word) for word in p.trouble) or "-",
        "-" if p.last_end is None else name_of("end", p.last_end),
    )  # fmt: skip


def _degrees(celsius: float) -> str:
    return f"{celsius:.1f} °C"


@click.command("calibrate", cls=ToolCommand,
               help=t("Set a port's meter right by a known load that is plugged in."))  # fmt: skip
@click.argument("name", metavar="DEVICE")
@click.argument("number", metavar="PORT", type=click.IntRange(1, 255))
@click.option("--watts", required=True, type=click.FloatRange(*_WATTS),
              help=t("What the load takes, as a meter that is known to be right says"))  # fmt: skip
@click.option("--dry-run", is_flag=True, help=t("Measure, and sign nothing"))
@way_options
@pass_app
def calibrate(
    app: App, name: str, number: int, watts: float, dry_run: bool, via: str | None,
    port: str | None,
) -> None:  # fmt: skip
    """Ten readings, a second apart, while the port charges."""
    from controller_tool.services import calibrate as service  # noqa: PLC0415 - slow to import

    load = service.Load(name, number, watts)
    done = service.calibrate(app.site, load, dry_run=dry_run, way=way(via, port), notice=app.note)
    line = t("{device}, port {port}: {measured:.1f} W measured, {watts:g} W known;"
             " gain {before:.4f} becomes {after:.4f}",
             device=name, port=number, measured=done.measured_w, watts=watts,
             before=done.before, after=done.after)  # fmt: skip
    if dry_run:
        line = t("{what}; nothing was changed", what=line)
    elif not done.changed.changes:
        line = t("{what}: it was right already", what=line)
    else:
        line = t("{what} with configuration {version}, in force once no port charges",
                 what=line, version=done.changed.version)  # fmt: skip
    app.show({"ok": True, "dry_run": dry_run, **plain(done)}, line)
