"""Receipts as they come in: a table that grows at a terminal, plain lines elsewhere (host)."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller_tool.cli.common import App, table
from controller_tool.messages import t

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.live import Live
    from rich.table import Table

    from controller_tool.services.push import PushResult


class Doors:
    """Told of each controller by several threads: when it is called on, when it has answered."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._words: dict[str, str] = {}
        self.live: Live | None = None

    def __call__(self, name: str, result: PushResult | None) -> None:
        with self._lock:
            self._words[name] = _word(result)
            if self.live is not None:
                self.live.update(self.table(), refresh=True)
            elif result is not None:
                self._app.note(f"{name}: {_word(result)}")

    def table(self) -> Table:
        """One line a controller."""
        rows = sorted(self._words.items())
        return table([t("controller"), t("receipt")], rows)


@contextmanager
def shown(app: App) -> Iterator[Doors]:
    """A report for services.desk.proving.prove while the controllers are called on."""
    doors = Doors(app)
    if app.as_json or not sys.stderr.isatty():
        yield doors
        return
    from rich.live import Live  # noqa: PLC0415 - slow to import

    with Live(doors.table(), console=app.console(stderr=True), auto_refresh=False) as live:
        doors.live = live
        yield doors


def _word(result: PushResult | None) -> str:
    if result is None:
        return "…"
    return result.what if result.ok else t("no receipt: {what}", what=result.what)
