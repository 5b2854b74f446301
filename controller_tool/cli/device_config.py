"""`controller-tool device config`: a controller's settings, signed (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from controller_tool.cli.common import App, ToolGroup, pass_app, table, yes_no
from controller_tool.cli.ways import way, way_options
from controller_tool.messages import t

if TYPE_CHECKING:
    from controller_tool.services.device_config import View


@click.group("config", cls=ToolGroup, help=t("A controller's settings, signed."))
def config() -> None:
    """The group; its commands do the work."""


@config.command("show", help=t("All settings that a controller's board can have."))
@click.argument("name", metavar="DEVICE")
@way_options
@pass_app
def show(app: App, name: str, via: str | None, port: str | None) -> None:
    """One line a setting."""
    from controller_tool.services import device_config as service  # noqa: PLC0415 - slow to import

    found = service.show(app.site, name, way(via, port), app.note)
    rows = [(s.number, s.name, s.device or s.default, s.default, s.bounds) for s in found.settings]
    columns = [t("number"), t("setting"), t("value"), t("default"), t("may be")]
    app.show(found, _line(found), table(columns, rows))


@config.command("diff", help=t("Where controller, registry and defaults differ."))
@click.argument("name", metavar="DEVICE")
@way_options
@pass_app
def diff(app: App, name: str, via: str | None, port: str | None) -> None:
    """Exit code 1 when the controller has not what the registry signed."""
    from controller_tool.services import device_config as service  # noqa: PLC0415 - slow to import

    found = service.show(app.site, name, way(via, port), app.note)
    rows = [
        (s.name, s.device or "-", s.registry or "-", s.default or "-")
        for s in found.settings
        if s.differs
    ]
    columns = [t("setting"), t("on the controller"), t("in the registry"), t("default")]
    differing = [s for s in found.settings if s.differs]
    app.show({"device": found.device, "version": found.version,
              "signed_version": found.signed_version, "same": found.same,
              "differing": differing},
             _line(found), *([table(columns, rows)] if rows else []))  # fmt: skip
    if not found.same:
        click.get_current_context().exit(1)


@config.command("set", help=t("Change settings: NAME=VALUE …; NAME= goes back to the default."))
@click.argument("name", metavar="DEVICE")
@click.argument("settings", metavar="NAME=VALUE…", nargs=-1, required=True)
@click.option("--later", is_flag=True, help=t("Only sign it; the next push sends it"))
@click.option("--dry-run", is_flag=True, help=t("Check everything, change nothing"))
@way_options
@pass_app
def set_(
    app: App,
    /,
    name: str,
    settings: tuple[str, ...],
    later: bool,
    dry_run: bool,
    via: str | None,
    port: str | None,
) -> None:
    """What was and what will be, setting by setting."""
    from controller_tool.services import device_config as service  # noqa: PLC0415 - slow to import
    from controller_tool.services import setting_words  # noqa: PLC0415

    wanted = setting_words.parse(settings)
    done = service.change(app.site, name, wanted, dry_run=dry_run, later=later,
                          way=way(via, port), notice=app.note)  # fmt: skip
    line = t("{device}: configuration {version}", device=name, version=done.version)
    if not done.changes and not done.sent and not later:
        line = t("{device} has it so already; nothing was changed", device=name)
    elif dry_run:
        line = t("{what}; nothing was changed", what=line)
    elif later:
        line = t("{what} is signed; send it with: push {device}", what=line, device=name)
    else:
        line = t("{what} is kept there, in force once its door is shut or its port idle", what=line)
    columns = [t("setting"), t("before"), t("after")]
    shown = [table(columns, done.changes)] if done.changes else []
    app.show({"ok": True, "dry_run": dry_run, **_plain(done)}, line, *shown)


def _plain(done: object) -> dict[str, object]:
    from controller_tool.cli.common import plain  # noqa: PLC0415

    found = plain(done)
    found["changes"] = [
        {"setting": name, "before": before, "after": after}
        for name, before, after in found["changes"]
    ]
    return dict(found)


def _line(found: View) -> str:
    if found.version:
        line = t("{device}: configuration {version}, in force: {yes_no}",
                 device=found.device, version=found.version,
                 yes_no=yes_no(found.in_force))  # fmt: skip
    else:
        line = t("{device}: no configuration yet, the defaults count", device=found.device)
    if not found.same:
        line += t("; the registry signed {version}: push {device}",
                  version=found.signed_version or "-", device=found.device)  # fmt: skip
    return line
