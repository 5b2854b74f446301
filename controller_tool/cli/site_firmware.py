"""`controller-tool site firmware|firmware-endorse`: signed firmware as a file (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller_tool.cli.common import App, ToolCommand, pairs, pass_app
from controller_tool.messages import t
from protocol.version import VERSION, number_of

if TYPE_CHECKING:
    from controller_tool.services.firmware_bundle import Bundle

_FILE = click.Path(dir_okay=False, path_type=Path)


def _version(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    try:
        return number_of(value)
    except ValueError:
        raise click.BadParameter(t("{value} is no version such as 1.2.3", value=value)) from None


_over = click.option(
    "--over", callback=_version, metavar="X.Y.Z",
    help=t("Highest version whose place it may take by root; else this tool's own"),
)  # fmt: skip


@click.command("firmware", cls=ToolCommand, help=t("Sign this tool's firmware for a board."))
@click.argument("board")
@click.option("--to", "path", type=_FILE, metavar="FILE", required=True, help=t("Where it goes"))
@click.option(
    "--as",
    "version",
    callback=_version,
    metavar="X.Y.Z",
    help=t("Another version than the tool's own"),
)
@click.option("--endorse", is_flag=True, help=t("Root signs, too: a lower version may be taken"))
@_over
@pass_app
def firmware(
    app: App, /, board: str, path: Path, version: int | None, endorse: bool, over: int | None
) -> None:
    """Writes a bundle that `device update --bundle` sends, from folders without the key as well."""
    from controller_tool.services import firmware_bundle as service  # noqa: PLC0415 - slow

    if over is not None and not endorse:
        raise click.UsageError(t("--over goes with --endorse"))
    bundle = service.make(app.site, board, VERSION if version is None else version)
    if endorse:
        bundle = _endorsed(app, bundle, over)
    service.write(path, bundle)
    _show(app, bundle, path)


@click.command(
    "firmware-endorse", cls=ToolCommand, help=t("Sign firmware with the root keys of this folder.")
)
@click.argument("path", metavar="FILE", type=_FILE)
@_over
@pass_app
def firmware_endorse(app: App, path: Path, over: int | None) -> None:
    """As many machines as the trust object wants each add their own."""
    from controller_tool.services import firmware_bundle as service  # noqa: PLC0415 - slow

    bundle = _endorsed(app, service.read(app.site, path), over)
    service.write(path, bundle)
    _show(app, bundle, path)


def _endorsed(app: App, bundle: Bundle, over: int | None) -> Bundle:
    from controller_tool.services import firmware_bundle as service  # noqa: PLC0415 - slow
    from controller_tool.services.trust_change import root_signers  # noqa: PLC0415

    return service.endorse(app.site, bundle, root_signers(app.site), over)


def _show(app: App, bundle: Bundle, path: Path) -> None:
    from controller_tool.services import firmware_bundle as service  # noqa: PLC0415 - slow

    wanting = service.missing(app.site, bundle) if bundle.endorsements else None
    data = {
        "ok": True, "file": str(path), "board": bundle.board, "version": bundle.text,
        "bytes": len(bundle.pack), "firmware": bundle.digest.hex(), "root_keys_wanting": wanting,
    }  # fmt: skip
    rows = [
        (t("board"), bundle.board),
        (t("version"), bundle.text),
        (t("size"), t("{n} bytes", n=len(bundle.pack))),
        (t("firmware"), bundle.digest.hex()),
    ]
    if wanting is not None:
        rows.append((t("root keys that are wanting"), str(wanting)))
    line = t("{file}: send it with `device update DEVICE --bundle {file}`", file=str(path))
    app.show(data, line, pairs(rows))
