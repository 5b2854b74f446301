"""A group of commands whose modules are imported when they are needed (host)."""

from __future__ import annotations

import importlib
from typing import Any

import click

from controller_tool.cli.common import ToolGroup
from controller_tool.messages import t


class LazyGroup(ToolGroup):
    """commands: name to ("module:attribute", line in the list)."""

    def __init__(self, name: str, commands: dict[str, tuple[str, str]], **attrs: Any) -> None:
        super().__init__(name, **attrs)
        self._lazy = commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table, which is the order of work."""
        return [*self._lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None when there is none of that name."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._lazy[cmd_name][0].partition(":")
        found = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command), self._lazy[cmd_name]  # noqa: S101 - our own table
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click
        """The list of commands, without importing any."""
        with formatter.section(t("Commands")):
            formatter.write_dl([(name, t(line)) for name, (_, line) in self._lazy.items()])
