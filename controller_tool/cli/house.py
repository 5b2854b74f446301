"""`controller-tool house`: registered, surveyed, inspected, admitted, classified, closed (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli import house_shown
from controller_tool.cli.common import App, ToolGroup, pairs, pass_app
from controller_tool.cli.house_doors import door, room
from controller_tool.cli.house_import import import_
from controller_tool.cli.house_inspect import inspect
from controller_tool.cli.profile import dry_run_option
from controller_tool.messages import name_of, t
from controller_tool.rules import words
from controller_tool.services import site_time
from controller_tool.services.desk import house_view
from controller_tool.services.desk import houses as service

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.services.desk.house_view import HouseView
    from controller_tool.services.desk.houses import Changed

_type = click.Choice(words.TYPES)
_reason = click.option("--reason", required=True, metavar="TEXT", help=t("Why"))


@click.group(cls=ToolGroup, help=t("Houses that are let: from registration to their end."))
def house() -> None:
    """The group; its commands do the work."""


house.add_command(room)
house.add_command(door)
house.add_command(inspect)
house.add_command(import_)


@house.command("add", help=t("Register a house; it is admitted later."))
@click.argument("address_code")
@click.argument("address")
@click.option("--grid", required=True, metavar="CODE", help=t("The grid it lies in: area list"))
@click.option("--type", "type5", type=_type, required=True, help=t("Type of house"))
@click.option("--class", "class4", type=click.Choice(words.CLASSES), default=words.WATCHED,
              show_default=True, help=t("Class of house"))  # fmt: skip
@click.option("--rooms", type=int, required=True, help=t("Rooms that are let, as declared"))
@click.option("--beds", type=int, required=True, help=t("Beds that are let, as declared"))
@click.option("--landlord", default="", metavar="NAME", help=t("Who answers for it"))
@click.option("--phone", default="", help=t("The landlord's; kept sealed"))
@click.option("--document", default="", help=t("The landlord's document number; kept sealed"))
@click.option("--resettlement", is_flag=True, help=t("It stands in a resettlement compound"))
@click.option("--mark", default="", metavar="REASON", help=t("A key area for this reason"))
@dry_run_option
@pass_app
def add(app: App, /, dry_run: bool, **asked: Any) -> None:
    """It gets the next reference."""
    made = service.add(app.site, service.NewHouse(**asked), dry_run)
    line = t("House {house} is registered; before anybody moves in: house room add, house survey,"
             " house inspect, house admit", house=made.ref)  # fmt: skip
    house_shown.done(app, made, line, dry_run)


@house.command("change", help=t("Correct what is written down; an empty text takes it away."))
@click.argument("house")
@click.option("--address", help=t("Street and number"))
@click.option("--grid", metavar="CODE", help=t("The grid it lies in: area list"))
@click.option("--type", "type5", type=_type, help=t("Type of house"))
@click.option("--landlord", metavar="NAME", help=t("Who answers for it"))
@click.option("--phone", help=t("The landlord's; kept sealed"))
@click.option("--document", help=t("The landlord's document number; kept sealed"))
@click.option("--resettlement/--no-resettlement", default=None,
              help=t("It stands in a resettlement compound"))  # fmt: skip
@click.option("--mark", metavar="REASON", help=t("A key area for this reason"))
@dry_run_option
@pass_app
def change(app: App, /, house: str, dry_run: bool, **asked: Any) -> None:
    """Only what options say."""
    wish = service.Wish(**asked)
    if wish == service.Wish():
        raise click.UsageError(t("Say what to change"))
    _view(app, service.change(app.site, house, wish, dry_run), dry_run)


@house.command("list", help=t("All houses, or some of them."))
@click.option("--area", metavar="CODE", help=t("Of this district, village or grid"))
@click.option("--class", "class4", type=click.Choice(words.CLASSES), help=t("Of this class"))
@click.option("--state", type=click.Choice(words.HOUSE_STATES), help=t("In this state"))
@pass_app
def list_(app: App, area: str | None, class4: str | None, state: str | None) -> None:
    """One line a house."""
    found = service.list_houses(app.site, area, class4, state)
    app.show(found, house_shown.houses(found, site_time.of(app.site)))


@house.command("required", help=t("Let houses that must have a smart door and have none."))
@click.option("--area", metavar="CODE", help=t("Of this district, village or grid"))
@pass_app
def required(app: App, area: str | None) -> None:
    """Three rooms or three beds and more: enrolled, and heard in the last 72 hours."""
    found = service.without_door(app.site, area)
    line = t("{n} houses must have a smart door and have none that works", n=len(found))
    shown = [house_shown.houses(found, site_time.of(app.site))] if found else []
    app.show(found, *shown, line)


@house.command("show", help=t("One house in full, by reference or address code."))
@click.argument("house")
@pass_app
def show(app: App, house: str) -> None:
    """Rooms, doors, who lives there, hazards, inspections."""
    seen = house_view.show(app.site, house)
    app.show(seen, *house_shown.house(seen, site_time.of(app.site)))


@house.command("contact", help=t("Phone and document of the landlord; the look is on record."))
@click.argument("house")
@pass_app
def contact(app: App, house: str) -> None:
    """Unsealed."""
    seen = service.contact(app.site, house)
    facts = [(t("house"), seen.house), (t("landlord"), seen.landlord), (t("phone"), seen.phone),
             (t("document"), seen.document)]  # fmt: skip
    app.show(seen, pairs(facts))


@house.command("survey", help=t("Enter what was counted on foot."))
@click.argument("house")
@click.option("--rooms", type=int, required=True, help=t("Rooms"))
@click.option("--beds", type=int, required=True, help=t("Beds"))
@click.option("--people", type=int, required=True, help=t("People who live there"))
@dry_run_option
@pass_app
def survey(app: App, /, house: str, dry_run: bool, **counted: int) -> None:
    """What registrations are measured against."""
    made = service.survey(
        app.site, house, counted["rooms"], counted["beds"], counted["people"], dry_run
    )
    _view(app, made, dry_run)


@house.command("classify", help=t("Give a house another class; barred issues nothing any more."))
@click.argument("house")
@click.argument("class4", type=click.Choice(words.CLASSES), metavar="|".join(words.CLASSES))
@_reason
@dry_run_option
@pass_app
def classify(app: App, house: str, class4: str, reason: str, dry_run: bool) -> None:
    """Stays that outlast the class are shortened."""
    made = service.classify(app.site, house, class4, reason, dry_run)
    line = t("House {house} is {class4}, it was {before}", house=made.line.ref,
             class4=name_of("class4", made.line.class4),
             before=name_of("class4", made.before))  # fmt: skip
    shorter = (
        [t("These stays end earlier now, with their cards: {stays}",
           stays=", ".join(made.shortened))]
        if made.shortened
        else []
    )  # fmt: skip
    _changed(app, made, line, dry_run, *shorter)


@house.command("admit", help=t("Admit a house: from now on cards are issued."))
@click.argument("house")
@dry_run_option
@pass_app
def admit(app: App, house: str, dry_run: bool) -> None:
    """Whatever lacks is named at once."""
    made = service.admit(app.site, house, dry_run)
    _changed(app, made, _state(made), dry_run)


def _ending(name: str, text: str, act: Callable[..., Changed]) -> None:
    @house.command(name, help=text)
    @click.argument("house")
    @_reason
    @dry_run_option
    @pass_app
    def _(app: App, house: str, reason: str, dry_run: bool) -> None:
        made = act(app.site, house, reason, dry_run)
        _changed(app, made, _state(made), dry_run)


_ending("suspend", t("Nothing is issued until it is admitted anew."), service.suspend)
_ending("close", t("It is let no more."), service.close)


def _state(made: Changed) -> str:
    return t("House {house} is {state}", house=made.line.ref,
             state=name_of("house", made.line.state))  # fmt: skip


def _changed(app: App, made: Changed, line: str, dry_run: bool, *more: str) -> None:
    local = site_time.of(app.site)
    house_shown.done(app, made, line, dry_run, *more, *house_shown.left_over(made.staying, local))


def _view(app: App, seen: HouseView, dry_run: bool) -> None:
    shown = house_shown.house(seen, site_time.of(app.site))
    line = t("House {house} is written down", house=seen.line.ref)
    house_shown.done(app, seen, line, dry_run, *shown)
