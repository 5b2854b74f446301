"""`controller-tool area`: districts, villages, grids, and what was counted there (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli.common import App, ToolGroup, pass_app, table
from controller_tool.cli.house_shown import done, reasons
from controller_tool.cli.profile import dry_run_option
from controller_tool.messages import name_of, t
from controller_tool.rules import words
from controller_tool.services.desk import areas as service

if TYPE_CHECKING:
    from controller_tool.services.desk.areas import AreaLine


@click.group(cls=ToolGroup, help=t("Areas: districts, villages and grids."))
def area() -> None:
    """The group; its commands do the work."""


@area.command("add", help=t("A new district, village (or community) or grid."))
@click.argument("code")
@click.argument("name")
@click.option("--kind", type=click.Choice(words.AREAS), required=True, help=t("What it is"))
@click.option("--in", "parent", metavar="CODE", help=t("What it lies in"))
@dry_run_option
@pass_app
def add(app: App, /, code: str, name: str, dry_run: bool, **asked: Any) -> None:
    """By its official code, which no program changes."""
    made = service.add(app.site, code, asked["kind"], name, asked["parent"], dry_run)
    done(app, made, t("Area {code} {name}", code=made.code, name=made.name), dry_run)


@area.command("list", help=t("All areas, or CODE and what lies in it."))
@click.argument("code", required=False)
@pass_app
def list_(app: App, code: str | None) -> None:
    """As a tree, with what is registered and what was counted."""
    found = service.tree(app.site, code)
    app.show(found, _table(found))


@area.command("survey", help=t("Enter what was counted on foot."))
@click.argument("code")
@click.option("--houses", type=int, help=t("Let houses"))
@click.option("--migrants", type=int, help=t("Floating population"))
@dry_run_option
@pass_app
def survey(app: App, code: str, houses: int | None, migrants: int | None, dry_run: bool) -> None:
    """What registrations are measured against."""
    if houses is None and migrants is None:
        raise click.UsageError(t("Give --houses, --migrants or both"))
    made = service.survey(app.site, code, houses, migrants, dry_run)
    done(app, made, t("Area {code} {name}", code=made.code, name=made.name), dry_run,
         _table([made]))  # fmt: skip


def _table(found: list[AreaLine]) -> Any:
    rows = [
        ("  " * one.depth + one.code, name_of("area", one.kind), one.name,
         _of(one.houses, one.houses_surveyed), _of(one.people, one.migrants_surveyed),
         reasons(() if one.key is None else (one.key,)))
        for one in found
    ]  # fmt: skip
    columns = [t("code"), t("kind"), t("name"), t("houses"), t("people"), t("key area")]
    return table(columns, rows)


def _of(registered: int, counted: int | None) -> str:
    """Registered of counted; a dash where nobody counted."""
    return f"{registered}/{'-' if counted is None else counted}"
