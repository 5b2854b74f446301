"""Of `controller-tool tenant`: check-out, extend, move, card (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli import moments, tenant_shown
from controller_tool.cli.common import App, ToolCommand, pass_app
from controller_tool.cli.profile import dry_run_option
from controller_tool.messages import t
from controller_tool.rules import words
from controller_tool.services import site_time
from controller_tool.services.desk import form, front_desk

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    "check-out", cls=ToolCommand,
    help=t("End a stay by its reference or a card: cards first, with proof from every door."),
)  # fmt: skip
@click.argument("stay")
@click.option("--lost", is_flag=True, help=t("The cards were not handed in"))
@click.option("--reason", type=click.Choice(words.ENDS), help=t("Default: by the dates"))
@tenant_shown.no_push_option
@tenant_shown.slip_option
@dry_run_option
@pass_app
def check_out(
    app: App, /, stay: str, lost: bool, reason: str | None, slip: Path | None, **asked: Any
) -> None:
    """`deregistered` is said where the receipts say it; else how many are missing."""
    with tenant_shown.how(app, asked) as how:
        done = front_desk.depart(app.site, stay, how, lost, reason)
    tenant_shown.finish(app, done, slip)


@click.command("extend", cls=ToolCommand, help=t("Give a stay and its cards a later end."))
@click.argument("stay")
@click.option("--until", required=True, metavar="DATE", help=t("Last day, or first minute after"))
@tenant_shown.no_push_option
@tenant_shown.slip_option
@dry_run_option
@pass_app
def extend(app: App, /, stay: str, until: str, slip: Path | None, **asked: Any) -> None:
    """A new grant, never automatic."""
    until_min = moments.minute(site_time.of(app.site), until, last_day=True)
    with tenant_shown.how(app, asked) as how:
        done = front_desk.extend(app.site, stay, until_min, how)
    tenant_shown.finish(app, done, slip)


@click.command("move", cls=ToolCommand, help=t("Another room, with the same cards."))
@click.argument("stay")
@click.option("--room", required=True, help=t("Room, as on its door"))
@click.option("--house", help=t("House; default: the same"))
@tenant_shown.bed_option
@tenant_shown.no_push_option
@tenant_shown.slip_option
@dry_run_option
@pass_app
def move(
    app: App, /, stay: str, room: str, house: str | None, bed: str, slip: Path | None, **asked: Any
) -> None:
    """The stay ends as moved, and a new one begins."""
    with tenant_shown.how(app, asked) as how:
        done = front_desk.move(app.site, stay, house, room, how, bed)
    tenant_shown.finish(app, done, slip)


@click.command("card", cls=ToolCommand, help=t("One more card for a stay, or one for a lost one."))
@click.argument("stay")
@click.option("--card", "number", metavar="NUMBER", help=t("A card's number"))
@click.option("--reader", is_flag=True, help=t("Read the card at the desk's PC/SC reader"))
@click.option("--at", "at_door", metavar="DEVICE",
              help=t("Learn the card at a reader of this controller"))  # fmt: skip
@click.option("--replaces", metavar="CARD", help=t("A card of the stay that is lost"))
@tenant_shown.no_push_option
@tenant_shown.slip_option
@dry_run_option
@pass_app
def card(
    app: App, /, stay: str, number: str | None, reader: bool, at_door: str | None,
    replaces: str | None, slip: Path | None, **asked: Any,
) -> None:  # fmt: skip
    """With --replaces the lost card ends first."""
    given = [number, form.READER if reader else None, at_door and form.AT_DOOR + at_door]
    chosen = [word for word in given if word]
    if len(chosen) != 1:
        raise click.UsageError(t("Give one of --card, --reader and --at"))
    credential = form.card_of(app.site, chosen[0], app.note)
    with tenant_shown.how(app, asked) as how:
        done = front_desk.add_card(app.site, stay, credential, how, replaces)
    tenant_shown.finish(app, done, slip)
