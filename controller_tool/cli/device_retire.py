"""`controller-tool device retire`: a controller leaves service for good (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli.common import App, ToolCommand, pairs, pass_app, plain, table
from controller_tool.cli.ways import way, way_options
from controller_tool.errors import OperatorError
from controller_tool.messages import t

if TYPE_CHECKING:
    from controller_tool.services.device_retire import Ended


@click.command("retire", cls=ToolCommand, help=t("Wipe a controller and take it off the books."))
@click.argument("name")
@click.option("--stolen", is_flag=True, help=t("It is gone: believe it no more, list its cards"))
@click.option("--force", is_flag=True, help=t("Give up records that cannot be pulled"))
@click.option("--yes", is_flag=True, help=t("Do not ask: it cannot be taken back"))
@click.option("--dry-run", is_flag=True, help=t("Check everything, change nothing"))
@way_options
@pass_app
def retire(app: App, /, name: str, stolen: bool, yes: bool, dry_run: bool, **asked: Any) -> None:
    """It serves nobody any more; with its wipe receipt it leaves the m of every card."""
    from controller_tool.services import device_retire as service  # noqa: PLC0415 - slow to import

    if not (yes or dry_run):
        raise OperatorError(
            t("{device} will serve nobody any more, and that cannot be taken back", device=name),
            t("Say --yes, or look first with --dry-run"),
        )
    if stolen:
        _show_stolen(app, service.stolen(app.site, name, dry_run=dry_run), dry_run)
        return
    done = service.retire(
        app.site, name, force=asked["force"], dry_run=dry_run,
        way=way(asked["via"], asked["port"]), notice=app.note,
    )  # fmt: skip
    line = t("{device} is wiped and says so; kept on the books as {kept_as}",
             device=name, kept_as=done.kept_as)  # fmt: skip
    if dry_run:
        line = t("{device} would be pulled, wiped and kept on the books as {kept_as}; nothing was"
                 " changed", device=name, kept_as=done.kept_as)  # fmt: skip
    rows = [(t("records pulled before"), done.pulled), (t("records given up"), done.missing)]
    app.show({**plain(done), "ok": True, "dry_run": dry_run}, line, pairs(rows))


def _show_stolen(app: App, done: Ended, dry_run: bool) -> None:
    line = t("{device} is out of trust, kept on the books as {kept_as}; {n} cards can be copied"
             " from it", device=done.device, kept_as=done.kept_as, n=len(done.reissue))  # fmt: skip
    if dry_run:
        line = t("{what}; nothing was changed", what=line)
    rows = [(card.ref, card.credential, card.holder, card.room) for card in done.reissue]
    columns = [t("card"), t("number"), t("holder"), t("room")]
    shown = [table(columns, rows)] if rows else []
    value = {**plain(done), "ok": True, "dry_run": dry_run}
    app.show(value, line, pairs([(t("cards not proven dead there"), done.pending)]), *shown)
