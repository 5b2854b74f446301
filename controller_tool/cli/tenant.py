"""`controller-tool tenant`: check in, check out, and what lies between (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli import asking, tenant_shown
from controller_tool.cli.card import ID_NUMBER_VARIABLE
from controller_tool.cli.common import App, ToolGroup, pass_app
from controller_tool.cli.pair_asking import evict
from controller_tool.cli.profile import dry_run_option
from controller_tool.cli.tenant_import import import_
from controller_tool.cli.tenant_look import list_, show, slip
from controller_tool.cli.tenant_stay import card, check_out, extend, move
from controller_tool.messages import t
from controller_tool.rules import words
from controller_tool.services.desk import dialogue, form, front_desk

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.services.desk.check_in import Request

_OPTIONS = {"id_number": "--id-number", "house": "--house", "room": "--room", "name": "--name",
            "until": "--until", "host": "--host"}  # fmt: skip


@click.group(cls=ToolGroup, help=t("Check people in and out, with their cards."))
def tenant() -> None:
    """The group; its commands do the work."""


def _person_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Who it is, and which cards they get."""
    for option in (
        tenant_shown.slip_option, tenant_shown.no_push_option, dry_run_option,
        click.option("--tap", is_flag=True, help=t("Then wait for the card at a door, as a test")),
        click.option("--at", "at_door", metavar="DEVICE",
                     help=t("Learn the card at a reader of this controller")),
        click.option("--reader", is_flag=True, help=t("Read the card at the desk's PC/SC reader")),
        click.option("--card", "cards", metavar="NUMBER", multiple=True,
                     help=t("A card's number; several times for several cards")),
        click.option("--contract", default="", help=t("Number of the contract")),
        click.option("--origin", default="", help=t("Where the household is registered")),
        click.option("--sex", type=click.Choice(words.SEXES), default=None,
                     help=t("Of a passport's holder; an ID number says it itself")),
        click.option("--phone", default="", help=t("Phone")),
        click.option("--document", type=click.Choice(words.DOCUMENTS), default=None,
                     help=t("Kind of document; default: id_card")),
        click.option(
            "--id-number", default="", envvar=ID_NUMBER_VARIABLE,
            help=t("Number of the document; {variable} hides it from other users of this machine",
                   variable=ID_NUMBER_VARIABLE),
        ),
        click.option("--name", default="", help=t("Name, as in the document")),
    ):  # fmt: skip
        command = option(command)
    return command


@tenant.command("check-in", help=t("Check somebody in; asks for whatever is not given."))
@click.option("--house", default="", help=t("House: reference or address code"))
@click.option("--room", default="", help=t("Room, as on its door"))
@tenant_shown.bed_option
@click.option("--kind", type=click.Choice(words.STAYS), default=None,
              help=t("Kind of stay; default: tenant"))  # fmt: skip
@click.option("--host", default="", help=t("Whom a visitor visits: stay or card"))
@click.option("--from", "begin", default="", metavar="DATE",
              help=t("First day, or minute; default: now"))  # fmt: skip
@click.option("--until", default="", metavar="DATE", help=t("Last day, or first minute after"))
@click.option("--profile", default="", metavar="NAME",
              help=t("Which doors and when, see: profile list"))  # fmt: skip
@_person_options
@pass_app
def check_in(app: App, /, **asked: Any) -> None:
    """The words at the end come from the doors' receipts."""
    _arrive(app, asked)


@tenant.command("visit", help=t("Check a visitor in, for some hours, where the host stays."))
@click.argument("host")
@click.option("--hours", type=click.IntRange(1, 24), default=4, show_default=True,
              help=t("How long the visit lasts"))  # fmt: skip
@_person_options
@pass_app
def visit(app: App, /, host: str, hours: int, **asked: Any) -> None:
    """House and room are the host's."""
    there = front_desk.visit_form(app.site, host, hours)
    _arrive(app, {**asked, **there})


def _arrive(app: App, asked: dict[str, Any]) -> None:
    words_ = [*asked["cards"], *([form.READER] if asked["reader"] else [])]
    words_ += [form.AT_DOOR + asked["at_door"]] if asked["at_door"] else []
    fields = {name: asked.get(name) or "" for name in form.TEXTS}
    request = _request(app, form.Form(**fields, card_words=words_))
    if request is None:
        app.note(t("Nothing was changed"))
        click.get_current_context().exit(1)
        return
    with tenant_shown.how(app, asked) as how:
        done = front_desk.arrive(app.site, request, how)
    tapped = front_desk.tap(app.site, done, app.note) if asked["tap"] else None
    tenant_shown.finish(app, done, asked["slip"], tapped)


def _request(app: App, filled: form.Form) -> Request | None:
    """What to do, asked for where something is missing and somebody is there to be asked."""
    missing = filled.missing()
    if not missing:
        return front_desk.ready(app.site, filled, app.note)
    if not asking.possible(app):
        raise click.UsageError(
            t("Give {options}", options=", ".join(_OPTIONS[name] for name in missing))
        )
    return dialogue.fill(app.site, filled, asking.Terminal(app))


for command in (check_out, extend, move, card, evict, import_, list_, show, slip):
    tenant.add_command(command)
