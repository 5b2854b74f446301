"""Somebody with a database tool at a site's registry, past everything that is ours (host)."""

from __future__ import annotations

import re
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from controller_tool.services.site import REGISTRY_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.services.site import Site

REFUSED = (sqlite3.IntegrityError, psycopg.IntegrityError)
_WORDS = (
    (re.compile(r"\bx'([0-9a-f]*)'"), r"'\\x\1'::bytea"),
    (re.compile(r"\bAS BLOB\b"), "AS BYTEA"),
    (re.compile(r"\bzeroblob\((\d+)\)"), r"decode(repeat('00', \1), 'hex')"),
    (
        re.compile(r"DROP TRIGGER (IF EXISTS )?(\w+?)_(no_\w+|(?:insert|update|delete)_forgets)$"),
        r"DROP TRIGGER \1\2_\3 ON \2",
    ),
)


class Tool:
    """One connection. Statements are SQLite's, with `?` for values; PostgreSQL gets its own."""

    def __init__(self, site: Site) -> None:
        self._on_server = bool(site.facts.registry)
        self._connection: Any = (
            psycopg.connect(site.facts.registry)
            if self._on_server
            else sqlite3.connect(Path(site.path) / REGISTRY_FILE)
        )

    def run(self, statement: str, *values: Any) -> list[Any]:
        """One statement; the rows that it gives. What it changed counts after `commit`."""
        if self._on_server:
            for pattern, word in _WORDS:
                statement = pattern.sub(word, statement)
            # the driver looks for places of values only where there are any
            statement = statement.replace("?", "%s") if values else statement
        cursor = self._connection.execute(statement, values or ((), None)[self._on_server])
        return cursor.fetchall() if cursor.description else []

    def commit(self) -> None:
        """Keep what was changed."""
        self._connection.commit()

    def close(self) -> None:
        """Leave; what was not kept is gone."""
        self._connection.close()


@contextmanager
def tool(site: Site) -> Iterator[Tool]:
    """A tool at work; its changes are kept where the block ends well."""
    opened = Tool(site)
    try:
        yield opened
        opened.commit()
    finally:
        opened.close()


def raw(site: Site, *statements: str) -> None:
    """These statements, all or none."""
    with tool(site) as opened:
        for statement in statements:
            opened.run(statement)
