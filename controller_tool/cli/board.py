"""`controller-tool board`: kinds of board that can be provisioned (host)."""

from __future__ import annotations

from pathlib import Path

import click

from controller_tool import drawing
from controller_tool.cli.common import App, ToolGroup, pairs, pass_app, table
from controller_tool.messages import name_of, t
from controller_tool.resources import OWN_BOARDS
from controller_tool.services import board_maker, boards


@click.group(cls=ToolGroup, help=t("Kinds of board that can be provisioned."))
def board() -> None:
    """The group; its commands do the work."""


@board.command("list", help=t("All boards that this tool has firmware for."))
@pass_app
def list_(app: App) -> None:
    """One line a board."""
    found = boards.list_boards()
    rows = [(b.name, name_of("kind", b.kind), b.chip, b.summary) for b in found]
    app.show(found, table([t("board"), t("kind"), t("chip"), t("what it is")], rows))


@board.command("show", help=t("One board: its flash layout and what it can do."))
@click.argument("name")
@pass_app
def show(app: App, name: str) -> None:
    """Layout and capabilities."""
    found = boards.show(name)
    parts = [
        (p.get("label"), p.get("offset"), p.get("size") or p.get("size_bytes"))
        for p in found.partitions
    ]
    app.show(
        found,
        pairs([(t("board"), found.name), (t("kind"), name_of("kind", found.kind)),
               (t("chip"), found.chip),
               (t("what it is"), found.summary), *found.capabilities.items()]),
        table([t("partition"), t("offset"), t("bytes")], parts),
    )  # fmt: skip


@board.command("new", help=t("Make a folder for a board of your own, to be filled in."))
@click.argument("name")
@click.option(
    "--into",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help=t("Folder with your own boards; left out: what CONTROLLER_TOOL_BOARDS says"),
)
@click.option(
    "--kind",
    type=click.Choice(["door", "charger"]),
    default="door",
    show_default=True,
    help=t("What it controls"),
)
@click.option(
    "--chip",
    type=click.Choice(["esp32", "esp32s3"]),
    default="esp32",
    show_default=True,
    help=t("Its chip"),
)
@click.option(
    "--flash",
    "megabytes",
    type=click.Choice([str(size) for size in board_maker.MEGABYTES]),
    default="4",
    show_default=True,
    help=t("Size of its flash in MB; the partition table goes by it"),
)
@pass_app
def new(app: App, name: str, into: Path | None, kind: str, chip: str, megabytes: str) -> None:
    """Where it is and what to do next."""
    made = board_maker.make(name, kind, chip, into, int(megabytes))
    steps = (
        []
        if made.known
        else [
            t(
                "Set {variable} to {folder}, so that the tool finds it",
                variable=OWN_BOARDS,
                folder=made.folder.parent,
            )
        ]
    )
    steps.append(
        t(
            "Fill in what its comments ask for, then `controller-tool board check {board}`",
            board=made.board,
        )
    )
    app.show(made, pairs([(t("board"), made.board), (t("made"), made.folder),
                          *((t("next"), step) for step in steps)]))  # fmt: skip


@board.command("check", help=t("Whether boards keep the rules of pins, flash and drivers."))
@click.argument("name", required=False)
@pass_app
def check(app: App, name: str | None) -> None:
    """One line a board and each thing that is wrong with it; exit code 1 when any is."""
    found = board_maker.check(name)
    rows = [(one.board, what) for one in found for what in one.problems or (t("keeps the rules"),)]
    app.show(found, table([t("board"), t("what is wrong")], rows))
    if any(one.problems for one in found):
        click.get_current_context().exit(1)


@board.command("drawing", help=t("Draw a board's wiring as an SVG file."))
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_app
def drawing_(app: App, name: str, file: Path) -> None:
    """One file, in the language of the session."""
    found = boards.show(name)
    file.write_text(drawing.draw(found.folder).svg(), encoding="utf-8")
    app.show({"board": found.name, "file": file}, pairs([(t("drawn"), file)]))


@board.command(
    "fetch", help=t("Bring a board's MicroPython image into the cache, for device flash.")
)
@click.argument("name")
@click.option("--address", metavar="URL", help=t("Another place that has the same file (https)"))
@pass_app
def fetch(app: App, name: str, address: str | None) -> None:
    """What board.toml names, proven by its SHA-256."""
    from controller_tool.services import images  # noqa: PLC0415 - slow to import

    described = boards.show(name)
    with app.progress() as progress:
        got = images.fetch(
            described, address, lambda done, total: progress(t("fetching"), done, total)
        )
    how = t("fetched from {address}", address=got.address) if got.fetched else t("there already")
    if got.resumed_at:
        how += t(", from byte {at} on", at=got.resumed_at)
    app.show(got, pairs([
        (t("board"), got.board), (t("MicroPython"), got.version), (t("image"), got.path),
        (t("bytes"), got.size_bytes), (t("SHA-256"), got.sha256),
        (t("compared with the vendor's page"),
         t("yes") if got.confirmed else t("no: board.toml has it from elsewhere")),
        (t("how"), how),
    ]))  # fmt: skip
