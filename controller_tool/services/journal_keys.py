"""K_tool before each record of a ring: hashed on from the nearest one that is kept, sealed (host).

Each record's key field is masked with a K_tool of its own, which only hashing from an earlier one
gives. The first lies with the controller's other secrets; cursors keep some that come later.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from controller_tool.errors import OperatorError
from controller_tool.registry.derived import JournalCursor
from protocol.constants import CHAIN_KEY_BYTES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.registry.sealing import Vault
    from controller_tool.services.site import Site

_K_NAMES = ("k_tool_access", "k_tool_alarm")
_CURSOR_EVERY = 1 << 14
_REACH = 1 << 22  # numbers that are hashed over for one record, two seconds of work


@dataclass(frozen=True)
class Stream:
    """One ring of one controller as the index numbers it; k_tool: before record 0, if held."""

    id: int
    device_id: str
    ring: int
    k_tool: bytes | None


def unmasks(device: Device, ring: int) -> bool:
    """Whether this folder can tell whose card a record of that ring is of."""
    return getattr(device, f"{_K_NAMES[ring]}_sealed") is not None


def stream_of(site: Site, device: Device, ring: int, stream_id: int) -> Stream:
    """With the first K_tool where this folder has it."""
    k_tool = site.secret(device, _K_NAMES[ring]) if unmasks(device, ring) else None
    return Stream(stream_id, device.id, ring, k_tool)


class Keys:
    """K_tool before each of rising numbers, from the nearest cursor on."""

    def __init__(self, vault: Vault | None, session: Session, stream: Stream) -> None:
        self._vault = vault
        self._session = session
        self._stream = stream
        self._seq = -1
        self._key = b""
        self._passed: dict[int, bytes] = {}

    def before(self, seq: int) -> bytes | None:
        """The key; None where there is none, or the number is too far off to be true."""
        if self._vault is None:
            return None
        if self._seq < 0:
            self._start(self._vault, seq)
        if seq - self._seq > _REACH:
            return None
        for number in range(self._seq, seq):
            if number % _CURSOR_EVERY == 0:
                self._passed[number] = self._key
            self._key = sha256(b"\x01" + self._key).digest()[:CHAIN_KEY_BYTES]  # chain.evolve
        self._seq = seq
        return self._key

    def keep(self, end: int) -> None:
        """Write down where this came to, for the records that come next."""
        if self._vault is None or self.before(end) is None:
            return
        kept = {**self._passed, end: self._key}
        held = select(JournalCursor.seq).where(JournalCursor.stream_id == self._stream.id)
        there = set(self._session.scalars(held))
        gone = [seq for seq in there if seq % _CURSOR_EVERY and seq < end]
        self._session.execute(
            delete(JournalCursor).where(
                JournalCursor.stream_id == self._stream.id, JournalCursor.seq.in_(gone)
            )
        )
        self._session.add_all(
            JournalCursor(
                stream_id=self._stream.id,
                seq=seq,
                k_tool_sealed=self._vault.seal(*self._place(seq), key),
            )
            for seq, key in kept.items()
            if seq and seq not in there
        )
        self._session.flush()

    def _start(self, vault: Vault, seq: int) -> None:
        query = (
            select(JournalCursor)
            .where(JournalCursor.stream_id == self._stream.id, JournalCursor.seq <= seq)
            .order_by(JournalCursor.seq.desc())
        )
        nearest = self._session.scalar(query.limit(1))
        self._seq, self._key = 0, self._stream.k_tool or b""
        if nearest is None:
            return
        try:
            self._key = vault.open(*self._place(nearest.seq), nearest.k_tool_sealed)
            self._seq = nearest.seq
        except OperatorError:  # somebody changed it: evidence is stored all the same
            self._session.delete(nearest)
            self._session.flush()

    def _place(self, seq: int) -> tuple[str, str, str]:
        """What the seal is bound to: the ring itself, for numbers of streams are given anew."""
        return "journal_cursors", f"{self._stream.device_id}/{self._stream.ring}/{seq}", "k_tool"
