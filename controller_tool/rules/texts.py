"""Which texts people can read and tell apart (host, pure)."""

from __future__ import annotations

import unicodedata

# printable by Unicode, and nobody sees them: fillers, blank signs, joiners, selectors of a form
_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0x180B, 0x180E), *range(0xFE00, 0xFE10))))
)


def readable(text: str) -> bool:
    """No control characters, nothing that is not seen or turns the order of reading around."""
    return text.isprintable() and _UNSEEN.isdisjoint(text)


def code(text: str) -> str:
    """A number or code as it is kept and looked for: full-width signs are the same as narrow ones.

    Without blanks around it. Else one room could be there twice, each time with beds of its own.
    """
    return unicodedata.normalize("NFKC", text).strip()
