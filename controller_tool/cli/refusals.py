"""How a file that was refused is shown: every wrong field, then one line (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from controller_tool.cli.common import App, table
from controller_tool.messages import t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from controller_tool.services.desk.sheet_cells import Fault
    from controller_tool.services.roster import RosterRefused


def fault_table(faults: Sequence[Fault]) -> Table:
    """Row, column, value and reason; no column of values where there is none."""
    columns = [t("row"), t("field"), t("value"), t("what is wrong")]
    rows = [[fault.row, fault.field, fault.value, fault.what] for fault in faults]
    if not any(fault.value for fault in faults):
        columns, rows = [*columns[:2], columns[3]], [[*row[:2], row[3]] for row in rows]
    return table(columns, rows)


def refuse(app: App, file: str, refused: RosterRefused) -> None:
    """Shows the faults and ends the command with exit code 1."""
    app.show(
        {"ok": False, "error": refused.what, "next_step": refused.next_step,
         "faults": refused.faults},
        fault_table(refused.faults),
    )  # fmt: skip
    app.complain(
        t("{file}: {n} wrong fields, nothing was imported", file=file, n=len(refused.faults)),
        refused.next_step,
    )
    click.get_current_context().exit(1)
