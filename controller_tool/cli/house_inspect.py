"""`controller-tool house inspect` and `hazard`: visits, and what they found (host)."""

from __future__ import annotations

from typing import Any

import click

from controller_tool.cli import house_shown
from controller_tool.cli.common import App, ToolCommand, ToolGroup, pass_app
from controller_tool.cli.profile import dry_run_option
from controller_tool.messages import t
from controller_tool.rules import words
from controller_tool.services import site_time
from controller_tool.services.desk import inspections as service


def _hazards(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[service.Found, ...]:
    """GRADE:TEXT each; a wrong grade is a wrong usage."""
    found = []
    for value in values:
        grade, _, what = value.replace("：", ":").partition(":")
        if grade.strip() not in words.GRADES or not what.strip():
            text = t("Write a hazard as GRADE:TEXT, GRADE being one of {grades}",
                     grades=", ".join(words.GRADES))  # fmt: skip
            raise click.BadParameter(text, ctx, param)
        found.append(service.Found(grade.strip(), what.strip()))
    return tuple(found)


@click.command("inspect", cls=ToolCommand, help=t("Write down a visit: what it found, what it saw"
                                                  " mended."))  # fmt: skip
@click.argument("house")
@click.option("--kind", type=click.Choice(words.INSPECTIONS), required=True,
              help=t("Which visit it was"))  # fmt: skip
@click.option("--passed/--failed", "passed", default=None, help=t("What came of it"))
@click.option("--hazard", "found", callback=_hazards, multiple=True, metavar="GRADE:TEXT",
              help=t("A hazard it found, again for more; major suspends the house"))  # fmt: skip
@click.option("--mended", multiple=True, metavar="HAZARD",
              help=t("A hazard it saw mended, by reference, again for more"))  # fmt: skip
@click.option("--note", default="", help=t("What else is to be said"))
@dry_run_option
@pass_app
def inspect(app: App, /, house: str, dry_run: bool, **asked: Any) -> None:
    """Says which class follows; it is given with house classify."""
    if asked["passed"] is None:
        raise click.UsageError(t("Give --passed or --failed"))
    seen = service.inspect(app.site, house, service.Written(**asked), dry_run)
    local = site_time.of(app.site)
    shown = [house_shown.hazards(seen.open, local)] if seen.open else []
    shown += house_shown.left_over(seen.staying, local)
    if seen.suspended:
        shown.append(t("A major hazard is open: the house is suspended until it is admitted anew"))
    if seen.class_follows != seen.line.class4:
        shown.append(house_shown.follows(seen.line.ref, seen.class_follows))
    line = t("House {house}: {result}, next inspection {day}", house=seen.line.ref,
             result=house_shown.passed(seen.passed),
             day=house_shown.told_due(seen.line, local))  # fmt: skip
    house_shown.done(app, seen, line, dry_run, *shown)


@click.group("hazard", cls=ToolGroup, help=t("Hazards that inspections found."))
def hazard() -> None:
    """The group; its commands do the work."""


@hazard.command("list", help=t("Open hazards; what is due first comes first."))
@click.option("--house", metavar="HOUSE", help=t("Of this house"))
@click.option("--overdue", is_flag=True, help=t("Whose time is over"))
@click.option("--mended", is_flag=True, help=t("Also what was seen mended"))
@pass_app
def list_(app: App, house: str | None, overdue: bool, mended: bool) -> None:
    """One line a hazard."""
    found = service.list_hazards(app.site, house, mended, overdue)
    app.show(found, house_shown.hazards(found, site_time.of(app.site)))
