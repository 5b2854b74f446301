"""A controller's operations as methods (host).

One `Client` is one open session. Each method is one request of docs/protocol.md section 6 and
returns plain values; all raise DeviceError when the controller refuses and LinkError when the
wire fails.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from controller_tool.errors import DeviceError
from controller_tool.messages import t
from controller_tool.wire_shapes import (
    SECTORS_MAX,
    answering,
    continues,
    headers_of,
    is_head,
    slots_of,
)
from protocol import codes as c
from protocol.constants import (
    BUCKETS,
    BUCKETS_A_PAGE,
    CARD_RECORD_BYTES,
    CHUNK_BYTES,
    ENERGY_PAGE_SLOTS,
    JOURNAL_PAGE_RECORDS,
    NONCE_BYTES,
    OVERLAY_RECORDS_MAX,
    RECORDS_A_PAGE,
    RSA_BYTES,
    SECTOR_HEADER_BYTES,
    SECTOR_HEADERS_A_PAGE,
)

if TYPE_CHECKING:
    from types import TracebackType

    from controller_tool.channel.session import Session
    from protocol import cbor

Progress = Callable[[int, int], None]
_HASH_BYTES = 32
_COMMIT_S = 30.0  # a full check of 20 000 cards on an ESP32 takes some seconds


@dataclass(frozen=True)
class DeviceState:
    """What a controller says of its list and clock (`get_state`).

    overlay: changes that it holds beside its base; one that does not say takes no deltas.
    """

    epoch: int
    version: int
    digest: bytes
    count: int
    trust_version: int
    stale: bool
    clock_quality: int
    time_s: int
    overlay: int = OVERLAY_RECORDS_MAX + 1


@dataclass(frozen=True)
class DeviceTime:
    """A controller's clock: seconds and milliseconds since 2020, quality, floor."""

    time_s: int
    ms: int
    clock_quality: int
    floor_s: int


@dataclass(frozen=True)
class DeviceConfig:
    """The configuration of a controller (`get_config`); version 0: none was ever signed for it.

    in_force: False until its session is over and its door at rest; settings: by their numbers,
    without those in ``secrets``, which are set and never told.
    """

    epoch: int
    version: int
    in_force: bool
    settings: dict[int, Any]
    secrets: list[int]


@dataclass(frozen=True)
class Head:
    """One ring's authenticated head, for the nonce that was asked with."""

    nonce: bytes
    value: list[Any]

    @property
    def next_seq(self) -> int:
        """Sequence number of the record that comes next."""
        return int(self.value[1])

    @property
    def oldest_seq(self) -> int:
        """The oldest record that the ring still holds."""
        return int(self.value[3])


