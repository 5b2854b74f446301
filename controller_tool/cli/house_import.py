"""`controller-tool house import`: a list of houses, tried and taken (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller_tool.cli.common import App, ToolCommand, pass_app, table
from controller_tool.cli.profile import dry_run_option
from controller_tool.cli.refusals import columns_help, refuse, show_import, template_or_file
from controller_tool.messages import name_of, t
from controller_tool.rules import words
from controller_tool.services.desk import house_file, house_import
from controller_tool.services.roster import RosterRefused

if TYPE_CHECKING:
    from controller_tool.services.desk.house_import import Imported

_IMPORT = t("Import a list of houses (.xlsx or CSV): all rows or none.")
_HELP = columns_help(
    _IMPORT,
    house_file.COLUMNS.values(),
    t("Address code, address, grid, type, rooms and beds must be there. An address code that"
      " is known brings its house up to date; what is left empty stays."),
)  # fmt: skip


@click.command("import", cls=ToolCommand, help=_HELP, short_help=_IMPORT)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--sheet", metavar="NAME", help=t("Sheet of a workbook that has several"))
@click.option("--template", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help=t("Write an empty list (.xlsx) to fill in, and do nothing else"))  # fmt: skip
@dry_run_option
@pass_app
def import_(
    app: App, /, file: Path | None, template: Path | None, sheet: str | None, dry_run: bool
) -> None:
    """Every wrong field is shown; then nothing was imported."""
    wanted = template_or_file(app, file, template, house_file.write_template)
    if wanted is None:
        return
    try:
        done = house_import.import_houses(app.site, wanted, sheet, dry_run)
    except RosterRefused as refused:
        refuse(app, wanted.name, refused)
        return
    _show(app, wanted, done)


def _show(app: App, file: Path, done: Imported) -> None:
    parts = []
    told = [
        (one.row, one.house or "-", one.address_code, one.address,
         name_of("house_list", one.what) + (f" ({', '.join(one.columns)})" if one.columns else ""))
        for one in done.changes if one.what != words.UNCHANGED
    ]  # fmt: skip
    if told:
        columns = [t("row"), t("house"), t("address code"), t("address"), t("change")]
        parts.append(table(columns, told))
    show_import(app, file, done, "house_list", *parts)
