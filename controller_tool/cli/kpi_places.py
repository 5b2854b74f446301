"""`controller-tool kpi areas | doors`: where the order looks first, and doors it wants (host)."""

from __future__ import annotations

from typing import Any

import click

from controller_tool.cli.common import App, ToolCommand, pass_app, table
from controller_tool.cli.house_shown import reasons
from controller_tool.messages import name_of, t
from controller_tool.services.desk import key_places as service

AREA = click.option("--area", metavar="CODE", help=t("Only this district, village or grid"))


@click.command("areas", cls=ToolCommand, help=t("Key areas of the order, each with its reason."))
@AREA
@pass_app
def areas(app: App, /, area: str | None) -> None:
    """Villages and houses, from the registry alone."""
    found = service.key_places(app.site, area)
    rows: list[Any] = [
        (name_of("area", one.kind), one.code, one.name, reasons([one.key]))
        for one in found.villages
        if one.key is not None
    ]
    rows += [(name_of("type5", one.type5), one.ref, one.address, reasons(one.key))
             for one in found.houses]  # fmt: skip
    columns = [t("kind"), t("code"), t("name"), t("why")]
    app.show(found, table(columns, rows) if rows else t("No key area is known here"))


@click.command("doors", cls=ToolCommand, help=t("Houses that must have a smart door, without one."))
@AREA
@pass_app
def doors(app: App, /, area: str | None) -> None:
    """From three rooms or beds on; one that was not heard for three days counts as none."""
    found = service.doors(app.site, area)
    rows = [
        (one.ref, one.address, one.grid, f"{one.rooms}/{one.beds}",
         name_of("door_gap", one.door_gap or ""))
        for one in found.without
    ]  # fmt: skip
    columns = [t("house"), t("address"), t("area"), t("rooms/beds"), t("smart door")]
    have = found.must_have - len(found.without)
    line = t("{n} of {m} houses that must have a smart door have one", n=have, m=found.must_have)
    app.show(found, *([table(columns, rows)] if rows else []), line)
