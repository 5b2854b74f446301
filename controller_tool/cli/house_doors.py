"""`controller-tool house room` and `house door`: rooms, and the doors that serve them (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli import house_shown
from controller_tool.cli.common import App, ToolGroup, pass_app, table
from controller_tool.cli.profile import dry_run_option
from controller_tool.messages import t
from controller_tool.rules import words
from controller_tool.services import site_time
from controller_tool.services.desk import house_points, houses

if TYPE_CHECKING:
    from controller_tool.services.desk.house_points import Doors

_door = click.option("--door", type=int, default=1, show_default=True,
                     help=t("Which door or port of it, from 1"))  # fmt: skip


@click.group("room", cls=ToolGroup, help=t("Rooms of a house."))
def room() -> None:
    """The group; its commands do the work."""


@room.command("add", help=t("Rooms by the numbers on their doors; of those that are there, beds."))
@click.argument("house")
@click.argument("numbers", nargs=-1, required=True)
@click.option("--beds", type=int, required=True, help=t("Beds in each of them"))
@dry_run_option
@pass_app
def add_rooms(app: App, house: str, numbers: tuple[str, ...], beds: int, dry_run: bool) -> None:
    """All or none."""
    seen = houses.add_rooms(app.site, house, numbers, beds, dry_run)
    rows = [(one.number, one.beds, one.taken) for one in seen.rooms]
    shown = table([t("room"), t("beds"), t("stay there")], rows)
    line = t("House {house} has {n} rooms", house=seen.line.ref, n=len(rows))
    house_shown.done(app, seen.rooms, line, dry_run, shown)


@click.group("door", cls=ToolGroup, help=t("Doors and charging ports that serve a house."))
def door() -> None:
    """The group; its commands do the work."""


@door.command("add", help=t("This door or port serves the house, or one room of it."))
@click.argument("house")
@click.argument("device")
@_door
@click.option("--room", metavar="NUMBER", help=t("It is this room's own door"))
@click.option("--use", type=click.Choice(words.USES),
              help=t("What it is; by the controller and --room without it"))  # fmt: skip
@click.option("--camera", default="", metavar="ID", help=t("The camera that sees it"))
@dry_run_option
@pass_app
def add_door(app: App, /, house: str, device: str, dry_run: bool, **asked: Any) -> None:
    """Who lives there opens it after the next push."""
    new = house_points.NewPoint(device, **asked)
    made = house_points.add(app.site, house, new, dry_run)
    _done(app, made, t("{n} live cards open it after the next push", n=made.cards), dry_run)
    if made.without:
        app.complain(
            t("{n} live cards do not get it: house {house} issues nothing", n=made.without,
              house=made.house),
            t("Admit the house, then name the door again: house admit, house door add"),
        )  # fmt: skip


@door.command("remove", help=t("This door or port serves the house no more."))
@click.argument("house")
@click.argument("device")
@_door
@dry_run_option
@pass_app
def remove_door(app: App, /, house: str, device: str, door: int, dry_run: bool) -> None:
    """Cards that opened it are issued anew without it."""
    made = house_points.remove(app.site, house, device, door, dry_run)
    line = t("{n} live cards were issued anew; that they open it no more is proven by push",
             n=made.cards)  # fmt: skip
    _done(app, made, line, dry_run)


def _done(app: App, made: Doors, line: str, dry_run: bool) -> None:
    shown = [house_shown.doors(made.doors, site_time.of(app.site))] if made.doors else []
    house_shown.done(app, made, line, dry_run, *shown)
