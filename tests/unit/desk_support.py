"""A desk that rewrites what it has pulled, with its whole folder: K_tool and all keys (host)."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Any

from controller_tool.services.journal_words import RING_NAMES
from protocol import cbor, chain, oaep, sector_header, trust
from protocol.codes import KEY_AUDIT
from protocol.constants import AAD_CHECKPOINT, RECORD_BODY_BYTES, RING_ACCESS, RING_ALARM

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.services.site import Site

TABLES = ("journal_records", "journal_heads", "journal_sectors", "journal_checkpoints")


class Forger:
    """Rewrites both rings of a controller in the desk's registry, with everything that it can.

    k_audit: audit keys of its own, which it seals to the auditor's public key; without them the
    controller's audit tags stay where they were.
    """

    def __init__(self, desk: Site, name: str, k_audit: tuple[bytes, bytes] | None = None) -> None:
        self._desk = desk
        self._device = desk.device(name)
        self._audit = k_audit
        self._registry = sqlite3.connect(desk.path / "registry.sqlite")
        for table in (*TABLES, "audit"):
            for act in ("update", "delete", "replace"):
                self._registry.execute(f"DROP TRIGGER IF EXISTS {table}_no_{act}")

    def rewrite(self, edit: Callable[[list[bytes]], Any], ring: int = RING_ACCESS) -> None:
        """``edit`` the bodies of one ring; chain, tool tags, head and headers are made anew."""
        ends = [
            self._remake(number, edit if number == ring else None)
            for number in (RING_ACCESS, RING_ALARM)
        ]
        fields: list[Any] = [self._desk.id, self._device.id_bytes]
        for end in ends:
            fields += end
        envelope = self._desk.sign("checkpoint", AAD_CHECKPOINT, cbor.encode(fields))
        self._run("DELETE FROM journal_checkpoints")
        self._run("INSERT INTO journal_checkpoints VALUES (1, ?, ?, ?, ?, 1)", self._device.id,
                  ends[0][0], ends[1][0], envelope)  # fmt: skip
        self._seal()

    def forget_after(self, count: int) -> None:
        """Records, heads, checkpoints and the operators' log, as if nothing had come later."""
        self._run("DELETE FROM journal_records WHERE ring = 0 AND seq >= ?", count)
        self._run("DELETE FROM journal_heads WHERE ring = 0 AND next_seq > ?", count)
        self._run("DELETE FROM journal_sectors WHERE ring = 0 AND first_seq > ?", count)
        self._run("DELETE FROM journal_checkpoints WHERE access_seq > ?", count)
        self._run("DELETE FROM audit WHERE act = 'journal.head'")

    def forget_before(self, first: int, ring: int, vouchers: bool) -> None:
        """The oldest records with their sector headers; vouchers: and what says they were held."""
        self._run("DELETE FROM journal_records WHERE ring = ? AND seq < ?", ring, first)
        self._run("DELETE FROM journal_sectors WHERE ring = ? AND first_seq < ?", ring, first)
        if vouchers:
            self._run("DELETE FROM journal_heads WHERE id NOT IN (SELECT max(id) FROM journal_heads"
                      " GROUP BY ring)")  # fmt: skip
            self._run("DELETE FROM journal_checkpoints")

    def _remake(self, ring: int, edit: Callable[[list[bytes]], Any] | None) -> list[Any]:
        rows = self._registry.execute(
            "SELECT record FROM journal_records WHERE ring = ? ORDER BY seq", (ring,)
        ).fetchall()
        held = [row[0] for row in rows]
        bodies = [record[:RECORD_BODY_BYTES] for record in held]
        if edit is not None:
            edit(bodies)
        bodies = [n.to_bytes(4, "big") + body[4:] for n, body in enumerate(bodies)]
        c = chain.start(self._desk.id, self._device.id_bytes, ring)
        keys = [self._desk.secret(self._device, f"k_tool_{RING_NAMES[ring]}")]
        keys += [self._audit[ring]] if self._audit else []
        headers = {row[0]: row[1] for row in self._registry.execute(
            "SELECT first_seq, header FROM journal_sectors WHERE ring = ?", (ring,))}  # fmt: skip
        self._run("DELETE FROM journal_records WHERE ring = ?", ring)
        for n, body in enumerate(bodies):
            if n in headers:
                self._header(ring, headers[n], c, keys)
            c = chain.link(c, body)
            tags = b"".join(chain.tag(chain.tag_key(k), c) for k in keys)
            kept = held[n][RECORD_BODY_BYTES + len(tags) :] if n < len(held) else os.urandom(8)
            self._run("INSERT INTO journal_records VALUES (?, ?, ?, 1, ?, 1)", self._device.id,
                      ring, n, body + tags + kept)  # fmt: skip
            keys = [chain.evolve(k) for k in keys]
        self._head(ring, len(bodies), c, keys)
        return [len(bodies), c]

    def _header(self, ring: int, old: bytes, c: bytes, keys: list[bytes]) -> None:
        parts = sector_header.unpack(old)
        assert parts is not None
        made = sector_header.pack(
            ring, parts.boot, parts.sector_seq, parts.first_seq, c, keys[0], keys[-1]
        )
        made = made if self._audit else made[:56] + old[56:]
        self._run("UPDATE journal_sectors SET header = ? WHERE ring = ? AND first_seq = ?", made,
                  ring, parts.first_seq)  # fmt: skip

    def _head(self, ring: int, n: int, c: bytes, keys: list[bytes]) -> None:
        nonce = os.urandom(16)
        macs = [chain.head_mac(k, nonce, ring, n, c, 0) for k in keys]
        macs += [os.urandom(16)] * (2 - len(macs))
        self._run("DELETE FROM journal_heads WHERE ring = ?", ring)
        self._run("INSERT INTO journal_heads VALUES (?, ?, ?, ?, ?, ?, 0, 1, ?, ?, 1)", 100 + ring,
                  self._device.id, ring, nonce, n, c, *macs)  # fmt: skip

    def _seal(self) -> None:
        if self._audit is None:
            return
        [modulus] = trust.verify(self._desk.trust_object()).moduli(KEY_AUDIT)
        sealed = [oaep.seal(modulus, key, os.urandom) for key in self._audit]
        self.hold_keys((sealed[0], sealed[1]))

    def _run(self, statement: str, *values: Any) -> None:
        with self._registry:
            self._registry.execute(statement, values)

    def forget_keys(self) -> None:
        """As a folder that was exported before the controller was enrolled."""
        self._registry.execute("DROP TRIGGER IF EXISTS audit_pins_no_delete")
        self._run("DELETE FROM audit_pins")
        self.hold_keys((None, None))

    def hold_keys(self, sealed: tuple[bytes | None, bytes | None]) -> None:
        """Put these sealed audit keys into the registry."""
        self._run("UPDATE devices SET k_audit_access = ?, k_audit_alarm = ?", *sealed)

    def close(self) -> None:
        self._registry.close()
