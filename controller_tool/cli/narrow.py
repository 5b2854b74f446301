"""Tables on a terminal that is much too narrow for them (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.measure import Measurement
from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_CRAMPED = 1.5  # a table so many times wider than the terminal falls into shreds


def fitted(console: Console, part: RenderableType) -> RenderableType:
    """``part``, or a table's rows one under the other where its columns would be shreds."""
    if not (console.is_terminal and isinstance(part, Table) and part.show_header):
        return part
    endless = console.options.update(width=10_000)
    if Measurement.get(console, endless, part).maximum <= console.width * _CRAMPED:
        return part
    rows = zip(*(column.cells for column in part.columns), strict=True)
    return Group(*(_block(part, cells) for cells in rows))


def _block(whole: Table, cells: tuple[RenderableType, ...]) -> Table:
    block = Table(box=None, pad_edge=False, show_header=False)
    block.add_column(style="bold")
    block.add_column(overflow="fold")
    for column, cell in zip(whole.columns, cells, strict=True):
        if cell:
            block.add_row(column.header, cell)
    block.add_row("", "")
    return block
