"""Brings a registry to the newest schema with the migrations shipped in the package (host)."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from controller_tool.errors import OperatorError
from controller_tool.messages import t

_MIGRATIONS = Path(__file__).parent / "migrations"


def configuration() -> Config:
    """Alembic configuration without any file of its own."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: Connection, current: str | None) -> None:
    """Run what is missing in the open transaction; OperatorError for one newer than this tool."""
    config = configuration()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise OperatorError(
            t("The registry was written by a newer tool (schema {revision})", revision=current),
            t("Update controller-tool on this machine"),
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
