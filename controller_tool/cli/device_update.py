"""`controller-tool device update`: new firmware through the channel (host)."""

from __future__ import annotations

from pathlib import Path

import click

from controller_tool.cli.common import App, ToolCommand, pass_app, table
from controller_tool.cli.ways import way_options, way_to_some
from controller_tool.messages import t

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("update", cls=ToolCommand, help=t("New firmware for controllers in service."))
@click.argument("names", metavar="DEVICE…", nargs=-1)
@click.option("--outdated", is_flag=True, help=t("All whose version is lower, or those of DEVICE…"))
@click.option(
    "--bundle", "files", type=_FILE, metavar="FILE", multiple=True,
    help=t("Signed firmware that `site firmware` wrote; without it, this tool's, signed here"),
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help=t("Only say who would be sent what"))
@way_options
@pass_app
def update(
    app: App,
    /,
    names: tuple[str, ...],
    outdated: bool,
    files: tuple[Path, ...],
    dry_run: bool,
    via: str | None,
    port: str | None,
) -> None:
    """One line a controller; exit code 1 when any of them has not what it should."""
    from controller_tool.services import firmware_bundle  # noqa: PLC0415 - slow to import
    from controller_tool.services import update as service  # noqa: PLC0415

    if not names and not outdated:
        raise click.UsageError(t("Name controllers, or give --outdated"))
    way = way_to_some(app, names, via, port)
    chosen = app.site.chosen(list(names) or None)
    given = [firmware_bundle.read(app.site, path) for path in files]
    bundles = service.bundles_for(app.site, chosen, given)
    with app.progress() as progress:
        done = service.update(
            app.site, chosen, bundles, outdated=outdated, dry_run=dry_run,
            progress=progress, way=way, notice=app.note,
        )  # fmt: skip
    ok = all(one.ok for one in done)
    rows = [
        (one.device, one.before, one.after, one.what, f"{one.seconds:.1f} s")
        for one in done
        if one.ok
    ]
    columns = [t("controller"), t("before"), t("after"), t("result"), t("took")]
    app.show(
        {"ok": ok, "dry_run": dry_run, "results": done}, *([table(columns, rows)] if rows else [])
    )
    app.complain_of(one for one in done if not one.ok)
    if not ok:
        click.get_current_context().exit(1)
