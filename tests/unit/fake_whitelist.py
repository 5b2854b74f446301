"""A controller's lists on CPython: checks, base, overlay and receipts as the device does (host).

It answers the operations of lists with protocol.cose, manifest, deltas, cards and receipt, and is
as strict as they are. `Wire` is its open session; a test sets `dies_at` (requests until the wire
breaks), `arrives` (the controller did what it was asked last, its answer was lost) and `refuse`
(codes to answer a delta with). `rot` changes what is stored behind its back.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from controller_tool import clock
from controller_tool.channel.session import refusal
from controller_tool.client import Client
from controller_tool.errors import LinkError
from protocol import card_digest, cards, cose, deltas, manifest, messages, receipt, trust
from protocol import codes as c
from protocol.constants import (
    AAD_MANIFEST,
    CARD_RECORD_BYTES,
    FLAG_ABSENT,
    FLAG_REVOKED,
    OVERLAY_RECORDS_MAX,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pytest

    from controller_tool.services.site import Site
    from tests.unit.registry_support import Board


@dataclass
class Held:
    """The list in force."""

    version: int = 0
    digest: bytes = bytes(32)
    records: bytes = b""
    overlay: int = 0

    @property
    def count(self) -> int:
        return len(self.records) // CARD_RECORD_BYTES


class FakeWhitelist:
    """One controller. `kinds`: of the lists that it has put into force, in their order."""

    def __init__(self, board: Board, capacity: int = 20_000) -> None:
        self.site, self.device = board.site.id, board.device.id_bytes
        self.name = board.device.name
        self.keys = trust.verify(board.site.trust_object()).moduli(c.KEY_WHITELIST)
        self.receipt_key = board.receipt_key
        self.capacity = capacity
        self.held = Held()
        self.floor = self.issued_s = 0
        self.kinds: list[int] = []
        self.wires = 0
        self.dies_at: int | None = None
        self.arrives = False
        self.refuse: list[int] = []
        self.without_deltas = False
        self.clock_is_off_s = 0
        self.set_time_refused: int | None = None
        self._coming: tuple[bytes, manifest.Manifest] | None = None
        self._payload = b""

    # --- what a test does to it, and sees in it ---------------------------------------------

    def restart(self) -> None:
        """Power went and came: what had not been put into force is lost."""
        self._coming, self._payload = None, b""

    def merge(self) -> None:
        """Base and overlay became one."""
        self.held.overlay = 0

    def live(self) -> set[bytes]:
        """Keys of the cards that open something."""
        found = deltas.by_key(self.held.records)
        return {key for key, rec in found.items() if not cards.flags(rec) & FLAG_REVOKED}

    def rot(self, key: bytes, record: bytes | None) -> None:
        """Another record, or none, lies there than was signed."""
        found = {**deltas.by_key(self.held.records), key: record}
        self.held.records = b"".join(rec for _, rec in sorted(found.items()) if rec)

    # --- operations -------------------------------------------------------------------------

    def answer(self, operation: int, *arguments: Any) -> Any:
        messages.check_args(operation, arguments)
        handlers: dict[int, Callable[..., Any]] = {
            c.OP_GET_STATE: self._state,
            c.OP_GET_TIME: self._time,
            c.OP_SET_TIME: self._set_time,
            c.OP_LIST_BEGIN: self._begin,
            c.OP_LIST_CHUNK: self._chunk,
            c.OP_LIST_COMMIT: self._commit,
            c.OP_GET_RECEIPT: self._receipt,
            c.OP_GET_BUCKETS: self._buckets,
            c.OP_GET_RECORDS: self._records,
        }
        return handlers[operation](*arguments)

    def _state(self) -> list[Any]:
        held = self.held
        fields = [1, held.version, held.digest, held.count, 1, False, c.CLOCK_SYNCED,
                  clock.now_s()]  # fmt: skip
        return fields if self.without_deltas else [*fields, held.overlay]

    def _time(self) -> list[int]:
        return [clock.now_s() + self.clock_is_off_s, 0, c.CLOCK_SYNCED, self.issued_s]

    def _set_time(self, time_s: int) -> list[int]:
        if self.set_time_refused is not None:
            raise messages.Refused(self.set_time_refused)
        self.clock_is_off_s = time_s - clock.now_s()
        return self._time()

    def _begin(self, envelope: bytes) -> int:
        if self._coming is not None and self._coming[0] == envelope:
            return len(self._payload)
        m = manifest.parse(bytes(cose.verify(envelope, AAD_MANIFEST, self.keys)))
        if m.kind == c.LIST_DELTA and self.refuse:
            raise messages.Refused(self.refuse.pop())
        base = (0, b"") if self.without_deltas else (self.held.version, self.held.digest)
        manifest.check(
            m, self.site, self.device, 1, self.floor, clock.now_s(), c.CLOCK_SYNCED,
            self.issued_s, self.capacity, *base,
        )  # fmt: skip
        if m.kind == c.LIST_DELTA:
            changes = m.payload_bytes // CARD_RECORD_BYTES
            if self.held.overlay + changes > OVERLAY_RECORDS_MAX:
                raise messages.Refused(c.ERR_CAPACITY)
        self._coming, self._payload = (envelope, m), b""
        return 0

    def _chunk(self, offset: int, data: bytes) -> int:
        if self._coming is None or offset != len(self._payload):
            raise messages.Refused(c.ERR_STATE)
        self._payload += data
        return len(self._payload)

    def _commit(self, nonce: bytes) -> bytes:
        if self._coming is None or len(self._payload) != self._coming[1].payload_bytes:
            raise messages.Refused(c.ERR_STATE)
        m, payload = self._coming[1], self._payload
        self.restart()
        if sha256(payload).digest() != m.payload_sha256:
            raise messages.Refused(c.ERR_DIGEST)
        records, overlay = self._result(m, payload)
        taken = card_digest.Digest([profile[0] for profile in m.profiles])
        taken.update(records)
        if (taken.digest(), taken.count) != (m.result_digest, m.count):
            raise messages.Refused(c.ERR_DIGEST)
        self.held = Held(m.version, m.result_digest, records, overlay)
        self.floor, self.issued_s = m.version, m.issued_at_s
        self.kinds.append(m.kind)
        return self._receipt(nonce)

    def _result(self, m: manifest.Manifest, payload: bytes) -> tuple[bytes, int]:
        """The records after it, and how many lie beside the base."""
        if m.kind == c.LIST_FULL:
            return payload, 0
        changes = deltas.by_key(payload)
        if list(changes) != sorted(changes):
            raise messages.Refused(c.ERR_ORDER)
        for key, record in changes.items():
            if cards.flags(record) & FLAG_ABSENT and record != deltas.absent(key):
                raise messages.Refused(c.ERR_BOUNDS)
        return deltas.applied(self.held.records, payload), self.held.overlay + len(changes)

    def _receipt(self, nonce: bytes) -> bytes:
        return receipt.make(
            self.receipt_key, self.site, self.device, 1, 1, self.held.version, self.held.digest,
            0, nonce,
        )  # fmt: skip

    def _buckets(self, first: int, count: int) -> bytes:
        if not self.held.version:
            raise messages.Refused(c.ERR_STATE)
        return b"".join(list(deltas.bucket_hashes(self.held.records))[first : first + count])

    def _records(self, bucket: int, skip: int, count: int) -> bytes:
        found = [rec for key, rec in deltas.by_key(self.held.records).items() if key[0] == bucket]
        return b"".join(found[skip : skip + count])


class Wire:
    """An open session with it, as channel.session.Session is one."""

    def __init__(self, device: FakeWhitelist) -> None:
        self._device = device
        self.device_name = device.name
        self.sent_bytes = self.received_bytes = 0

    def call(self, op: int, *args: Any, timeout_s: float = 0.0) -> Any:  # noqa: ARG002 - as it is
        device = self._device
        if device.dies_at is not None:
            device.dies_at -= 1
        if device.dies_at is not None and device.dies_at < 0:
            device.dies_at = None
            if device.arrives:
                self._try(op, *args)
            raise LinkError("broken")
        try:
            return device.answer(op, *args)
        except messages.Refused as refused:
            raise refusal(device.name, op, refused.code) from None

    def _try(self, op: int, *args: Any) -> None:
        try:
            self._device.answer(op, *args)
        except messages.Refused:
            return

    def pipeline(
        self, requests: Iterable[tuple[int, list[Any]]], _timeout_s: float = 0.0
    ) -> Iterator[tuple[int, Any]]:
        for op, args in requests:
            self.sent_bytes += sum(len(arg) for arg in args if isinstance(arg, bytes))
            yield op, self.call(op, *args)

    def close(self) -> None:
        """Nothing to let go of."""


def connect(monkeypatch: pytest.MonkeyPatch, *devices: FakeWhitelist) -> None:
    """Whoever dials a controller of that name reaches it; any other is out of reach."""
    known = {device.name: device for device in devices}

    @contextmanager
    def dial(_site: Site, row: Any, *_: Any, **__: Any) -> Iterator[Client]:
        if row.name not in known:
            raise LinkError("nobody there")
        known[row.name].wires += 1
        yield Client(Wire(known[row.name]))  # type: ignore[arg-type]

    for module in ("push", "compare"):
        monkeypatch.setattr(f"controller_tool.services.{module}.dial", dial)
