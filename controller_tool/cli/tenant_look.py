"""Of `controller-tool tenant`: list, show, slip (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller_tool.cli import moments, tenant_shown
from controller_tool.cli.common import App, ToolCommand, pairs, pass_app, plain, table, yes_no
from controller_tool.messages import name_of, t
from controller_tool.services import site_time
from controller_tool.services.desk import proving, stays
from controller_tool.services.desk import slip as slips

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from controller_tool.services.desk.stays import Line


@click.command("list", cls=ToolCommand, help=t("Who stays here now."))
@click.option("--house", help=t("Only this house"))
@click.option("--room", help=t("Only this room"))
@click.option("--over", is_flag=True, help=t("Only those whose lease is over and who are still in"))
@click.option("--ending", type=click.IntRange(0, 366), metavar="DAYS",
              help=t("Only those whose lease ends within so many days"))  # fmt: skip
@pass_app
def list_(app: App, house: str | None, room: str | None, over: bool, ending: int | None) -> None:
    """One line a stay."""
    found = stays.listed(app.site, stays.Wish(house, room, over, ending))
    app.show(found, lines(app, found) if found else t("Nobody"))


def lines(app: App, found: Sequence[Line]) -> Table:
    """Stays as a table."""
    local = site_time.of(app.site)
    with_beds = any(one.bed for one in found)
    beds = [t("bed")] if with_beds else []
    columns = [t("stay"), t("house"), t("room"), *beds, name_of("person", "name"), t("kind"),
               t("from"), t("until"), t("over"), t("cards")]  # fmt: skip
    rows = [
        (one.ref, one.house, one.room, *([one.bed] if with_beds else []),
         one.name, name_of("stay", one.kind),
         moments.text(local, one.from_min), moments.last_text(local, one.until_min),
         yes_no(one.over), one.cards_out)
        for one in found
    ]  # fmt: skip
    return table(columns, rows)


@click.command("show", cls=ToolCommand, help=t("One stay, its cards and what is proven of them."))
@click.argument("stay")
@pass_app
def show(app: App, stay: str) -> None:
    """By its reference or a card."""
    seen = stays.show(app.site, stay)
    known = proving.Proof((seen.stay,))
    rows = [
        *tenant_shown.facts(app, seen.stay),
        (name_of("document", seen.document), seen.number),
        (t("phone"), seen.phone),
        (t("profile"), seen.profile),
        (t("contract"), seen.contract),
        (t("host"), seen.host),
        (t("state"), "; ".join(known.words())),
    ]
    data = {**plain(seen), "words": known.words(), "deregistered": known.deregistered}
    app.show(data, pairs(row for row in rows if row[1]), tenant_shown.cards_table(seen.stay))


@click.command("slip", cls=ToolCommand, help=t("The slip of a stay, to print or to read."))
@click.argument("stay")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE|DIR",
              help=t("Write it as a page (or .txt); without, it is shown"))  # fmt: skip
@pass_app
def slip(app: App, stay: str, output: Path | None) -> None:
    """Of a stay that has ended: the slip of its end."""
    made = slips.of_stay(app.site, stay)
    if output is None:
        app.show(made, made.text().rstrip())
        return
    path = slips.write(made, stay.strip().upper(), output)
    app.show({"path": path}, t("slip: {path}", path=path))
