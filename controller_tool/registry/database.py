"""The registry file: SQLite in WAL mode, brought to the current schema when opened (host)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from controller_tool.errors import OperatorError
from controller_tool.messages import t

HEAD_REVISION = "0001"  # a test holds this to the newest migration
BUSY_TIMEOUT_MS = 30_000
_WRITING = "registry_writing"


class Registry:
    """Sessions on one registry file. Safe to use from several threads: one session per use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = _engine(path)
        self._writing_engine = self._engine.execution_options(**{_WRITING: True})
        self._migrate()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A read session; objects stay readable after it."""
        with Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that holds the write lock from its start and commits at its end."""
        with Session(self._writing_engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def _migrate(self) -> None:
        try:
            current = _revision(self._engine)
        except DatabaseError as error:
            raise OperatorError(
                t("The registry {path} cannot be read", path=self.path.name),
                t("Check the folder and its permissions"),
            ) from error
        if current != HEAD_REVISION:
            from controller_tool.registry.migrate import upgrade  # noqa: PLC0415 - slow, rare

            upgrade(self._engine, current)


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
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # sqlite3's own implicit BEGIN comes too late: two readers that turn writers would clash
        writing = connection.get_execution_options().get(_WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
