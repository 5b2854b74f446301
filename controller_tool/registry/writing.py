"""Marks the engine whose transactions hold the registry's write lock from their start (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_WRITING = "registry_writing"


def writer(engine: Engine, **options: object) -> Engine:
    """The same pool of connections, for writing transactions."""
    return engine.execution_options(**{_WRITING: True}, **options)


def is_writing(connection: Connection) -> bool:
    """Whether this transaction is one that writes."""
    return bool(connection.get_execution_options().get(_WRITING))
