"""`controller-tool card same`: whether two readings are of one card (host)."""

from __future__ import annotations

import click

from controller_tool import credentials
from controller_tool.cli.common import App, ToolCommand, pass_app
from controller_tool.messages import t
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
    line = f"{readings[0]} / {readings[1]}: {_said(relation.how)}"
    if relation.may_be_one:
        line += t(
            "; of other cards, one in 2^{bits} would show the same", bits=relation.shared_bits
        )
    app.show(
        {"one": str(readings[0]), "other": str(readings[1]), "relation": relation.how,
         "shared_bits": relation.shared_bits, "may_be_one": relation.may_be_one},
        line,
    )  # fmt: skip
    if not relation.may_be_one:
        click.get_current_context().exit(1)


def _said(how: str) -> str:
    return {
        same_card.SAME: t("the same reading"),
        same_card.BYTES: t("the same bytes, as another type"),
        same_card.REVERSED: t("the same bytes in the other order"),
        same_card.CASCADE: t(
            "one has the first level of the other's number only (88, three bytes)"
        ),
        same_card.TAIL: t("one has the last bytes of the other"),
        same_card.HEAD: t("one has the first bytes of the other"),
        same_card.TAIL_REVERSED: t("one has the last bytes of the other, in the other order"),
        same_card.HEAD_REVERSED: t("one has the first bytes of the other, in the other order"),
        same_card.OTHER: t("not one card, or a form that is not known"),
    }[how]
