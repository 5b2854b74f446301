"""`controller-tool case`: breaches, and what was decided (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli.common import App, ToolGroup, pass_app, table
from controller_tool.cli.house_shown import done
from controller_tool.cli.profile import dry_run_option
from controller_tool.messages import name_of, t
from controller_tool.rules import words
from controller_tool.services import site_time
from controller_tool.services.desk import cases as service

if TYPE_CHECKING:
    from controller_tool.services.desk.cases import CaseLine


@click.group(cls=ToolGroup, help=t("Cases: breaches, and what was decided."))
def case() -> None:
    """The group; its commands do the work."""


@case.command("open", help=t("A breach in a house, and who answers for it."))
@click.argument("house")
@click.argument("what")
@click.option("--party", type=click.Choice(words.PARTIES), required=True,
              help=t("Who answers for it"))  # fmt: skip
@click.option("--who", default="", metavar="NAME", help=t("Their name; the landlord's is known"))
@click.option("--stay", metavar="STAY", help=t("Whoever has this stay, in place of a name"))
@dry_run_option
@pass_app
def open_(app: App, /, house: str, what: str, dry_run: bool, **asked: Any) -> None:
    """It gets the next reference."""
    made = service.open_case(
        app.site, house, asked["party"], what, asked["who"], asked["stay"], dry_run
    )
    _done(app, made, t("Case {case} is open", case=made.ref), dry_run)


@case.command("sanction", help=t("What was decided, by the number of its document."))
@click.argument("case")
@click.argument("kind", type=click.Choice(words.SANCTIONS), metavar="|".join(words.SANCTIONS))
@click.option("--document", required=True, metavar="NUMBER", help=t("Number of the document"))
@dry_run_option
@pass_app
def sanction(app: App, case: str, kind: str, document: str, dry_run: bool) -> None:
    """Again for more."""
    made = service.sanction(app.site, case, kind, document, dry_run)
    _done(app, made, t("Case {case}: {what}", case=made.ref, what=_decided(made)), dry_run)


@case.command("close", help=t("End a case that was decided, or say why nothing is called for."))
@click.argument("case")
@click.option("--reason", default="", metavar="TEXT", help=t("Why nothing is called for"))
@dry_run_option
@pass_app
def close(app: App, case: str, reason: str, dry_run: bool) -> None:
    """Once and for all."""
    made = service.close(app.site, case, reason, dry_run)
    _done(app, made, t("Case {case} is closed", case=made.ref), dry_run)


@case.command("list", help=t("Open cases."))
@click.option("--house", metavar="HOUSE", help=t("Of this house"))
@click.option("--closed", is_flag=True, help=t("Also those that are closed"))
@pass_app
def list_(app: App, house: str | None, closed: bool) -> None:
    """One line a case."""
    found = service.list_cases(app.site, house, closed)
    app.show(found, _table(app, found))


def _done(app: App, made: CaseLine, line: str, dry_run: bool) -> None:
    done(app, made, line, dry_run, _table(app, [made]))


def _table(app: App, found: list[CaseLine]) -> Any:
    local = site_time.of(app.site)
    rows = [
        (one.ref, one.house, name_of("party", one.party), one.who, one.what, _decided(one) or "-",
         local.text(one.opened_at_s)[:10],
         "" if one.closed_at_s is None else local.text(one.closed_at_s)[:10])
        for one in found
    ]  # fmt: skip
    columns = [t("case"), t("house"), t("party"), t("who"), t("what"), t("decided"), t("opened on"),
               t("closed on")]  # fmt: skip
    return table(columns, rows)


def _decided(one: CaseLine) -> str:
    return ", ".join(f"{name_of('sanction', s.kind)} {s.document}" for s in one.sanctions)
