"""`controller-tool journal verify`: is a journal whole, and what proves it (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from controller_tool.cli.common import App, ToolCommand, pass_app, table
from controller_tool.messages import t
from controller_tool.services import journal_verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType


@click.command(
    "verify", cls=ToolCommand, help=t("Prove offline that nothing is missing and nothing altered.")
)
@click.argument("devices", nargs=-1)
@pass_app
def verify(app: App, devices: tuple[str, ...]) -> None:
    """Every finding names its record; exit code 1 when there is one that is not harmless."""
    site = app.site
    done = [journal_verify.verify(site, site.device(name)) for name in site.chosen(devices)]
    app.show(done, *_shown(done))
    if unknown := ", ".join(v.device for v in done if not v.pulled):
        app.complain(t("{device}: not pulled yet", device=unknown),
                     t("Fetch it first: journal pull"))  # fmt: skip
    if not all(v.ok for v in done):
        click.get_current_context().exit(1)


def _shown(done: Sequence[journal_verify.Verification]) -> list[RenderableType]:
    """The table, the findings, then what the verdict does not cover."""
    rows = [
        (v.device, t(ring.ring), ring.records, ring.proven, ring.unproven,
         "-" if ring.head_seq is None else ring.head_seq,
         _verdict(v), " + ".join(t(key) for key in v.keys))
        for v in done for ring in v.rings
    ]  # fmt: skip
    columns = [t("controller"), t("ring"), t("records"), t("proven"), t("unproven"),
               t("head"), t("verdict"), t("proven by key")]  # fmt: skip
    findings = [f"{v.device}: {finding}" for v in done if v.pulled for finding in v.findings]
    notes: dict[str, list[str]] = {}
    for v in done:
        for note in v.notes if v.pulled else ():
            notes.setdefault(note, []).append(v.device)
    said = [f"{', '.join(names)}: {note}" for note, names in notes.items()]
    return [table(columns, rows), *findings, *said]


def _verdict(done: journal_verify.Verification) -> str:
    if not done.pulled:
        return t("not pulled yet")
    return t("whole") if done.ok else t("NOT WHOLE")
