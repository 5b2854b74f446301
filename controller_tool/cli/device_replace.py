"""`controller-tool device replace`: another board takes a controller's place (host)."""

from __future__ import annotations

import click

from controller_tool.cli.common import App, ToolCommand, pairs, pass_app
from controller_tool.messages import t


@click.command(
    "replace", cls=ToolCommand, help=t("Give a new controller the cards, settings and name of OLD.")
)
@click.argument("old")
@click.argument("new")
@click.option("--dry-run", is_flag=True, help=t("Check everything, change nothing"))
@pass_app
def replace(app: App, old: str, new: str, dry_run: bool) -> None:
    """NEW is provisioned before, under a name of its own."""
    from controller_tool.services import device_replace as service  # noqa: PLC0415 - slow to import

    done = service.replace(app.site, old, new, dry_run=dry_run)
    rows = [
        (t("cards that come"), done.cards),
        (t("configuration"), done.config_version or "-"),
        (t("settings left out"), ", ".join(done.left_out) or "-"),
        (t("kept on the books as"), done.kept_as),
        (t("cards not proven dead there"), done.outstanding),
    ]
    line = t("{new} takes the place of {old}", new=new, old=old)
    if dry_run:
        line = t("{what}; nothing was changed", what=line)
    else:
        line += t("; now: push {old}", old=old)
    app.show({"ok": True, "dry_run": dry_run, **done.__dict__}, line, pairs(rows))
