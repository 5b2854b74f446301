"""Tells a person what provisioning does (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.messages import t

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.cli.common import App


class Narrator:
    """A line for each step, a bar while files are copied; silent with --json."""

    def __init__(self, app: App, name: str, progress: Callable[[str, int, int], None]) -> None:
        self._app = app
        self._name = name
        self._bar = progress

    def step(self, text: str) -> None:
        """A step begins."""
        if not self._app.as_json:
            self._app.note(f"{self._name}: {text}")

    def progress(self, done_bytes: int, total_bytes: int) -> None:
        """Copying has come so far."""
        self._bar(t("copying"), done_bytes, total_bytes)
