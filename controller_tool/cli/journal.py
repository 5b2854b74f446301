"""`controller-tool journal`: pull and verify access logs; cli.journal_reading reads them (host)."""

from __future__ import annotations

from dataclasses import asdict

import click

from controller_tool.cli import journal_reading
from controller_tool.cli.common import App, ToolGroup, pass_app, table
from controller_tool.cli.ways import way_options, way_to_some
from controller_tool.messages import t
from controller_tool.services import journal_verify
from controller_tool.services import pull as pull_service


@click.group(cls=ToolGroup, help=t("Pull, verify, show and export access logs."))
def journal() -> None:
    """The group; its commands do the work."""


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
    app.show({"ok": all(r.ok for r in results), "results": results_json}, table(columns, rows),
             *late)  # fmt: skip
    app.complain_of(r for r in results if not r.ok)
    if not all(r.ok for r in results):
        click.get_current_context().exit(1)


@journal.command("verify", help=t("Prove offline that nothing is missing and nothing altered."))
@click.argument("devices", nargs=-1)
@pass_app
def verify(app: App, devices: tuple[str, ...]) -> None:
    """Every finding names its record; exit code 1 when there is one that is not harmless."""
    site = app.site
    done = [journal_verify.verify(site, site.device(name)) for name in site.chosen(devices)]
    rows = [
        (v.device, t(ring.ring), ring.records, ring.proven, ring.unproven,
         "-" if ring.head_seq is None else ring.head_seq,
         _verdict(v), " + ".join(t(key) for key in v.keys))
        for v in done for ring in v.rings
    ]  # fmt: skip
    columns = [t("controller"), t("ring"), t("records"), t("proven"), t("unproven"),
               t("head"), t("verdict"), t("proven by key")]  # fmt: skip
    findings = [f"{v.device}: {finding}" for v in done if v.pulled for finding in v.findings]
    app.show(done, table(columns, rows), *findings)
    if unknown := ", ".join(v.device for v in done if not v.pulled):
        app.complain(t("{device}: not pulled yet", device=unknown),
                     t("Fetch it first: journal pull"))  # fmt: skip
    if not all(v.ok for v in done):
        click.get_current_context().exit(1)


def _verdict(done: journal_verify.Verification) -> str:
    if not done.pulled:
        return t("not pulled yet")
    return t("whole") if done.ok else t("NOT WHOLE")


journal_reading.register(journal)
