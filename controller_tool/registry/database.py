"""The registry, a file or a database on a server, brought to the current schema (host)."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from controller_tool.registry import houses, stays  # noqa: F401 - tables that others refer to
from controller_tool.registry.numbering import give_numbers
from controller_tool.registry.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.errors import OperatorError

HEAD_REVISION = "0012"  # a test holds this to the newest migration
BUSY_TIMEOUT_MS = 30_000


class _Backend(Protocol):
    """Where a registry lies, and how what goes wrong there is told."""

    @property
    def engine(self) -> Engine: ...
    @property
    def writing_engine(self) -> Engine: ...
    def missing(self) -> OperatorError: ...
    def taken(self) -> OperatorError: ...
    def unreadable(self, error: DBAPIError, /) -> OperatorError: ...
    def refusal(self, error: DBAPIError, /) -> OperatorError | None: ...


class Registry:
    """Sessions on one registry. Safe to use from several threads: one session per use.

    place: a file, or the URL of a PostgreSQL database. Only with ``new`` an empty one is made: what
    went missing must not look like nothing issued.
    """

    def __init__(self, place: Path | str, *, new: bool = False) -> None:
        self._backend = _backend(place, new)
        self._engine = self._backend.engine
        self._writing_engine = self._backend.writing_engine
        try:
            self._migrate(new)
        except BaseException:
            self.close()  # nobody else will: there is no registry to close
            raise

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A read session; objects stay readable after it."""
        with self._told(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that holds the write lock from its start and commits at its end."""
        with (
            self._told(),
            Session(self._writing_engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            event.listen(session, "before_flush", give_numbers)
            yield session

    def snapshot(self, target: Path) -> None:
        """A whole registry file as of one moment, proven readable; others go on writing meanwhile.

        OperatorError when this one is damaged: what is copied then would be no backup.
        """
        from controller_tool.registry import copying  # noqa: PLC0415 - slow, rare

        with self._told(), self._engine.connect() as connection:
            copying.snapshot(connection, target)

    def take_over(self, other: Registry) -> None:
        """All rows of ``other``; this one is new, and both have the newest schema."""
        from controller_tool.registry import copying  # noqa: PLC0415 - slow, rare

        with other.session() as source, self.writing() as session:
            copying.copy_rows(source.connection(), session.connection())

    def close(self) -> None:
        """Let go of the file, or hang up."""
        self._engine.dispose()

    def _migrate(self, new: bool) -> None:
        try:
            with self._engine.connect() as connection:
                current = self._revision(connection, new)
        except DBAPIError as error:
            raise self._backend.unreadable(error) from error
        if current == HEAD_REVISION:
            return
        from controller_tool.registry import migrate  # noqa: PLC0415 - slow, rare

        with self._told(), self._writing_engine.begin() as connection:
            # asked again: from here on nobody else changes it
            migrate.upgrade(connection, self._revision(connection, new))

    def _revision(self, connection: Connection, new: bool) -> str | None:
        """The schema that is there; None, and only where ``new`` is wished, when there is none."""
        current = None
        if inspect(connection).has_table("alembic_version"):
            current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if (current is None) != new:
            raise self._backend.missing() if current is None else self._backend.taken()
        return current

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the database reports of itself as a refusal of ours."""
        try:
            yield
        except DBAPIError as error:
            refusal = self._backend.refusal(error)
            if refusal is None:
                raise
            raise refusal from error


def require_free(url: str) -> None:
    """OperatorError where a new registry cannot be: seen before keys are made, which takes long."""
    backend = _backend(url, new=True)
    try:
        with backend.engine.connect() as connection:
            taken = bool(inspect(connection).get_table_names())
    except DBAPIError as error:
        raise backend.unreadable(error) from error
    finally:
        backend.engine.dispose()
    if taken:
        raise backend.taken()


def _backend(place: Path | str, new: bool) -> _Backend:
    if isinstance(place, Path):
        return SqliteFile(place, BUSY_TIMEOUT_MS, new=new)
    from controller_tool.registry.postgresql import PostgresqlServer  # noqa: PLC0415 - rare

    return PostgresqlServer(place, BUSY_TIMEOUT_MS)
