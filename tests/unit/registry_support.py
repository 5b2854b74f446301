"""A controller's side of receipts and journals, written with the device's own code (host)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from controller_tool.services import devices, lists
from protocol import chain, oaep, receipt, records, sector_header, trust
from protocol.codes import CLOCK_SYNCED, EVENT_GRANTED, KEY_AUDIT, REASON_CARD
from protocol.constants import RECORD_BODY_BYTES, RECORD_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.registry.models import Device
    from controller_tool.services.devices import NewDevice
    from controller_tool.services.lists import SignedList
    from controller_tool.services.site import Site

PASSPHRASE = "only for these tests"
BOARD = "virtual_door"


@dataclass
class Pen:
    """Writes one ring as firmware/ring.py does; `pages` are what a pull would bring."""

    site: bytes
    device: bytes
    ring: int
    k_tool: bytes
    k_audit: bytes
    written: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.c = chain.start(self.site, self.device, self.ring)
        self.keys = [self.k_tool, self.k_audit]

    def write(
        self,
        event: int = EVENT_GRANTED,
        reason: int = REASON_CARD,
        key: bytes = bytes(8),
        **more: int,
    ) -> bytes:
        """One record. more: time_s (else a second later), ms, quality, point, version, extra."""
        body = bytearray(RECORD_BODY_BYTES)
        seq = len(self.written)
        records.pack_into(
            body, 0, seq, 1, event, reason,
            more.pop("time_s", 200_000_000 + seq), more.pop("ms", 5),
            more.pop("quality", CLOCK_SYNCED), more.pop("point", 0),
            chain.masked(key, self.keys[0]), more.pop("version", 1), more.pop("extra", 0),
        )  # fmt: skip
        assert not more, more
        self.c = chain.link(self.c, body)
        tags = b"".join(chain.tag(chain.tag_key(k), self.c) for k in self.keys)
        self.keys = [chain.evolve(k) for k in self.keys]
        self.written.append(bytes(body) + tags)
        assert len(self.written[-1]) == RECORD_BYTES
        return self.written[-1]

    def sector(self, sector_seq: int = 0) -> bytes:
        """Header of a sector that the next record will begin."""
        n = len(self.written)
        return sector_header.pack(self.ring, 1, sector_seq, n, self.c, self.keys[0], self.keys[1])

    def head(self, nonce: bytes, oldest: int = 0) -> list[Any]:
        n = len(self.written)
        macs = [chain.head_mac(k, nonce, self.ring, n, self.c, oldest) for k in self.keys]
        return [self.ring, n, self.c, oldest, 1, *macs]


class Board:
    """What a provisioned controller knows: enough to answer with receipts and journals."""

    def __init__(self, site: Site, name: str, again: bool = False, board: str = BOARD) -> None:
        self.site = site
        self.new: NewDevice = devices.create(site, name, board, again=again)
        self.receipt_key = site.secret(self.new.device, "receipt_key")
        self.audit_keys = (os.urandom(16), os.urandom(16))
        [modulus] = trust.verify(site.trust_object()).moduli(KEY_AUDIT)
        sealed = [oaep.seal(modulus, key, os.urandom) for key in self.audit_keys]
        devices.mark_enrolled(site, self.device, (sealed[0], sealed[1]), {"firmware": "test"})

    @property
    def device(self) -> Device:
        return self.site.device(self.new.device.name)

    def pen(self, ring: int) -> Pen:
        name = ("k_tool_access", "k_tool_alarm")[ring]
        k_tool = self.site.secret(self.new.device, name)
        return Pen(self.site.id, self.device.id_bytes, ring, k_tool, self.audit_keys[ring])

    def receipt(self, version: int, digest: bytes, nonce: bytes, epoch: int = 1) -> bytes:
        return receipt.make(
            self.receipt_key, self.site.id, self.device.id_bytes, epoch, 1, version, digest, 0,
            nonce,
        )  # fmt: skip

    def take(self, signed: SignedList, proven: bool = True) -> None:
        """The list was sent and put into force; ``proven``: its receipt came through."""
        lists.mark_sent(self.site, self.device, signed.version)
        if proven:
            nonce = os.urandom(16)
            data = self.receipt(signed.version, signed.digest, nonce)
            assert lists.record_receipt(self.site, self.device, data, nonce) == signed.version

    def next(self, force: bool = False) -> SignedList:
        """The list that the controller should get: there must be one."""
        signed = lists.next_for(self.site, self.device, force)
        assert signed is not None
        return signed

    def update(self) -> SignedList:
        """What `push` does, with a wire that works."""
        signed = self.next()
        self.take(signed)
        return signed


def private_keys(folder: Path) -> set[str]:
    """Every private key in a folder, wherever it lies and whatever it is called."""
    return {
        path.stem
        for path in folder.rglob("*")
        if path.is_file() and b"PRIVATE KEY" in path.read_bytes()
    }
