"""`controller-tool journal`: pull and verify access logs; cli.journal_reading reads them (host)."""

from __future__ import annotations

from dataclasses import asdict

import click

from controller_tool.cli import journal_proof, journal_reading, journal_sessions
from controller_tool.cli.common import App, ToolGroup, pass_app, table
from controller_tool.cli.ways import way_options, way_to_some
from controller_tool.messages import t
from controller_tool.services import clock_step
from controller_tool.services import pull as pull_service


@click.group(cls=ToolGroup, help=t("Pull, verify, show and export access logs."))
def journal() -> None:
    """The group; its commands do the work."""


journal.add_command(journal_proof.verify)
journal.add_command(journal_proof.bundle)
journal.add_command(journal_sessions.sessions)


@journal.command("pull", help=t("Fetch what is new; without a name, from all controllers."))
@click.argument("devices", nargs=-1)
@way_options
@pass_app
def pull(app: App, devices: tuple[str, ...], via: str | None, port: str | None) -> None:
    """One line a controller; exit code 1 when any failed."""
    way = way_to_some(app, devices, via, port)
    with app.progress() as progress:
        results = pull_service.pull(app.site, list(devices), progress, way, app.note)
    columns = [t("controller"), t("written"), t("new"), t("there already"), t("overwritten"),
               t("missing"), t("conflicting"), t("checkpoint"), t("took")]  # fmt: skip
    rows = [
        (r.device, r.written, r.new, r.already_had, r.overwritten, r.missing, r.conflicting,
         t("given") if r.checkpointed else "-", f"{r.seconds:.2f} s")
        for r in results if r.ok
    ]  # fmt: skip
    late = [
        t("{device}: {n} records were overwritten since the last pull: pull more often",
          device=r.device, n=r.newly_overwritten)
        for r in results if r.newly_overwritten
    ]  # fmt: skip
    results_json = [{**asdict(r), "written": r.written} for r in results]
    data = {"ok": all(r.ok for r in results), "results": results_json}
    app.show(data, *([table(columns, rows)] if rows else []), *late)
    app.complain_of(r for r in results if not r.ok)
    for clock in filter(None, (clock_step.said(r.clock) for r in results)):
        app.complain(*clock)
    if not all(r.ok for r in results):
        click.get_current_context().exit(1)


journal_reading.register(journal)
