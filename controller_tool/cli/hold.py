"""`controller-tool hold`: orders of the police that keep data from deletion (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from controller_tool import clock
from controller_tool.cli import moments
from controller_tool.cli.common import App, ToolGroup, pass_app, plain, table, yes_no
from controller_tool.cli.profile import dry_run_option
from controller_tool.messages import t
from controller_tool.rules.holds import Order
from controller_tool.services import site_time
from controller_tool.services.desk import holds as service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from controller_tool.services.desk.holds import HoldView


@click.group(cls=ToolGroup, help=t("Orders of the police that keep data from deletion."))
def hold() -> None:
    """The group; its commands do the work."""


@hold.command("add", help=t("Write an order down: for one person or one house."))
@click.option("--number", required=True, metavar="NUMBER", help=t("Number of the order"))
@click.option("--authority", required=True, metavar="NAME", help=t("Who gave it"))
@click.option("--person", metavar="WHO", help=t("Card, stay, ID number or name"))
@click.option("--house", metavar="HOUSE", help=t("Reference or address code"))
@click.option("--from", "begin", metavar="DATE", help=t("First day, or minute; default: now"))
@click.option("--until", "end", metavar="DATE", help=t("Last day; default: until it is released"))
@dry_run_option
@pass_app
def add(app: App, /, number: str, authority: str, dry_run: bool, **asked: str | None) -> None:
    """Nothing of what it names is deleted while it stands."""
    local, begin, end = site_time.of(app.site), asked["begin"], asked["end"]
    order = Order(
        number,
        authority,
        clock.now_s() if begin is None else moments.minute(local, begin) * 60,
        None if end is None else moments.minute(local, end, last_day=True) * 60,
    )
    view = service.add(app.site, order, asked["person"] or "", asked["house"] or "", dry_run)
    line = t("Order {number} stands", number=view.number)
    app.show({**plain(view), "ok": True, "dry_run": dry_run},
             t("{what}; nothing was changed", what=line) if dry_run else line)  # fmt: skip


@hold.command("release", help=t("An order is lifted, by its number."))
@click.argument("number")
@dry_run_option
@pass_app
def release(app: App, number: str, dry_run: bool) -> None:
    """For all persons and houses that it names."""
    views = service.release(app.site, number, dry_run)
    line = t("Order {number} is lifted, for {n} persons or houses", number=number, n=len(views))
    app.show({"ok": True, "dry_run": dry_run, "holds": views},
             t("{what}; nothing was changed", what=line) if dry_run else line)  # fmt: skip


@hold.command("list", help=t("Orders that stand."))
@click.option("--all", "every", is_flag=True, help=t("Those that are over too"))
@pass_app
def list_(app: App, every: bool) -> None:
    """One line a person or house."""
    found = service.list_holds(app.site, every)
    app.show(found, _table(app, found))


def _table(app: App, found: Iterable[HoldView]) -> Table:
    local = site_time.of(app.site)
    rows = [
        (v.number, v.authority, f"{v.name} {v.person}".strip() or v.house, local.text(v.from_s),
         "" if v.until_s is None else moments.last_text(local, v.until_s // 60), yes_no(v.stands))
        for v in found
    ]  # fmt: skip
    columns = [t("number"), t("authority"), t("person or house"), t("from"), t("until"),
               t("stands")]  # fmt: skip
    return table(columns, rows)
