"""The options that say how a controller is reached, and the notices while it is busy (host)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from controller_tool.channel.dial import Way
from controller_tool.messages import t

if TYPE_CHECKING:
    from controller_tool.cli.common import App

_Command = TypeVar("_Command", bound=Callable[..., Any])


def way_options(command: _Command) -> _Command:
    """Adds --via and --port; the command takes ``via`` and ``port`` and makes a `Way` of them."""
    via = click.option(
        "--via", type=click.Choice(["wifi", "serial"]), help=t("Only by this way; default: both")
    )
    port = click.option(
        "--port",
        metavar="ADDRESS",
        help=t("Serial port, tcp://HOST:PORT or sim://NAME, instead of the known addresses"),
    )
    return via(port(command))


def way(via: str | None, port: str | None) -> Way:
    """The `Way` that the options describe."""
    return Way(via, port)


def way_to_some(app: App, devices: Sequence[str], via: str | None, port: str | None) -> Way:
    """The `Way` for a command that asks several; one address leads to one controller."""
    if port is not None and len(app.site.chosen(devices)) > 1:
        raise click.UsageError(t("--port leads to one controller: name it"))
    return way(via, port)
