"""`controller-tool journal verify` and `bundle`: is a journal whole, and what proves it (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller_tool import clock, date_forms
from controller_tool.cli.common import App, ToolCommand, pairs, pass_app, table, yes_no
from controller_tool.cli.journal_reading import require_pulled
from controller_tool.messages import name_of, t
from controller_tool.services import (
    bundle_verify,
    bundle_words,
    folding,
    journal_bundle,
    journal_verify,
    journal_words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from controller_tool.services.journal_verify import Verification
    from controller_tool.services.journal_words import RingReport


@click.command(
    "verify", cls=ToolCommand, help=t("Prove offline that nothing is missing and nothing altered.")
)
@click.argument("devices", nargs=-1)
@click.option(
    "--bundle",
    "path",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help=t("Judge an evidence bundle (folder or .zip) instead of what was pulled here"),
)
@pass_app
def verify(app: App, devices: tuple[str, ...], path: Path | None) -> None:
    """Every finding names its record; exit code 1 when there is one that is not harmless."""
    if path is not None:
        _verify_bundle(app, devices, path)
        return
    site = app.site
    done = [journal_verify.verify(site, site.device(name)) for name in site.chosen(devices)]
    app.show(done, *_shown(done))
    if not any(v.pulled for v in done):
        app.complain(t("Nothing pulled yet"), t("Run: controller-tool journal pull"))
    elif unknown := ", ".join(v.device for v in done if not v.pulled):
        app.complain(t("{device}: not pulled yet", device=unknown),
                     t("Fetch it first: journal pull"))  # fmt: skip
    if any(v.pulled and not v.ok for v in done):
        app.note(journal_words.what_next())
    _exit(all(v.ok for v in done))


def _verify_bundle(app: App, devices: tuple[str, ...], path: Path) -> None:
    if devices:
        raise click.UsageError(t("A bundle is judged whole: name no controllers"))
    done = bundle_verify.verify(app.site, path)
    facts = pairs([
        (t("made by"), f"{name_of('role', done.maker_role)} {done.maker_peer}"),
        (t("maker known"), yes_no(done.maker_known)),
        (t("made at"), date_forms.shown(clock.local_text(done.made_at_s))),
        (t("verdict"), t("whole") if done.ok else t("NOT WHOLE")),
    ])  # fmt: skip
    flaws = [str(flaw) for flaw in folding.fold(done.flaws, folding.ON_SCREEN)]
    notes = done.notes[: folding.ON_SCREEN]
    app.show(done, facts, *_shown(done.controllers),
             *flaws, *_more(done.flaws_count - len(flaws)),
             *notes, *_more(len(done.notes) - len(notes)))  # fmt: skip
    if not done.ok:
        app.note(bundle_words.what_next())
    _exit(done.ok)


@click.command(
    "bundle",
    cls=ToolCommand,
    help=t("Write the journals with all that proves them, for others to check."),
)
@click.argument("devices", nargs=-1)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help=t("A new folder, or a .zip file"),
)
@click.option("--cards", is_flag=True, help=t("With the references of the cards"))
@click.option("--people", is_flag=True, help=t("With the cards and the names of their holders"))
@click.option("--force", is_flag=True, help=t("Replace the bundle if it is there already"))
@pass_app
def bundle(app: App, /, devices: tuple[str, ...], output: Path, **wish: bool) -> None:
    """All controllers without a name; signed with the key of this folder's peer."""
    require_pulled(app, devices)
    asked = journal_bundle.Wish(wish["cards"] or wish["people"], wish["people"], wish["force"])
    with app.progress() as progress:
        made = journal_bundle.make(app.site, list(devices), output, asked, progress=progress)
    said = t("{n} records of {controllers} controllers written to {path}",
             n=made.records, controllers=len(made.controllers), path=output)  # fmt: skip
    app.show(made, said)
    if made.disclosed:
        app.note(t("It discloses the tag keys of the tool for these records: whoever has it can"
                   " check the tool's tags, and make such, but not the auditor's"))  # fmt: skip


def _exit(ok: bool) -> None:
    if not ok:
        click.get_current_context().exit(1)


def _shown(done: Sequence[Verification]) -> list[RenderableType]:
    """The table, the findings, then what the verdict does not cover."""
    rows = [
        (v.device, t(ring.ring), ring.records, ring.proven, ring.unproven, ring.changed,
         "-" if ring.head_seq is None else ring.head_seq,
         _verdict(v, ring), " + ".join(t(key) for key in v.keys))
        for v in done for ring in v.rings
    ]  # fmt: skip
    columns = [t("controller"), t("ring"), t("records"), t("proven"), t("unproven"),
               t("changed"), t("head"), t("verdict"), t("proven by key")]  # fmt: skip
    findings = [
        f"{v.device}: {line}" for v in done if v.pulled for ring in v.rings
        for line in _findings(v, ring)
    ]  # fmt: skip
    notes: dict[str, list[str]] = {}
    for v in done:
        for note in v.notes if v.pulled else ():
            notes.setdefault(note, []).append(v.device)
    said = [f"{', '.join(names)}: {note}" for note, names in notes.items()]
    return [table(columns, rows), *findings, *said]


def _findings(done: Verification, ring: RingReport) -> list[str]:
    """A ring's findings, twenty at most, and how many more there are."""
    mine = [finding for finding in done.findings if finding.ring == ring.ring]
    of_records = sum(finding.first_seq is not None for finding in mine)
    shown = [str(finding) for finding in folding.fold(mine, folding.ON_SCREEN)]
    left = ring.findings + len(mine) - of_records - len(shown)
    return shown + [f"{t('{ring} ring', ring=t(ring.ring))}: {more}" for more in _more(left)]


def _more(left: int) -> list[str]:
    return [t("and {n} more", n=left)] if left > 0 else []


def _verdict(done: Verification, ring: RingReport) -> str:
    if not done.pulled:
        return t("not pulled yet")
    return t("whole") if ring.ok else t("NOT WHOLE")
