"""How a file that was refused is shown: every wrong field, then one line (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from controller_tool.cli.common import App, table
from controller_tool.messages import t

if TYPE_CHECKING:
    from controller_tool.services.roster import RosterRefused


def refuse(app: App, file: str, refused: RosterRefused) -> None:
    """Shows the faults and ends the command with exit code 1."""
    rows = [(fault.row, fault.field, fault.what) for fault in refused.faults]
    app.show(
        {"ok": False, "error": refused.what, "next_step": refused.next_step,
         "faults": refused.faults},
        table([t("row"), t("field"), t("what is wrong")], rows),
    )  # fmt: skip
    app.complain(
        t("{file}: {n} wrong fields, nothing was imported", file=file, n=len(refused.faults)),
        refused.next_step,
    )
    click.get_current_context().exit(1)
