"""Words about people beside the operators' log, which is append-only and must not hold them (host).

The log has the first 16 bytes of SHA-256(salt ‖ text) in hex; salt and text stand sealed beside it
and are deleted with the person or case. Until then nobody can put other words in their place, and
afterwards nobody can guess them.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from controller_tool.registry.records import LogText

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

_SALT_BYTES = 16
_ID_DIGITS = 32
_SUBJECTS = 500  # in one statement


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
        content = site.vault.open(LogText.__tablename__, row.id, "text", row.text_sealed)
        if _id(content) == row.id:
            found[row.id] = content[_SALT_BYTES:].decode()
    return found


def forget(session: Session, subjects: Collection[str]) -> None:
    """Delete what was said of them."""
    wanted = list(subjects)
    for first in range(0, len(wanted), _SUBJECTS):
        some = wanted[first : first + _SUBJECTS]
        session.execute(delete(LogText).where(LogText.subject.in_(some)))


def _id(content: bytes) -> str:
    return sha256(content).hexdigest()[:_ID_DIGITS]
