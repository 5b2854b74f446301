"""What engines of both kinds share: the mark of those whose transactions hold the write lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

# Of connections: one thread speaks to each of up to 16 controllers, and SQLAlchemy's own 15 would
# make one wait that holds what the others wait for.
UNLIMITED = -1
_WRITING = "registry_writing"


def writer(engine: Engine, **options: object) -> Engine:
    """The same pool of connections, for writing transactions."""
    return engine.execution_options(**{_WRITING: True}, **options)


def is_writing(connection: Connection) -> bool:
    """Whether this transaction is one that writes."""
    return bool(connection.get_execution_options().get(_WRITING))
