"""The registry as a file: SQLite in WAL mode (host)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from controller_tool.errors import OperatorError
from controller_tool.keys.files import FILE_MODE
from controller_tool.messages import t
from controller_tool.registry.writing import UNLIMITED, is_writing, writer

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

# a site of 500 controllers writes a million rows in one transaction: pages stay in memory, up to
# this many KiB, till it ends
_PRAGMAS = ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "cache_size=-131072")


class SqliteFile:
    """One file. new: an empty one is made; without it, one that is not there is refused."""

    def __init__(self, path: Path, busy_timeout_ms: int, *, new: bool) -> None:
        self.path = path
        if new:
            # its journal files take their mode from it
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
        elif not path.is_file():
            raise self.missing()
        self.engine = _engine(path, busy_timeout_ms)
        self.writing_engine = writer(self.engine)

    def missing(self) -> OperatorError:
        """What went missing must not look like nothing issued."""
        return OperatorError(
            t("The registry {path} is missing or empty", path=self.path.name),
            t("Restore the site folder from a backup"),
        )

    def unreadable(self, _error: DBAPIError) -> OperatorError:
        """It does not open at all."""
        return OperatorError(
            t("The registry {path} cannot be read", path=self.path.name),
            t("Check the folder and its permissions"),
        )

    def taken(self) -> OperatorError:
        """A new registry is wanted where one is; the file of its name is not made twice."""
        return self.missing()

    @staticmethod
    def refusal(error: DBAPIError) -> OperatorError | None:
        """What SQLite reports of the file (locked, full, damaged); None: a fault of this code."""
        if type(error) not in (DatabaseError, OperationalError):
            return None  # such as an entry that refers to nothing
        if "locked" in str(error.orig):
            return OperatorError(
                t("The registry is busy: another command is writing"),
                t("Wait for it to end, then try again"),
            )
        if "full" in str(error.orig):
            return OperatorError(
                t("No space left for the registry; nothing of this was written"),
                t("Make room there, then try again"),
            )
        return OperatorError(
            t("The registry cannot be used ({error})", error=error.orig),
            t("Check the folder and its permissions"),
        )


def _engine(path: Path, busy_timeout_ms: int) -> Engine:
    options = {"timeout": busy_timeout_ms / 1000, "isolation_level": None}
    engine = create_engine(f"sqlite:///{path}", max_overflow=UNLIMITED, connect_args=options)

    @event.listens_for(engine, "connect")
    def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # sqlite3's own implicit BEGIN comes too late: two readers that turn writers would clash
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing(connection) else "BEGIN")

    return engine
