"""Triggers that migrations make, in the words of either database (host).

Frozen like the migrations that call them: what they make is never changed, only added to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import op

if TYPE_CHECKING:
    from collections.abc import Sequence

_REFUSE = """CREATE OR REPLACE FUNCTION registry_append_only() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$ LANGUAGE plpgsql"""


def keep(table: str, key: Sequence[str] = ("id",)) -> None:
    """From now on the rows of ``table`` are neither changed nor removed."""
    if _on_postgresql():
        op.execute(_REFUSE)
        for act, level in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"FOR EACH {level} EXECUTE FUNCTION registry_append_only()"
            )
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
    # INSERT OR REPLACE deletes without asking the triggers of DELETE
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608 - names of ours
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def after(name: str, act: str, table: str, what: str, changed: Sequence[str] = ()) -> None:
    """After ``act`` on a row of ``table`` (OLD, NEW), ``what`` is done.

    changed: of an UPDATE, only when one of these columns has another value than before.
    """
    differs = "IS DISTINCT FROM" if _on_postgresql() else "IS NOT"
    when = " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in changed)
    if not _on_postgresql():
        op.execute(
            f"CREATE TRIGGER {name} AFTER {act} ON {table} WHEN {when or 1} BEGIN {what}; END"
        )
        return
    op.execute(
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$\n"
        f"BEGIN {what}; RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name} AFTER {act} ON {table} FOR EACH ROW "
        f"WHEN ({when or 'true'}) EXECUTE FUNCTION {name}()"
    )


def drop(name: str, table: str) -> None:
    """Take back what `after` made, where it is."""
    if _on_postgresql():
        op.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        op.execute(f"DROP FUNCTION IF EXISTS {name}()")
    else:
        op.execute(f"DROP TRIGGER IF EXISTS {name}")


def _on_postgresql() -> bool:
    return bool(op.get_bind().dialect.name == "postgresql")
