"""`controller-tool tenant import`: a roster of people, tried and taken (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli.common import App, ToolCommand, pass_app, table
from controller_tool.cli.profile import dry_run_option
from controller_tool.cli.refusals import columns_help, refuse, show_import, template_or_file
from controller_tool.messages import name_of, t
from controller_tool.rules import words
from controller_tool.services import roster, roster_file, site_time
from controller_tool.services.desk import roster_template, tenant_import

if TYPE_CHECKING:
    from rich.table import Table

    from controller_tool.services.desk.tenant_import import Change, Imported

_IMPORT = t("Import a roster of people (.xlsx or CSV): all rows or none.")
_HELP = columns_help(
    _IMPORT,
    roster_file.DESK_COLUMNS.values(),
    t("Name, ID number, room and last day must be there. The same roster again changes"
      " nothing; a corrected or newer one brings stays in line with it."),
)  # fmt: skip


@click.command("import", cls=ToolCommand, help=_HELP, short_help=_IMPORT)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--house", metavar="REF", help=t("House of all rows; else each row names its own"))
@click.option("--source", metavar="NAME",
              help=t("Whose roster it is, the same each time; default: the house's"))  # fmt: skip
@click.option("--kind", type=click.Choice((words.TENANT, words.WORKER)), default=words.WORKER,
              show_default=True, help=t("Kind of the stays that begin"))  # fmt: skip
@click.option("--leavers", type=click.Choice(words.LEAVERS), default=words.LIST,
              show_default=True,
              help=t("Who was on a former roster of this source and is not on this"))  # fmt: skip
@click.option("--profile", metavar="NAME", help=t("Which doors and when, see: profile list"))
@click.option("--sheet", metavar="NAME", help=t("Sheet of a workbook that has several"))
@click.option("--template", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help=t("Write an empty roster (.xlsx) to fill in, and do nothing else"))  # fmt: skip
@dry_run_option
@pass_app
def import_(
    app: App, /, file: Path | None, template: Path | None, dry_run: bool, **asked: Any
) -> None:
    """Every wrong field is shown; then nothing was imported."""
    wanted = template_or_file(app, file, template, roster_template.write)
    if wanted is None:
        return
    try:
        done = tenant_import.import_tenants(app.site, wanted, tenant_import.Wish(**asked), dry_run)
    except roster.RosterRefused as refused:
        refuse(app, wanted.name, refused)
        return
    _show(app, wanted, done)


def _show(app: App, file: Path, done: Imported) -> None:
    told = [one for one in (*done.changes, *done.leavers) if one.what != (words.UNCHANGED,)]
    parts = []
    if told and (done.dry_run or done.leavers):
        parts.append(_table(app, told if done.dry_run else list(done.leavers)))
    show_import(app, file, done, "roster", *parts)
    if any(words.LEAVING in one.what for one in done.leavers):
        app.note(t("Who is not on the roster still stays here; --leavers end checks them out"))
    if not done.dry_run and done.devices:
        app.note(t("The cards count at the doors after: push"))


def _table(app: App, changes: list[Change]) -> Table:
    local = site_time.of(app.site)
    with_beds = any(one.bed for one in changes)
    beds = [t("bed")] if with_beds else []
    columns = [t("row"), name_of("person", "name"), t("house"), t("room"), *beds, t("card"),
               t("until"), t("change")]  # fmt: skip
    return table(columns, (
        (
            one.row or "-", one.name, one.house, one.room,
            *([one.bed] if with_beds else []), one.card,
            local.text(one.until_min * 60 - 60)[:10],
            ", ".join(name_of("roster", word) for word in one.what),
        )
        for one in changes
    ))  # fmt: skip
