"""`controller-tool export residents|receipt|duties|clips`: lists for others' systems (host)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from controller_tool.cli import moments
from controller_tool.cli.common import App, ToolCommand, pairs, pass_app, table
from controller_tool.messages import t
from controller_tool.services.desk import clips as clip_list
from controller_tool.services.desk import duty_sheets, residents_receipt
from controller_tool.services.desk import residents as service
from controller_tool.services.journal_read import local_of

_FILE = click.Path(dir_okay=False, path_type=Path)
_system = click.option("--system", type=click.Choice(service.SYSTEMS), required=True,
                       help=t("province: 省流动人口系统; hotel: 旅馆式管理系统"))  # fmt: skip
_force = click.option("--force", is_flag=True, help=t("Replace the file if it is there already"))
_dry_run = click.option("--dry-run", is_flag=True, help=t("Only show what would be done"))


@click.command("residents", cls=ToolCommand, help=t("Who came and left, for a residence system."))
@_system
@click.option("--output", type=_FILE, metavar="FILE", required=True,
              help=t("A .csv or .xlsx file"))  # fmt: skip
@click.option("--full", is_flag=True, help=t("Every stay, listed before or not"))
@_force
@_dry_run
@pass_app
def residents(app: App, /, system: str, output: Path, **asked: bool) -> None:
    """Since the last list for this system; ID numbers are in it as the system needs them."""
    done = service.export(app.site, system, output, asked["full"], asked["force"], asked["dry_run"])
    said = t("{came} who came, {left} who left", came=done.came, left=done.left)
    app.show(done, said if done.path else t("Dry run: {what}", what=said))


@click.command("receipt", cls=ToolCommand, help=t("Read what a residence system answered."))
@click.argument("file", type=_FILE)
@_system
@_dry_run
@pass_app
def receipt(app: App, /, file: Path, system: str, dry_run: bool) -> None:
    """What it refused goes on the work list."""
    try:
        done = residents_receipt.reconcile(app.site, system, file, dry_run)
    except residents_receipt.ReceiptRefused as refused:
        rows = [(fault.row, fault.field, fault.what) for fault in refused.faults]
        app.show({"ok": False, "error": refused.what, "next_step": refused.next_step,
                  "faults": refused.faults},
                 table([t("row"), t("field"), t("what is wrong")], rows))  # fmt: skip
        app.complain(refused.what, refused.next_step)
        click.get_current_context().exit(1)
    app.show(done, pairs([(t("accepted"), done.accepted), (t("refused"), done.refused),
                          (t("not answered"), done.unanswered)]))  # fmt: skip
    if done.refused:
        app.note(t("See them with: export rejects list"))


@click.command("duties", cls=ToolCommand, help=t("A sheet for each who answers for houses."))
@click.option("--output", type=click.Path(path_type=Path), metavar="FOLDER", required=True,
              help=t("A new folder"))  # fmt: skip
@click.option("--format", "form", type=click.Choice(("xlsx", "csv")), default="xlsx",
              show_default=True, help=t("Of the sheets"))  # fmt: skip
@_dry_run
@pass_app
def duties(app: App, /, output: Path, form: str, dry_run: bool) -> None:
    """Only their houses, only what they need; no name and no document of a tenant."""
    done = duty_sheets.export(app.site, output, form, dry_run)
    rows = [(one.operator, one.houses, one.path.name if one.path else "") for one in done]
    app.show(done, table([t("operator"), t("houses"), t("file")], rows) if rows
             else t("Nobody answers for a house yet"))  # fmt: skip


@click.command("clips", cls=ToolCommand, help=t("What cameras saw at doors, for the video system."))
@click.option("--output", type=_FILE, metavar="FILE", required=True,
              help=t("A .csv or .xlsx file"))  # fmt: skip
@click.option("--since", metavar="TIME", help=t("From this local day or minute on"))
@click.option("--until", metavar="TIME", help=t("Up to this day, or before this minute"))
@click.option("--event", "events", multiple=True, metavar="NAME",
              help=t("Only this event; more than one may be given"))  # fmt: skip
@click.option("--before", "before_s", type=int, default=clip_list.BEFORE_S, show_default=True,
              help=t("Seconds of a clip before its event"))  # fmt: skip
@click.option("--after", "after_s", type=int, default=clip_list.AFTER_S, show_default=True,
              help=t("Seconds of a clip after its event"))  # fmt: skip
@_force
@_dry_run
@pass_app
def clips(app: App, /, output: Path, since: str | None, until: str | None, **asked: Any) -> None:
    """From what was pulled; no card and no name is in it."""
    begin_s, end_s = moments.span(local_of(app.site), since, until)
    events = frozenset(asked["events"])
    wish = clip_list.Wish(begin_s, end_s, events, asked["before_s"], asked["after_s"])
    if asked["dry_run"]:
        found = clip_list.find(app.site, wish)
        app.show(found, t("{n} clips would be listed", n=len(found)))
        return
    count = clip_list.export(app.site, wish, output, asked["force"])
    app.show({"file": output, "clips": count}, t("{n} clips listed", n=count))
