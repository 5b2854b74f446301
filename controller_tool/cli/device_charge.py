"""`controller-tool device charge`: sessions started and stopped by ticket (host)."""

from __future__ import annotations

import click

from controller_tool.cli.common import App, ToolGroup, pass_app
from controller_tool.cli.ways import way, way_options
from controller_tool.messages import t
from protocol.constants import CHARGE_MINUTES_MAX, CHARGE_WH_MAX

PORT = click.IntRange(1, 255)


@click.group("charge", cls=ToolGroup, help=t("Start and stop charging, by signed tickets."))
def charge() -> None:
    """The group; its commands do the work."""


@charge.command("start", help=t("Start charging at a port, numbered from 1, without a card."))
@click.argument("name", metavar="DEVICE")
@click.argument("number", metavar="PORT", type=PORT)
@click.option("--minutes", type=click.IntRange(1, CHARGE_MINUTES_MAX),
              help=t("For so long at most; default: the charger's own limit"))  # fmt: skip
@click.option("--wh", type=click.IntRange(1, CHARGE_WH_MAX), metavar="N",
              help=t("For so many watt hours at most; default: no limit"))  # fmt: skip
@way_options
@pass_app
def start(
    app: App, name: str, number: int, minutes: int | None, wh: int | None, via: str | None,
    port: str | None,
) -> None:  # fmt: skip
    """Refused with the reason when the port, or the station, may not."""
    from controller_tool.services import charging  # noqa: PLC0415 - slow to import

    charging.start(app.site, name, number, minutes or 0, wh or 0, way(via, port), app.note)
    line = t("{device}, port {port}: charging may begin", device=name, port=number)
    limits = [t("{n} min at most", n=minutes)] if minutes else []
    limits += [t("{n} Wh at most", n=wh)] if wh else []
    app.show(
        {"ok": True, "device": name, "port": number, "minutes": minutes, "wh": wh},
        ", ".join([line, *limits]),
    )


@charge.command("stop", help=t("Stop what charges at a port."))
@click.argument("name", metavar="DEVICE")
@click.argument("number", metavar="PORT", type=PORT)
@way_options
@pass_app
def stop(app: App, name: str, number: int, via: str | None, port: str | None) -> None:
    """Nothing happens where nothing charges."""
    from controller_tool.services import charging  # noqa: PLC0415 - slow to import

    charging.stop(app.site, name, number, way(via, port), app.note)
    line = t("{device}, port {port}: nothing charges there now", device=name, port=number)
    app.show({"ok": True, "device": name, "port": number}, line)
