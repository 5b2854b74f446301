"""Words about people beside the operators' log, which is append-only and must not hold them (host).

The log has the first 16 bytes of SHA-256(salt ‖ text) in hex; salt and text stand sealed beside it
and are deleted with the person or case. Until then nobody can put other words in their place, and
afterwards nobody can guess them.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from controller_tool.errors import OperatorError
from controller_tool.registry.records import AuditEntry, LogText

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

NAMED = "text"  # of an entry whose words stand here
_SALT_BYTES = 16
_ID_DIGITS = 32
_SUBJECTS = 500  # in one statement
# acts, and where they name whom
_ERASED = {"person.erase": "persons", "case.erase": "cases", "house.erase": "houses"}


def keep(site: Site, session: Session, subject: str, text: str) -> str:
    """What an entry of the log names the text by; empty for none.

    subject: id of a person, or reference of a case or house.
    """
    if not text:
        return ""
    content = os.urandom(_SALT_BYTES) + text.encode()
    row_id = _id(content)
    sealed = site.vault.seal(LogText.__tablename__, row_id, "text", content)
    session.add(LogText(id=row_id, subject=subject, text_sealed=sealed))
    return row_id


def every(site: Site, session: Session) -> dict[str, str]:
    """All texts that were not deleted, by what the log names them by; changed ones are none."""
    found = {}
    for row in session.scalars(select(LogText)):
        content = _opened(site, row)
        if content is not None:
            found[row.id] = content[_SALT_BYTES:].decode()
    return found


def missing(site: Site, session: Session) -> tuple[int, ...]:
    """Numbers of the entries whose words are gone or others, and were not deleted by the rules.

    With a person, case or landlord their words go; a later entry of the log says so.
    """
    good = {row.id for row in session.scalars(select(LogText)) if _opened(site, row) is not None}
    erased: set[str] = set()
    found = []
    query = select(AuditEntry.id, AuditEntry.act, AuditEntry.details)
    for entry_id, act, details in session.execute(query.order_by(AuditEntry.id.desc())):
        if act not in _ERASED and f'"{NAMED}"' not in details:
            continue
        said = json.loads(details)
        if act in _ERASED:
            erased.update(said[_ERASED[act]])
            continue
        gone = bool(said.get(NAMED)) and said[NAMED] not in good
        if gone and not {said.get("person"), said.get("ref")} & erased:
            found.append(entry_id)
    return tuple(reversed(found))


def forget(session: Session, subjects: Collection[str]) -> None:
    """Delete what was said of them."""
    wanted = list(subjects)
    for first in range(0, len(wanted), _SUBJECTS):
        some = wanted[first : first + _SUBJECTS]
        session.execute(delete(LogText).where(LogText.subject.in_(some)))


def _opened(site: Site, row: LogText) -> bytes | None:
    """Salt and text; None when they are not what the log names."""
    try:
        content = site.vault.open(LogText.__tablename__, row.id, "text", row.text_sealed)
    except OperatorError:
        return None
    return content if _id(content) == row.id else None


def _id(content: bytes) -> str:
    return sha256(content).hexdigest()[:_ID_DIGITS]
