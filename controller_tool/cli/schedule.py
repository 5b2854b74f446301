"""`controller-tool schedule` and `holiday`: weekly hours, and days unlike others (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli.common import App, ToolGroup, pass_app, table
from controller_tool.cli.profile import dry_run_option, finish
from controller_tool.messages import t
from controller_tool.services import holidays, windows
from controller_tool.services import schedules as service

if TYPE_CHECKING:
    from controller_tool.services.holidays import Changed
    from controller_tool.services.schedules import ScheduleView

_WINDOWS = t(
    'Windows are days and hours: "Mon-Fri 06:00-22:00", "Sat,Sun 08:00-02:00" (until the next'
    ' morning), "daily 00:00-24:00", "holiday 09:00-18:00"; 周一至周五, 周末, 每天, 节假日 as well.'
)
_note = click.option("--note", default="", help=t("What day it is"))


@click.group(cls=ToolGroup, help=t("Schedules: weekly hours for profiles."))
def schedule() -> None:
    """The group; its commands do the work."""


@schedule.command("list", help=t("All schedules."))
@pass_app
def list_(app: App) -> None:
    """One line a schedule."""
    found = service.list_schedules(app.site)
    app.show(found, _table(found))


@schedule.command("add", help="\n\n".join((t("A new schedule."), _WINDOWS)))
@click.argument("name")
@click.argument("windows", nargs=-1, required=True)
@dry_run_option
@pass_app
def add(app: App, name: str, windows: tuple[str, ...], dry_run: bool) -> None:
    """Every wrong window is named; then nothing was added."""
    _done(app, service.add(app.site, name, windows, dry_run), dry_run)


@schedule.command("change", help="\n\n".join((t("Other windows for a schedule."), _WINDOWS)))
@click.argument("name")
@click.argument("windows", nargs=-1, required=True)
@dry_run_option
@pass_app
def change(app: App, name: str, windows: tuple[str, ...], dry_run: bool) -> None:
    """All windows anew."""
    _done(app, service.change(app.site, name, windows, dry_run), dry_run)


@schedule.command("remove", help=t("Remove a schedule that no profile goes by."))
@click.argument("name")
@dry_run_option
@pass_app
def remove(app: App, name: str, dry_run: bool) -> None:
    """Refused while profiles name it."""
    gone = service.remove(app.site, name, dry_run)
    finish(app, gone, t("Schedule {name} is removed", name=gone.name), dry_run)


@click.group(cls=ToolGroup, help=t("Holidays: days on which only holiday windows count."))
def holiday() -> None:
    """The group; its commands do the work."""


@holiday.command("list", help=t("All holidays."))
@pass_app
def list_holidays(app: App) -> None:
    """One line for days in a row with the same note."""
    found = holidays.list_holidays(app.site)
    rows = [(h.first, h.last, h.days, h.note) for h in found]
    app.show(found, table([t("first day"), t("last day"), t("days"), t("note")], rows))


@holiday.command("add", help=t("Add DATE or DATE..DATE, local days."))
@click.argument("dates", nargs=-1, required=True)
@_note
@dry_run_option
@pass_app
def add_holidays(app: App, dates: tuple[str, ...], note: str, dry_run: bool) -> None:
    """Every wrong date is named; then nothing was added."""
    _added(app, holidays.add(app.site, dates, note, dry_run), dry_run)


@holiday.command("import", help=t("Add the dates of a file, one a line: 2030-10-01 National Day."))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_note
@dry_run_option
@pass_app
def import_holidays(app: App, file: Path, note: str, dry_run: bool) -> None:
    """All lines or none."""
    _added(app, holidays.import_file(app.site, file, note, dry_run), dry_run)


@holiday.command("remove", help=t("Remove DATE or DATE..DATE."))
@click.argument("dates", nargs=-1)
@click.option("--past", is_flag=True, help=t("All days before today"))
@dry_run_option
@pass_app
def remove_holidays(app: App, dates: tuple[str, ...], past: bool, dry_run: bool) -> None:
    """Days that are no holidays are passed over."""
    if not dates and not past:
        raise click.UsageError(t("Give a date, or --past"))
    done = holidays.remove(app.site, dates, past, dry_run)
    line = t("{n} holidays are removed, {total} are left", n=done.days, total=done.total)
    finish(app, done, line, dry_run)


def _added(app: App, done: Changed, dry_run: bool) -> None:
    line = t("{n} holidays are added or changed, {same} were there, {total} in all",
             n=done.days, same=done.same, total=done.total)  # fmt: skip
    finish(app, done, line, dry_run)


def _done(app: App, made: ScheduleView, dry_run: bool) -> None:
    finish(app, made, t("Schedule {name}", name=made.name), dry_run, _table([made]))
    if not made.on_holidays:
        app.note(t("It names no holidays: on those nobody comes in by it"))


def _table(found: list[ScheduleView]) -> Any:
    rows = [
        (s.id, s.name, "; ".join(windows.text(mask, local=True) for mask in s.masks),
         ", ".join(s.profiles) or "-")
        for s in found
    ]  # fmt: skip
    return table([t("id"), t("name"), t("windows"), t("profiles")], rows)
