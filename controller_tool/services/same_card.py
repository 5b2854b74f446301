"""Whether two readings may be of one card, and how one reader cuts or turns what another shows
(host, pure).

Readers disagree on byte order and length: a Wiegand-26 reader sends three bytes of a four-byte UID,
some send them reversed, a reader that asks for one cascade level alone sends 88 and three bytes of
a longer UID. A controller keys its list by type, length and bytes, so each form is another
credential. Relations, in the order in which they are tried; the first that holds is the answer:

- same: type and bytes are equal; bytes: equal, under another type
- reversed: the bytes in the other order
- cascade: 88 and the first three bytes of a longer UID
- tail or head: the last or first bytes of the longer one, the shorter having three at least
- tail_reversed or head_reversed: those in the other order
- none of these: another card, or a form that is not known here
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller_tool.credentials import Credential

SAME, BYTES, REVERSED, CASCADE = "same", "bytes", "reversed", "cascade"
TAIL, HEAD = "tail", "head"
TAIL_REVERSED, HEAD_REVERSED = "tail_reversed", "head_reversed"
OTHER = "other"
_SHORTEST_BYTES = 3  # of a Wiegand-26 frame; fewer are shared by too many cards
_CASCADE_TAG = 0x88
_CASCADE_BYTES = 4


@dataclass(frozen=True)
class Relation:
    """How the shorter reading comes from the longer one.

    how: one of the names above; shared_bits: bits that both have, so that one other card in
    2 ** shared_bits would show the same.
    """

    how: str
    shared_bits: int

    @property
    def may_be_one(self) -> bool:
        """Whether both may be one card."""
        return self.how != OTHER


def compare(one: Credential, other: Credential) -> Relation:
    """The relation of two readings; it is the same whichever comes first."""
    short, long = sorted((one.data, other.data), key=len)
    bits = 8 * len(short)
    if short == long:
        return Relation(SAME if one.type == other.type else BYTES, bits)
    if len(short) == len(long):
        return Relation(REVERSED, bits) if short == long[::-1] else Relation(OTHER, 0)
    if len(short) == _CASCADE_BYTES and short == bytes((_CASCADE_TAG,)) + long[:3]:
        return Relation(CASCADE, bits - 8)
    if len(short) >= _SHORTEST_BYTES:
        forms = (
            (TAIL, long[-len(short) :]),
            (HEAD, long[: len(short)]),
            (TAIL_REVERSED, long[-len(short) :][::-1]),
            (HEAD_REVERSED, long[: len(short)][::-1]),
        )
        for how, part in forms:
            if short == part:
                return Relation(how, bits)
    return Relation(OTHER, 0)
