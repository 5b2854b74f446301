"""`controller-tool card same`: whether two readings are of one card (host)."""

from __future__ import annotations

import click

from controller_tool import credentials
from controller_tool.cli.common import App, ToolCommand, pass_app
from controller_tool.messages import name_of, t
from controller_tool.services import same_card


@click.command(
    "same",
    cls=ToolCommand,
    help=t("How two readers see a card: NUMBER as printed on it, or TYPE:HEX as they sent it."),
)
@click.argument("one", metavar="NUMBER")
@click.argument("other", metavar="NUMBER")
@pass_app
def same(app: App, one: str, other: str) -> None:
    """Exit code 1 when they cannot be one card."""
    readings = credentials.parse(one), credentials.parse(other)
    relation = same_card.compare(*readings)
    line = f"{readings[0]} / {readings[1]}: {name_of('same', relation.how)}"
    if relation.may_be_one:
        line += t("; one other card in 2^{bits} would show the same", bits=relation.shared_bits)
    app.show(
        {"one": str(readings[0]), "other": str(readings[1]), "relation": relation.how,
         "shared_bits": relation.shared_bits, "may_be_one": relation.may_be_one},
        line,
    )  # fmt: skip
    if not relation.may_be_one:
        click.get_current_context().exit(1)
