"""`controller-tool board`: kinds of board that can be provisioned (host)."""

from __future__ import annotations

import click

from controller_tool.cli.common import App, ToolGroup, pairs, pass_app, table
from controller_tool.messages import name_of, t
from controller_tool.services import boards


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
