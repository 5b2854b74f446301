"""`controller-tool tenant`: people in houses (host)."""

from __future__ import annotations

import click

from controller_tool.cli.common import ToolGroup
from controller_tool.cli.tenant_import import import_
from controller_tool.messages import t


@click.group(cls=ToolGroup, help=t("Check people in and out, with their cards."))
def tenant() -> None:
    """The group; its commands do the work."""


tenant.add_command(import_)
