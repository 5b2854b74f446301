"""The registry file: SQLite in WAL mode, brought to the current schema when opened (host)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from controller_tool.errors import OperatorError
from controller_tool.keys.files import FILE_MODE
from controller_tool.messages import t
from controller_tool.registry import houses, stays  # noqa: F401 - tables that others refer to

HEAD_REVISION = "0010"  # a test holds this to the newest migration
BUSY_TIMEOUT_MS = 30_000
_WRITING = "registry_writing"
# a site of 500 controllers writes a million rows in one transaction: pages stay in memory, up to
# this many KiB, till it ends
_PRAGMAS = ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "cache_size=-131072")


class Registry:
    """Sessions on one registry file. Safe to use from several threads: one session per use.

    Only with ``new`` an empty one is made: what went missing must not look like nothing issued.
    """

    def __init__(self, path: Path, *, new: bool = False) -> None:
        self.path = path
        if new:
            # its journal files take their mode from it
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
        elif not path.is_file():
            raise _missing(path)
        self._engine = _engine(path)
        self._writing_engine = self._engine.execution_options(**{_WRITING: True})
        self._migrate(new)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A read session; objects stay readable after it."""
        with _told(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that holds the write lock from its start and commits at its end."""
        with (
            _told(),
            Session(self._writing_engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def snapshot(self, target: Path) -> None:
        """A whole registry file as of one moment, proven readable; others go on writing meanwhile.

        OperatorError when this one is damaged: what is copied then would be no backup.
        """
        from controller_tool.registry import copying  # noqa: PLC0415 - slow, rare

        with _told(), self._engine.connect() as connection:
            copying.snapshot(connection, target)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def _migrate(self, new: bool) -> None:
        try:
            current = _revision(self._engine)
        except DatabaseError as error:
            raise OperatorError(
                t("The registry {path} cannot be read", path=self.path.name),
                t("Check the folder and its permissions"),
            ) from error
        if current is None and not new:
            self.close()
            raise _missing(self.path)
        if current != HEAD_REVISION:
            from controller_tool.registry.migrate import upgrade  # noqa: PLC0415 - slow, rare

            upgrade(self._engine, current)


@contextmanager
def _told() -> Iterator[None]:
    """What SQLite reports of the file (locked, full, damaged) as a refusal of ours."""
    try:
        yield
    except DatabaseError as error:
        if type(error) not in (DatabaseError, OperationalError):
            raise  # a fault of this code, such as an entry that refers to nothing
        if "locked" in str(error.orig):
            raise OperatorError(
                t("The registry is busy: another command is writing"),
                t("Wait for it to end, then try again"),
            ) from error
        if "full" in str(error.orig):
            raise OperatorError(
                t("No space left for the registry; nothing of this was written"),
                t("Make room there, then try again"),
            ) from error
        raise OperatorError(
            t("The registry cannot be used ({error})", error=error.orig),
            t("Check the folder and its permissions"),
        ) from error


def _missing(path: Path) -> OperatorError:
    return OperatorError(
        t("The registry {path} is missing or empty", path=path.name),
        t("Restore the site folder from a backup"),
    )


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        names = text("SELECT name FROM sqlite_master WHERE name = 'alembic_version'")
        if connection.execute(names).first() is None:
            return None
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())


def _engine(path: Path) -> Engine:
    options = {"timeout": BUSY_TIMEOUT_MS / 1000, "isolation_level": None}
    engine = create_engine(f"sqlite:///{path}", connect_args=options)

    @event.listens_for(engine, "connect")
    def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # sqlite3's own implicit BEGIN comes too late: two readers that turn writers would clash
        writing = connection.get_execution_options().get(_WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
