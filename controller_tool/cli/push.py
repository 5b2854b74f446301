"""`controller-tool push`: bring controllers' whitelists up to date (host)."""

from __future__ import annotations

import click

from controller_tool.cli.common import App, ToolCommand, pass_app, table
from controller_tool.cli.ways import way, way_options
from controller_tool.messages import t
from controller_tool.services import push as service


@click.command(
    "push", cls=ToolCommand, help=t("Send each controller its newest list and take its receipt.")
)
@click.argument("devices", nargs=-1)
@click.option("--force", is_flag=True, help=t("Sign and send a new list even if nothing changed"))
@click.option(
    "--accept-fork", is_flag=True, help=t("Replace a list that another registry has signed")
)
@way_options
@pass_app
def push(
    app: App,
    devices: tuple[str, ...],
    force: bool,
    accept_fork: bool,
    via: str | None,
    port: str | None,
) -> None:
    """One line a controller; exit code 1 when any of them has no receipt."""
    with app.progress() as progress:
        results = service.push(
            app.site,
            list(devices),
            progress,
            way(via, port),
            app.note,
            force=force,
            accept_fork=accept_fork,
        )
    rows = [(r.device, r.version, r.count, r.what, f"{r.seconds:.2f} s") for r in results if r.ok]
    columns = [t("controller"), t("version"), t("cards"), t("result"), t("took")]
    app.show({"ok": all(r.ok for r in results), "results": results}, table(columns, rows))
    app.complain_of(r for r in results if not r.ok)
    if not all(r.ok for r in results):
        click.get_current_context().exit(1)
