"""`controller-tool site retention`: for how long personal data is kept (host)."""

from __future__ import annotations

import click

from controller_tool.cli.common import App, ToolCommand, pass_app
from controller_tool.cli.profile import dry_run_option
from controller_tool.messages import t
from controller_tool.services.desk import retention as service


@click.command("retention", cls=ToolCommand, help=t("Show or set how long people are kept."))
@click.option("--days", type=int, metavar="DAYS", help=t("So many after the last stay ended"))
@dry_run_option
@pass_app
def retention(app: App, days: int | None, dry_run: bool) -> None:
    """Nothing is deleted by it: that is `person erase-due`."""
    kept = service.days(app.site) if days is None else service.set_days(app.site, days, dry_run)
    line = t("Personal data is kept for {days} days after the last stay ended", days=kept)
    said = t("{what}; nothing was changed", what=line) if days is not None and dry_run else line
    app.show({"days": kept, "ok": True}, said)