class Client:
    """Operations on one controller; a context manager that closes the session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.clock_in_step = False  # a session lasts ten minutes: once is enough

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the session."""
        self.session.close()

    def info(self) -> dict[str, Any]:
        """Identity, firmware, counters and health, as docs/protocol.cddl `info` has them."""
        return cast("dict[str, Any]", self.session.call(c.OP_GET_INFO))

    def state(self) -> DeviceState:
        """The list in force and the clock."""
        return DeviceState(*cast("list[Any]", self.session.call(c.OP_GET_STATE)))

    def self_test(self) -> dict[str, bool]:
        """Name of each check and whether it passed."""
        value = self.session.call(c.OP_SELF_TEST, timeout_s=_COMMIT_S)
        return cast("dict[str, bool]", value)

    def time(self) -> DeviceTime:
        """The controller's clock."""
        return DeviceTime(*cast("list[Any]", self.session.call(c.OP_GET_TIME)))

    def set_time(self, time_s: int) -> None:
        """Sets the clock; ERR_TIME_REACH when it is further than the floor + 24 h."""
        self.session.call(c.OP_SET_TIME, time_s)

    def set_signed_time(self, envelope: bytes) -> None:
        """Sets the clock as far as it takes; the envelope answers a nonce of `nonce`."""
        self.session.call(c.OP_SET_SIGNED_TIME, envelope)

    def nonce(self) -> bytes:
        """16 bytes, good once and for 30 s, to be put into a ticket or a signed time."""
        return cast("bytes", self.session.call(c.OP_GET_NONCE))

    def do_ticket(self, envelope: bytes) -> None:
        """Carries out a signed ticket."""
        self.session.call(c.OP_DO_TICKET, envelope)

    def ping(self) -> None:
        """Keeps the session from going idle."""
        self.session.call(c.OP_PING)

    def begin_list(self, envelope: bytes) -> int:
        """Announces a signed list; the offset from which its payload is wanted, in bytes."""
        return cast("int", self.session.call(c.OP_LIST_BEGIN, envelope))

    def put_list(
        self, envelope: bytes, payload: bytes, offset: int = 0, progress: Progress | None = None
    ) -> tuple[bytes, bytes]:
        """Sends a list and puts it into force; the nonce asked with and the receipt.

        offset: what `begin_list` said; 0: the list is announced here, together with its first
        chunk, for a controller that cannot know any of it.
        """
        nonce = os.urandom(NONCE_BYTES)
        replies = self.session.pipeline(_list_requests(envelope, payload, offset, nonce), _COMMIT_S)
        for op, value in replies:
            if op == c.OP_LIST_COMMIT:
                return nonce, cast("bytes", value)
            if progress is not None:
                progress(cast("int", value), len(payload))
        raise AssertionError("a pipeline answers every request")

    def receipt(self) -> tuple[bytes, bytes]:
        """A receipt for the list in force; the nonce asked with and the receipt."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce, cast("bytes", self.session.call(c.OP_GET_RECEIPT, nonce))

    def buckets(self) -> list[bytes]:
        """The 256 bucket hashes of what is stored there now."""
        found: list[bytes] = []
        while len(found) < BUCKETS:
            count = min(BUCKETS_A_PAGE, BUCKETS - len(found))
            page = self.session.call(c.OP_GET_BUCKETS, len(found), count, timeout_s=_COMMIT_S)
            if not isinstance(page, bytes) or len(page) != count * _HASH_BYTES:
                raise self._unreadable()
            found += [page[at : at + _HASH_BYTES] for at in range(0, len(page), _HASH_BYTES)]
        return found

    def bucket_records(self, bucket: int) -> bytes:
        """The card records of one bucket as they are stored there now, sorted by key.

        DeviceError when what comes is not that; dates and flags are not judged.
        """
        found = b""
        while True:
            skip = len(found) // CARD_RECORD_BYTES
            page = self.session.call(c.OP_GET_RECORDS, bucket, skip, RECORDS_A_PAGE)
            if not isinstance(page, bytes) or not continues(found, page, bucket):
                raise self._unreadable()
            found += page
            if len(page) < RECORDS_A_PAGE * CARD_RECORD_BYTES:
                return found

    def head(self, ring: int) -> Head:
        """The ring's head, authenticated for a fresh nonce.

        DeviceError unless it has the shape of one, and reaches no further than a ring does.
        """
        nonce = os.urandom(NONCE_BYTES)
        value = self.session.call(c.OP_JOURNAL_HEAD, ring, nonce)
        if not is_head(value, ring):
            raise self._unreadable()
        return Head(nonce, cast("list[Any]", value))

    def records(self, ring: int, ranges: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        """Pages of whole records of these half-open ranges, two requests under way.

        A page is another one than was asked for when the ring went on meanwhile: ask again then.
        What is not in the ranges' span, or damaged beyond belief, is left out.
        """
        asked: deque[range] = deque()

        def requests() -> Iterator[tuple[int, list[cbor.Value]]]:
            for first, end in ranges:
                for seq in range(first, end, JOURNAL_PAGE_RECORDS):
                    asked.append(range(seq, min(seq + JOURNAL_PAGE_RECORDS, end)))
                    yield c.OP_JOURNAL_READ, [ring, seq, len(asked[-1])]

        if not ranges:
            return
        wanted = range(min(first for first, _ in ranges), max(end for _, end in ranges))
        for _, page in self.session.pipeline(requests()):
            kept = answering(page, asked.popleft(), wanted) if isinstance(page, bytes) else None
            if kept is None:
                raise self._unreadable()
            yield kept

    def sector_headers(self, ring: int, first_seq: int, end_seq: int) -> Iterator[bytes]:
        """Pages of whole sector headers, from that of the sector of ``first_seq`` on.

        What is no header of this ring, or begins behind ``end_seq``, is left out: flash rots.
        """
        for _ in range(SECTORS_MAX // (SECTOR_HEADERS_A_PAGE - 1) + 1):
            page = self.session.call(c.OP_JOURNAL_SECTORS, ring, first_seq, SECTOR_HEADERS_A_PAGE)
            if not isinstance(page, bytes) or len(page) % SECTOR_HEADER_BYTES:
                raise self._unreadable()
            kept, newest = headers_of(page, ring, end_seq)
            yield kept
            if len(page) < SECTOR_HEADERS_A_PAGE * SECTOR_HEADER_BYTES or newest < first_seq:
                return
            first_seq = newest + 1
        raise self._unreadable()  # no ring has so many

    def audit_key(self, ring: int) -> bytes:
        """The audit key of a ring as the controller itself sealed it to the auditor."""
        sealed = self.session.call(c.OP_GET_AUDIT_KEY, ring)
        if not isinstance(sealed, bytes) or len(sealed) != RSA_BYTES:
            raise self._unreadable()
        return sealed

    def put_trust(self, data: bytes) -> None:
        """Sends a trust object; ERR_STATE while a list is in force whose key it does not know."""
        for at in range(0, len(data), CHUNK_BYTES):
            piece = data[at : at + CHUNK_BYTES]
            self.session.call(c.OP_PUT_TRUST, at, len(data), piece, timeout_s=_COMMIT_S)

    def begin_firmware(self, role: int, envelope: bytes) -> int:
        """What a firmware or root key (KEY_*) signed of a pack; where its bytes are wanted from."""
        return cast("int", self.session.call(c.OP_FIRMWARE_BEGIN, role, envelope))

    def put_firmware(self, pack: bytes, offset: int, progress: Progress | None = None) -> None:
        """Sends the pack's bytes from ``offset`` on."""
        requests = (
            (c.OP_FIRMWARE_CHUNK, [at, pack[at : at + CHUNK_BYTES]])
            for at in range(offset, len(pack), CHUNK_BYTES)
        )
        for _, reached in self.session.pipeline(requests, _COMMIT_S):
            if progress is not None:
                progress(cast("int", reached), len(pack))

    def commit_firmware(self) -> None:
        """Has the pack proven and put on trial; the controller restarts then."""
        self.session.call(c.OP_FIRMWARE_COMMIT, timeout_s=_COMMIT_S)

    def prove_firmware(self) -> dict[str, bool]:
        """Each check of a firmware on trial; it stays if all passed. ERR_STATE if it is on none."""
        value = self.session.call(c.OP_FIRMWARE_PROVE, timeout_s=_COMMIT_S)
        return cast("dict[str, bool]", value)

    def put_checkpoint(self, envelope: bytes) -> None:
        """Tells the controller what the desk has stored, signed by the checkpoint key."""
        self.session.call(c.OP_PUT_CHECKPOINT, envelope)

    def config(self) -> DeviceConfig:
        """The configuration that it keeps."""
        return DeviceConfig(*cast("list[Any]", self.session.call(c.OP_GET_CONFIG)))

    def put_config(self, envelope: bytes) -> int:
        """Sends a signed configuration; its version. DeviceError names the refused setting."""
        return cast("int", self.session.call(c.OP_PUT_CONFIG, envelope, timeout_s=_COMMIT_S))

    def credential(self) -> list[Any] | None:
        """[type, bits, bytes, reader] of the card of an enrolment; None as long as there is none.

        ERR_STATE once the time for it is over.
        """
        return cast("list[Any] | None", self.session.call(c.OP_GET_CREDENTIAL))

    def ports(self) -> object:
        """How a charger's station and ports are, as docs/protocol.cddl `ports` has it; unchecked.

        ERR_UNKNOWN_OPERATION from a door.
        """
        return self.session.call(c.OP_GET_PORTS)

    def energy_slots(self, seq: int, count: int = ENERGY_PAGE_SLOTS) -> list[bytes]:
        """Whole slots of a charger's energy ring from number ``seq`` on, rising; none is none.

        DeviceError when what comes is not that, ERR_UNKNOWN_OPERATION from a door.
        """
        page = self.session.call(c.OP_READ_ENERGY, seq, count)
        slots = slots_of(page, seq, count) if isinstance(page, bytes) else None
        if slots is None:
            raise self._unreadable()
        return slots

    def enroll(self) -> list[Any]:
        """The sealed audit keys of both rings, and the state of enrolment."""
        return cast("list[Any]", self.session.call(c.OP_ENROLL, timeout_s=_COMMIT_S))

    def _unreadable(self) -> DeviceError:
        return DeviceError(
            t("{device} sent what cannot be read", device=self.session.device_name),
            t("Run the command again; if it stays so, update the firmware"),
        )


def _list_requests(
    envelope: bytes, payload: bytes, offset: int, nonce: bytes
) -> Iterator[tuple[int, list[Any]]]:
    """Announcement (unless it was made), chunks from ``offset`` on, and the commit."""
    if not offset:
        yield c.OP_LIST_BEGIN, [envelope]
    for start in range(offset, len(payload), CHUNK_BYTES):
        yield c.OP_LIST_CHUNK, [start, payload[start : start + CHUNK_BYTES]]
    yield c.OP_LIST_COMMIT, [nonce]
