"""`controller-tool device reader`: how readers fare, and their keys (host)."""

from __future__ import annotations

import click

from controller_tool.cli.common import App, ToolGroup, pass_app, table, yes_no
from controller_tool.cli.ways import way, way_options
from controller_tool.messages import name_of, t


@click.group("reader", cls=ToolGroup, help=t("A controller's readers, and the keys of OSDP ones."))
def reader() -> None:
    """The group; its commands do the work."""


@reader.command("list", help=t("How each reader of a controller fares."))
@click.argument("name", metavar="DEVICE")
@way_options
@pass_app
def list_(app: App, name: str, via: str | None, port: str | None) -> None:
    """Exit code 1 when one does not do its work."""
    from controller_tool.services import readers as service  # noqa: PLC0415 - slow to import

    found = service.states(app.site, name, way(via, port), app.note)
    rows = [
        (s.reader, ", ".join(name_of("reader", each) for each in s.troubles) or t("well"),
         yes_no(s.has_key), name_of("pairing", s.pairing) if s.pairing else "-")
        for s in found
    ]  # fmt: skip
    columns = [t("reader"), t("how it is"), t("own key"), t("last pairing")]
    app.show({"device": name, "readers": found}, table(columns, rows))
    if any(s.troubles for s in found):
        click.get_current_context().exit(1)


@reader.command("pair", help=t("Give an OSDP reader a new key of its own."))
@click.argument("name", metavar="DEVICE")
@click.option("--reader", "number", type=click.IntRange(1, 255), default=1, show_default=True,
              help=t("Which reader of it, from 1"))  # fmt: skip
@click.option(
    "--factory", is_flag=True,
    help=t("It is as it left the factory: anybody on its line could read this key"),
)  # fmt: skip
@way_options
@pass_app
def pair(
    app: App, name: str, number: int, factory: bool, via: str | None, port: str | None
) -> None:
    """The key is made, signed, sent and proven; nobody gets to see it."""
    from controller_tool.services import readers as service  # noqa: PLC0415 - slow to import

    done = service.pair(app.site, name, number, factory, way(via, port), app.note)
    app.show(done, t("{device}, reader {reader}: its new key is proven",
                     device=name, reader=number))  # fmt: skip
