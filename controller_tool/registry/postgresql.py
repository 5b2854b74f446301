"""The registry on a PostgreSQL server, by URL (host).

The password is no part of the URL, which lies in the site folder: libpq takes it from PGPASSWORD,
PGPASSFILE or ~/.pgpass.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    InvalidatePoolError,
    OperationalError,
)

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.writing import UNLIMITED, is_writing, writer

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

_DRIVER = "postgresql+psycopg"
_SCHEMES = ("postgresql", "postgres", _DRIVER)
_LOCAL_HOSTS = ("", "localhost", "127.0.0.1", "::1")
_NAME = "controller-tool"
CONNECT_TIMEOUT_S = 10
# a desk that was switched off while it wrote: its lock is gone after 30 + 3 * 10 s, not two hours
_SERVER_SETTINGS = (
    "tcp_keepalives_idle = 30",
    "tcp_keepalives_interval = 10",
    "tcp_keepalives_count = 3",
)
# One lock for each registry, whatever way leads to it: the number of a table of its own; of the
# schema while it is being made. It goes with its transaction, however that ends.
_LOCK = (
    "SELECT pg_advisory_xact_lock(x'6374726c'::int, coalesce(to_regclass('alembic_version')::oid,"
    " to_regnamespace(current_schema()::text)::oid, 0)::bigint::bit(32)::int)"
)
_BUSY = ("55P03", "40001", "40P01")  # lock_not_available, serialization_failure, deadlock_detected
_FULL = ("53100", "53200")  # disk_full, out_of_memory
_NOT_ALLOWED = "42501"  # insufficient_privilege
_ERROR_CHARACTERS = 200


class PostgresqlServer:
    """One registry in the current schema of one database."""

    def __init__(self, url: str, busy_timeout_ms: int) -> None:
        self.url = checked(url)
        both = _engine(self.url, busy_timeout_ms)
        # a reader sees one moment from its first question to its last, as with SQLite
        self.engine = both.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        # A writer's moment would be the one before it waited for the lock: it would not see what
        # the writer before it wrote. Nobody writes beside the one who has the lock.
        self.writing_engine = writer(both, isolation_level="READ COMMITTED")

    def missing(self) -> OperatorError:
        """The database is there and has no registry in it."""
        return OperatorError(
            t("The database {name} holds no registry", name=self.url.database),
            t("Check `registry` in site.toml; restore the database from a backup"),
        )

    @staticmethod
    def unreadable(error: DBAPIError) -> OperatorError:
        """The server was not reached, or did not let this user in."""
        return _unreachable(error)

    def taken(self) -> OperatorError:
        """A new registry is wanted where one is."""
        return OperatorError(
            t("The database {name} holds tables already", name=self.url.database),
            t("Name an empty database, or empty it first"),
        )

    @staticmethod
    def refusal(error: DBAPIError) -> OperatorError | None:
        """What the server reports of itself; None: a fault of this code."""
        state = str(getattr(error.orig, "sqlstate", None))
        if state in _BUSY:
            told = (
                t("The registry is busy: another command is writing"),
                t("Wait for it to end, then try again"),
            )
        elif state in _FULL:
            told = (
                t("No space left for the registry; nothing of this was written"),
                t("Make room there, then try again"),
            )
        elif isinstance(error, DataError):
            told = (
                t("The registry cannot keep what was given ({error})", error=_said(error)),
                t("Shorten it, or take out signs that are no text"),
            )
        elif state == _NOT_ALLOWED:
            told = (
                t("The registry's server does not allow this ({error})", error=_said(error)),
                t("Have the database's owner grant it"),
            )
        elif error.connection_invalidated:
            told = (
                t("The connection to the registry's server was lost"),
                t("Look whether it was done before you do it again"),
            )
        else:
            return _unreachable(error) if isinstance(error, OperationalError) else None
        return OperatorError(*told)


def checked(text: str) -> URL:
    """The URL as SQLAlchemy takes it; OperatorError for one that is none, or that is unsafe."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in _SCHEMES or not url.database:
        raise OperatorError(
            t("This is no address of a PostgreSQL database"),
            t("Give it as postgresql://USER@HOST/DATABASE"),
        )
    if url.password is not None or "password" in url.query:
        raise OperatorError(
            t("The password must not stand in the registry's address"),
            t("Leave it out; give it in PGPASSWORD or ~/.pgpass"),
        )
    _require_known_wire(url)
    return url.set(drivername=_DRIVER)


def _require_known_wire(url: URL) -> None:
    """What libpq does without `sslmode` is to go on in the clear when a server has no TLS."""
    named = url.query.get("host", url.host or os.environ.get("PGHOST", ""))
    hosts = named if isinstance(named, tuple) else tuple(named.split(","))
    local = all(host in _LOCAL_HOSTS or host.startswith(("/", "@")) for host in hosts)
    if not local and "sslmode" not in url.query and "PGSSLMODE" not in os.environ:
        raise OperatorError(
            t("The registry's address does not say how its server is proven"),
            t("Add ?sslmode=verify-full; or sslmode=disable where nobody else is on the wire"),
        )


def _engine(url: URL, busy_timeout_ms: int) -> Engine:
    try:
        engine = create_engine(
            url,
            max_overflow=UNLIMITED,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": _NAME},
        )
    except ImportError as error:
        raise OperatorError(
            t("The driver for PostgreSQL is not installed here"),
            t("Install it: pip install 'controller-tool[postgresql]'"),
        ) from error

    @event.listens_for(engine, "connect")
    def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for setting in _SERVER_SETTINGS:
            cursor.execute(f"SET {setting}")
        cursor.close()
        connection.commit()

    # SQLAlchemy's own pool_pre_ping fails in another way on a connection that the server has ended
    @event.listens_for(engine, "checkout")
    def _ping(connection: Any, _entry: ConnectionPoolEntry, _lent: PoolProxiedConnection) -> None:
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error  # it died while nobody used it: a new one is taken

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if is_writing(connection):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {busy_timeout_ms}")
            connection.exec_driver_sql(_LOCK)

    return engine


def _unreachable(error: DBAPIError) -> OperatorError:
    return OperatorError(
        t("The registry's server cannot be used ({error})", error=_said(error)),
        t("Check that it runs, its address in site.toml, and PGPASSWORD or ~/.pgpass"),
    )


def _said(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())[:_ERROR_CHARACTERS]
