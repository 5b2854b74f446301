"""`controller-tool device service`: a controller's prompt, by grant of the office (host)."""

from __future__ import annotations

from pathlib import Path

import click

from controller_tool import date_forms
from controller_tool.cli.common import App, ToolGroup, pairs, pass_app, plain
from controller_tool.clock import local_text
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from protocol.constants import SERVICE_DAYS_MAX, SERVICE_MAX_MIN

_port = click.option("--port", metavar="ADDRESS", help=t("Serial port or sim://NAME"))


@click.group("service", cls=ToolGroup, help=t("A controller's prompt, by a grant of the office."))
def service() -> None:
    """The group; its commands do the work."""


@service.command("grant", help=t("Let a technician open a controller's prompt for a while."))
@click.argument("name")
@click.option("--peer", required=True, help=t("Who: id, label or role, see: site show"))
@click.option("--minutes", type=click.IntRange(1, SERVICE_MAX_MIN), default=30, show_default=True,
              help=t("For so long each time"))  # fmt: skip
@click.option("--days", type=click.IntRange(1, SERVICE_DAYS_MAX), default=1, show_default=True,
              help=t("The grant is good for so many days"))  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help=t("File for the grant"))  # fmt: skip
@click.option("--dry-run", is_flag=True, help=t("Check everything, change nothing"))
@pass_app
def grant(
    app: App, name: str, peer: str, minutes: int, days: int, out: Path, dry_run: bool
) -> None:
    """Signed by the firmware key, for one controller and one peer."""
    from controller_tool.services import service_access  # noqa: PLC0415 - slow to import

    made, data = service_access.grant(app.site, name, peer, minutes, days, dry_run=dry_run)
    until = date_forms.shown(local_text(made.until_s))
    line = t("Peer {peer} may open {device} for {minutes} min, until {until}", peer=made.peer,
             device=name, minutes=minutes, until=until)  # fmt: skip
    if dry_run:
        line = t("{what}; nothing was changed", what=line)
    else:
        try:
            out.write_bytes(data)
        except OSError as error:
            raise OperatorError(
                t("Cannot write {path} ({detail})", path=str(out), detail=error.strerror or "?"),
                t("Give another path"),
            ) from error
    app.show({**plain(made), "file": str(out), "dry_run": dry_run}, line)


@service.command(
    "open", help=t("Open a controller's prompt over the cable; its door is not served.")
)
@click.argument("name")
@click.option("--grant", "path", required=True, type=click.Path(path_type=Path, dir_okay=False),
              help=t("File with the grant of the office"))  # fmt: skip
@click.option("--yes", is_flag=True, help=t("Do not ask: its relays go to their fail state"))
@click.option("--dry-run", is_flag=True, help=t("Check everything, change nothing"))
@_port
@pass_app
def open_(app: App, name: str, path: Path, yes: bool, dry_run: bool, port: str | None) -> None:
    """Until the time is up, its power is cut or `close`."""
    from controller_tool.services import service_access  # noqa: PLC0415 - slow to import

    said, _ = service_access.read(app.site, name, path)
    warning = t("{device} will serve nobody for up to {minutes} min, its relays in their"
                " fail state", device=name, minutes=said.minutes)  # fmt: skip
    if dry_run:
        app.show({**plain(said), "dry_run": True}, t("{what}; nothing was changed", what=warning))
        return
    if not yes:
        raise OperatorError(warning, t("Say --yes, or look first with --dry-run"))
    said, place = service_access.opened(app.site, name, path, port, app.note)
    line = t("{device} is open for {minutes} min on {port}; end it with: device service close"
             " {device}", device=name, minutes=said.minutes, port=place)  # fmt: skip
    rows = [(t("until then"), t("nobody is served; whoever has the cable reads its secrets"))]
    app.show({**plain(said), "port": place, "dry_run": False}, line, pairs(rows))


@service.command("close", help=t("End service: the controller starts its firmware again."))
@click.argument("name")
@_port
@pass_app
def close(app: App, name: str, port: str | None) -> None:
    """Its end is journalled at that start."""
    from controller_tool.services import service_access  # noqa: PLC0415 - slow to import

    was_open = service_access.close(app.site, name, port)
    line = (
        t("{device} starts its firmware again", device=name)
        if was_open
        else t("{device} is not in service: no prompt answers", device=name)
    )
    app.show({"device": name, "ok": True, "was_open": was_open}, line)
