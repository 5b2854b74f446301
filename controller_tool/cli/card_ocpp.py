"""`controller-tool card export-ocpp` and `import-ocpp`: lists of chargers of other makes (host)."""

from __future__ import annotations

import json
from pathlib import Path

import click

from controller_tool.cli import moments
from controller_tool.cli.common import App, ToolCommand, pass_app
from controller_tool.cli.refusals import refuse
from controller_tool.keys.files import write_private_file
from controller_tool.messages import t
from controller_tool.services import ocpp_cards, roster, site_time
from controller_tool.services.ocpp_tokens import V16, V201

_SHOWN_MAX = 5


@click.command(
    "export-ocpp", cls=ToolCommand,
    help=t("Write the cards as a local authorization list of OCPP."),
)  # fmt: skip
@click.option("--version", type=click.Choice([V16, V201]), required=True, help=t("Of OCPP"))
@click.option("--device", help=t("Only the cards of this controller"))
@click.option(
    "--list-version", type=click.IntRange(1, 2**31 - 1),
    help=t("Number of the list; default: rises with the clock"),
)  # fmt: skip
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help=t("File; default: screen")
)
@pass_app
def export_ocpp(
    app: App, version: str, device: str | None, list_version: int | None, output: Path | None
) -> None:
    """The payload of SendLocalList, always a full list."""
    made = ocpp_cards.export(app.site, version, device, list_version)
    text = json.dumps(made.message, ensure_ascii=False, indent=2)
    if output is None:
        app.show(made, text)
    else:
        write_private_file(output, text.encode() + b"\n")
        app.show(made, t("{n} cards in {file}", n=made.cards, file=output.name))
    if made.left_out:
        named = ", ".join(made.left_out[:_SHOWN_MAX]) + (
            " …" if len(made.left_out) > _SHOWN_MAX else ""
        )
        app.complain(
            t("{n} cards are not in it: {cards}", n=len(made.left_out), cards=named),
            t("OCPP {version} cannot hold their numbers; --json names all", version=version),
        )


@click.command(
    "import-ocpp", cls=ToolCommand,
    help=t("Do what a local authorization list of OCPP says: all entries or none."),
)  # fmt: skip
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--device", "devices", multiple=True, help=t("Controllers; default: all"))
@click.option("--until", "end", metavar="DATE", help=t("Last day of cards that have no end in it"))
@click.option("--profile", metavar="NAME",
              help=t("Of cards that are issued: which ports, when, how much"))  # fmt: skip
@click.option("--dry-run", is_flag=True, help=t("Check everything, change nothing"))
@pass_app
def import_ocpp(
    app: App, file: Path, devices: tuple[str, ...], end: str | None, profile: str | None,
    dry_run: bool,
) -> None:  # fmt: skip
    """Every wrong entry is shown; then nothing was imported."""
    local = site_time.of(app.site)
    until_min = None if end is None else moments.minute(local, end, last_day=True)
    try:
        done = ocpp_cards.import_list(app.site, file, devices or None, until_min, dry_run, profile)
    except roster.RosterRefused as refused:
        refuse(app, file.name, refused)
        return
    line = t("{entries} entries: {issued} cards issued, {ended} ended, {same} as they were",
             entries=done.entries, issued=done.issued, ended=done.ended,
             same=done.unchanged)  # fmt: skip
    if done.over:
        line += t("; {n} are over already", n=done.over)
    app.show(done, t("{what}; nothing was changed", what=line) if dry_run else line)
