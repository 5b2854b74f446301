"""What the commands that import share: their help, and every wrong field shown (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import click

from controller_tool.cli.common import App, plain, table
from controller_tool.messages import name_of, t

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from rich.table import Table

    from controller_tool.services.desk.sheet_cells import Fault
    from controller_tool.services.desk.sheets import LeftOut
    from controller_tool.services.roster import RosterRefused


def columns_help(what: str, columns: Iterable[Sequence[str]], rules: str, title: str = "") -> str:
    """Help of an import: what it does, all names of each column as they are read, and rules."""
    lines = ["\b", title or t("Columns, in any order:")]
    lines += [f"  {' / '.join(names)}" for names in columns]
    return "\n\n".join((what, "\n".join(lines), rules))


def template_or_file(app: App, file: Path | None, template: Path | None,
                     write: Callable[[Path], None]) -> Path | None:  # fmt: skip
    """The file to import; None after an empty one was written to ``template`` instead."""
    if template is not None:
        write(template)
        app.show({"ok": True, "template": template}, t("{path} is there to fill in", path=template))
        return None
    if file is None:
        raise click.UsageError(t("Give a file, or --template"))
    return file


class Imported(Protocol):
    """What is told of every import. counts: rows by code of rules.words."""

    @property
    def rows(self) -> int: ...
    @property
    def counts(self) -> dict[str, int]: ...
    @property
    def faults(self) -> Sequence[Fault]: ...
    @property
    def ignored(self) -> tuple[str, ...]: ...
    @property
    def left_out(self) -> tuple[LeftOut, ...]: ...
    @property
    def dry_run(self) -> bool: ...


def show_import(app: App, file: Path, done: Imported, group: str, *parts: Any) -> None:
    """Faults, ``parts``, counts by their names in ``group``; exit code 1 where there are faults."""
    shown = [fault_table(done.faults), *parts] if done.faults else list(parts)
    counts = ", ".join(
        f"{name_of(group, word)} {count}" for word, count in done.counts.items() if count
    )
    line = t("{rows} rows: {counts}", rows=done.rows, counts=counts)
    shown.append(t("{what}; nothing was changed", what=line) if done.dry_run else line)
    app.show({"ok": not done.faults, **plain(done)}, *shown)
    tell_left_out(app, done.left_out)
    if done.ignored:
        app.note(t("Columns that are not read: {names}", names=", ".join(done.ignored)))
    if done.faults:
        app.complain(
            t("{file}: {n} wrong fields, nothing was imported", file=file.name, n=len(done.faults)),
            t("Correct these rows and import the file again"),
        )
        click.get_current_context().exit(1)


def tell_left_out(app: App, rows: Sequence[LeftOut]) -> None:
    """Which rows were not taken for entries."""
    if rows:
        named = ", ".join(f"{one.row} ({one.text})" for one in rows)
        app.note(t("Rows that are totals or notes and were left out: {rows}", rows=named))


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
