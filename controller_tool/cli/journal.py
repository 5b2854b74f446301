"""`controller-tool journal`: pull, verify, show and export access logs (host)."""

from __future__ import annotations

from pathlib import Path

import click

from controller_tool.cli import journal_proof
from controller_tool.cli.common import App, ToolGroup, pass_app, table
from controller_tool.cli.ways import way_options, way_to_some
from controller_tool.messages import name_of, t
from controller_tool.services import journal_read
from controller_tool.services import pull as pull_service
from protocol.constants import RING_ACCESS, RING_ALARM

_RINGS = {"access": RING_ACCESS, "alarm": RING_ALARM, "both": None}


@click.group(cls=ToolGroup, help=t("Pull, verify, show and export access logs."))
def journal() -> None:
    """The group; its commands do the work."""


journal.add_command(journal_proof.verify)
journal.add_command(journal_proof.bundle)


@journal.command("pull", help=t("Fetch what is new; without a name, from all controllers."))
@click.argument("devices", nargs=-1)
@way_options
@pass_app
def pull(app: App, devices: tuple[str, ...], via: str | None, port: str | None) -> None:
    """One line a controller; exit code 1 when any failed."""
    way = way_to_some(app, devices, via, port)
    with app.progress() as progress:
        results = pull_service.pull(app.site, list(devices), progress, way, app.note)
    columns = [t("controller"), t("new"), t("there already"), t("overwritten"), t("conflicting"),
               t("checkpoint"), t("took")]  # fmt: skip
    rows = [
        (r.device, r.new, r.already_had, r.overwritten, r.conflicting,
         t("given") if r.checkpointed else "-", f"{r.seconds:.2f} s")
        for r in results if r.ok
    ]  # fmt: skip
    app.show({"ok": all(r.ok for r in results), "results": results}, table(columns, rows))
    app.complain_of(r for r in results if not r.ok)
    if not all(r.ok for r in results):
        click.get_current_context().exit(1)


@journal.command("show", help=t("What is stored of one controller."))
@click.argument("device")
@click.option("--ring", type=click.Choice(list(_RINGS)), default="both", show_default=True)
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help=t("How many"))
@pass_app
def show(app: App, device: str, ring: str, last: int) -> None:
    """The newest records, the oldest of them first."""
    found = journal_read.entries(app.site, app.site.device(device), _RINGS[ring])[-last:]
    rows = [
        (t(e.ring), e.seq, e.time, t(e.clock), t(e.event), name_of("reason", e.reason),
         "-" if e.point == journal_read.CONTROLLER else e.point, e.card, e.holder,
         name_of("flag", e.flag))
        for e in found
    ]  # fmt: skip
    columns = [t("ring"), t("number"), t("time"), t("clock"), t("event"), t("reason"),
               t("point"), t("card"), t("holder"), t("flag")]  # fmt: skip
    app.show(found, table(columns, rows))


@journal.command("export", help=t("Write all that is stored of one controller to a file."))
@click.argument("device")
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=t("A .csv or .ndjson file"),
)
@click.option("--force", is_flag=True, help=t("Replace the file if it is there already"))
@pass_app
def export(app: App, device: str, output: Path, force: bool) -> None:
    """With the 48 bytes of each record, so that it can be checked elsewhere."""
    count = journal_read.export(app.site, app.site.device(device), output, force)
    app.show({"file": output, "records": count},
             t("{n} records written to {file}", n=count, file=output))  # fmt: skip
