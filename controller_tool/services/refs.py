"""References that people say and write down: a letter and a number that never comes again (host).

Rows that carry one are never deleted, so the next number is one more than the highest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import InstrumentedAttribute, Session

_DIGITS = {"K": 6, "L": 6, "H": 5, "Z": 6, "C": 5}


def following(session: Session, column: InstrumentedAttribute[str], letter: str) -> str:
    """The next reference of a table; the caller holds the write lock until it is there."""
    digits = _DIGITS[letter]
    newest = session.scalar(select(func.max(column)))  # by the unique index
    if newest is None:
        return f"{letter}{1:0{digits}d}"
    if newest == letter + "9" * digits:  # longer ones come before it in the order of texts
        count = session.scalar(select(func.count()).select_from(column.class_)) or 0
        return f"{letter}{count + 1}"
    return f"{letter}{int(newest[1:]) + 1:0{digits}d}"


def run_of(session: Session, column: InstrumentedAttribute[str], letter: str) -> Iterator[str]:
    """The next references of a table one after another, for many rows at once."""
    number = int(following(session, column, letter)[1:])
    while True:
        yield f"{letter}{number:0{_DIGITS[letter]}d}"
        number += 1
