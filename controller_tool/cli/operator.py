"""`controller-tool operator`: who works here, in which role, and for what they answer (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from controller_tool.cli.common import App, ToolGroup, pass_app, plain, table
from controller_tool.cli.profile import dry_run_option
from controller_tool.keys import passphrase as passphrases
from controller_tool.messages import name_of, t
from controller_tool.rules.words import CLERK, DUTIES, ROLES
from controller_tool.services import site_time
from controller_tool.services.desk import duties
from controller_tool.services.desk import operators as service

if TYPE_CHECKING:
    from controller_tool.services.desk.operators import OperatorView

_role = click.Choice(ROLES)


@click.group(cls=ToolGroup, help=t("Who works here, in which role, and for what they answer."))
def operator() -> None:
    """The group; its commands do the work."""


@operator.command("list", help=t("All operators."))
@pass_app
def list_(app: App) -> None:
    """One line an operator."""
    found = service.list_operators(app.site)
    local = site_time.of(app.site)
    rows = [
        (v.name, name_of("operator", v.role), name_of("proves", v.proves), local.text(v.since_s),
         "" if v.ended_at_s is None else local.text(v.ended_at_s))
        for v in found
    ]  # fmt: skip
    columns = [t("name"), t("role"), t("secret"), t("since"), t("ended")]
    app.show(found, table(columns, rows))


@operator.command("add", help=t("A new operator, or one who comes back."))
@click.argument("name")
@click.option("--role", type=_role, default=CLERK, show_default=True, help=t("What they may do"))
@dry_run_option
@pass_app
def add(app: App, name: str, role: str, dry_run: bool) -> None:
    """Above a clerk, they get a first secret and change it before they use it."""
    _shown(app, service.add(app.site, name, role, dry_run), dry_run)


@operator.command("role", help=t("Give an operator another role."))
@click.argument("name")
@click.argument("role", type=_role)
@dry_run_option
@pass_app
def role(app: App, name: str, role: str, dry_run: bool) -> None:
    """A clerk who is raised gets a first secret."""
    _shown(app, service.set_role(app.site, name, role, dry_run), dry_run)


@operator.command("end", help=t("An operator works here no more."))
@click.argument("name")
@dry_run_option
@pass_app
def end(app: App, name: str, dry_run: bool) -> None:
    """What they did stays under their name."""
    _shown(app, service.end(app.site, name, dry_run), dry_run)


@operator.command("secret", help=t("Set or change your own secret; a head resets another's."))
@click.argument("name", required=False)
@click.option("--reset", is_flag=True, help=t("Give NAME a first secret instead of a lost one"))
@pass_app
def secret(app: App, name: str | None, reset: bool) -> None:
    """The secret is typed, or stands in a variable; never on the command line."""
    if reset != (name is not None):
        raise click.UsageError(t("Your own secret: no NAME. Another's: NAME --reset"))
    if name is not None:
        _shown(app, service.reset_secret(app.site, name), False)
        return
    mine = app.site.operator
    view = service.set_secret(app.site, passphrases.new_operator_secret(mine))
    app.show({**plain(view), "ok": True}, t("{name} has a new secret", name=mine))


def _shown(app: App, view: OperatorView, dry_run: bool) -> None:
    state = t("ended") if view.ended_at_s is not None else name_of("operator", view.role)
    line = f"{view.name}: {state}"
    data = {**plain(view), "ok": True, "dry_run": dry_run}
    if dry_run:
        app.show({**data, "first_secret": None}, t("{what}; nothing was changed", what=line))
        return
    hand = t("First secret, shown this once: {secret}. Hand it over; they change it under their"
             " own name: operator secret", secret=view.first_secret)  # fmt: skip
    app.show(data, line, *([hand] if view.first_secret else []))


@operator.group("duty", cls=ToolGroup, help=t("Who answers for which area or house."))
def duty() -> None:
    """The group; its commands do the work."""


@duty.command("add", help=t("A named operator answers for one area or one house."))
@click.argument("name")
@click.argument("duty", type=click.Choice(DUTIES))
@click.option("--area", default="", metavar="CODE", help=t("District, village or grid"))
@click.option("--house", default="", metavar="HOUSE", help=t("Reference or address code"))
@dry_run_option
@pass_app
def duty_add(app: App, name: str, duty: str, area: str, house: str, dry_run: bool) -> None:
    """One line of who, what and where."""
    _shown_duty(app, duties.add(app.site, name, duty, area, house, dry_run), dry_run)


@duty.command("end", help=t("A duty is over, by its number."))
@click.argument("number", type=click.IntRange(1))
@dry_run_option
@pass_app
def duty_end(app: App, number: int, dry_run: bool) -> None:
    """It stays on the books."""
    _shown_duty(app, duties.end(app.site, number, dry_run), dry_run)


@duty.command("list", help=t("Duties in force."))
@click.option("--name", help=t("Only of this operator"))
@click.option("--all", "every", is_flag=True, help=t("Those that are over too"))
@pass_app
def duty_list(app: App, name: str | None, every: bool) -> None:
    """One line a duty."""
    found = duties.list_duties(app.site, name, every)
    rows = [
        (v.id, v.operator, name_of("duty", v.duty), v.area or v.house,
         t("ended") if v.ended_at_s is not None else "")
        for v in found
    ]  # fmt: skip
    app.show(found, table([t("number"), t("operator"), t("duty"), t("area or house"), ""], rows))


def _shown_duty(app: App, view: duties.DutyView, dry_run: bool) -> None:
    line = f"{view.id} {view.operator}: {name_of('duty', view.duty)} {view.area or view.house}"
    if view.ended_at_s is not None:
        line = t("{what}, ended", what=line)
    app.show({**plain(view), "ok": True, "dry_run": dry_run},
             t("{what}; nothing was changed", what=line) if dry_run else line)  # fmt: skip
