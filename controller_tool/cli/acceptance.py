"""`controller-tool acceptance`: what was built, proven and measured, signed (host)."""

from __future__ import annotations

from pathlib import Path

import click

from controller_tool import clock
from controller_tool.cli.common import App, ToolCommand, ToolGroup, pairs, pass_app
from controller_tool.messages import t
from controller_tool.services import acceptance as service
from controller_tool.services import acceptance_verify

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group("acceptance", cls=ToolGroup, help=t("The signed acceptance bundle of a site."))
def acceptance() -> None:
    """For whoever accepts the work, and for whoever asks later."""


@acceptance.command("make", cls=ToolCommand, help=t("Write the bundle."))
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help=t("Replace the bundle if it is there already"))
@click.option("--dry-run", is_flag=True, help=t("Only show what would be in it"))
@pass_app
def make(app: App, /, file: Path, force: bool, dry_run: bool) -> None:
    """Plan, devices, commissioning, key figures, journals; no tenant's name in it."""
    done = service.make(app.site, file, service.figures, force, dry_run)
    said = t("{houses} houses and {devices} controllers in {path}", houses=done.houses,
             devices=done.devices, path=done.path.name)  # fmt: skip
    app.show(done, t("Dry run: {what}", what=said) if dry_run else said,
             *(t("Not in it: {what}", what=what) for what in done.missing))  # fmt: skip


@acceptance.command("verify", cls=ToolCommand, help=t("Judge a bundle with the site's keys."))
@click.argument("file", type=_FILE)
@pass_app
def verify(app: App, /, file: Path) -> None:
    """Offline; exit code 1 when anything is wrong with it."""
    done = acceptance_verify.verify(app.site, file)
    facts = pairs([
        (t("site"), done.name), (t("made at"), clock.local_text(done.made_at_s)),
        (t("houses"), done.houses), (t("controllers"), done.devices),
        (t("verdict"), t("whole") if done.ok else t("NOT WHOLE")),
    ])  # fmt: skip
    app.show(done, facts, *done.flaws,
             *(t("Not in it: {what}", what=what) for what in done.missing))  # fmt: skip
    click.get_current_context().exit(0 if done.ok else 1)
