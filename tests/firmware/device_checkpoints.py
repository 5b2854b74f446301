"""Checkpoints are compared with the journal itself, and power may go at any moment of a visit."""

import asyncio
import sys

from firmware.handlers import book, orders
from firmware.journal import Journal
from firmware.store import Nvs
from protocol import cbor, chain, keyslot, records
from protocol.codes import (
    ERR_DIGEST,
    ERR_MALFORMED,
    ERR_OTHER_DEVICE,
    EVENT_CHECKPOINT,
    EVENT_CHECKPOINT_REFUSED,
    EVENT_GRANTED,
    EVENT_SESSION_CLOSED,
    EVENT_SESSION_OPENED,
    OP_PUT_CHECKPOINT,
    ROLE_DESK,
)
from protocol.constants import KEY_SLOT_BYTES, RECORD_BYTES, RING_ACCESS, RING_ALARM
from protocol.messages import Refused
from tests.firmware.flash import SCATTERED, Chip, Partition, PowerCut
from tests.firmware.trust_board import Numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SITE, DEVICE = b"site----", b"device--"
K = b"k" * 16
CARD = b"cardkey8"
SIZES = {"keys": 16, "journal": 4, "alarm": 4}
TEARS = (0, 2, 4, SCATTERED)


class Part:
    """Whatever else a controller consists of."""

    site, device, epoch = SITE, DEVICE, 1
    time_s = ms = quality = 0
    keys: "Any" = None
    config: "Any" = None
    clock: "Any" = None
    journal: "Any" = None
    scratch: "Any" = None

    def tick(self) -> None:
        return None


class Board:
    """Both rings and NVS on one chip."""

    def __init__(self) -> None:
        self.chip = Chip(dies=True)
        self.parts = {name: Partition(self.chip, sectors) for name, sectors in SIZES.items()}
        self.numbers = Numbers(self.chip)
        for ring in range(2):
            slot = bytearray(KEY_SLOT_BYTES)
            c = chain.start(SITE, DEVICE, ring)
            keyslot.pack_into(slot, 0, keyslot.STATE_VALID, 0, 0, 0, 0, 0, 0, 1, c, K, K)
            self.parts["keys"].writeblocks(8 * ring, slot, 0)

    def start(self) -> "Any":
        self.chip.cut_at = 0
        self.chip.has_power = True
        c = Part()
        c.config = c.clock = Part()
        c.journal = Journal(self.parts.get, c.config, c.clock, Nvs(self.numbers))
        c.scratch = memoryview(bytearray(40 * RECORD_BYTES))
        return c

    def image(self) -> "tuple[dict[str, bytes], dict[str, int]]":
        return {n: bytes(p.data) for n, p in self.parts.items()}, dict(self.numbers.data)

    def restore(self, image: "tuple[dict[str, bytes], dict[str, int]]") -> None:
        for name, data in image[0].items():
            self.parts[name].data[:] = data
        self.numbers.data = dict(image[1])
        self.chip.operations = 0


beside_signatures: "list[list[str]]" = []  # what of the journal was loaded while one was verified


async def _as_it_is(_: "Any", __: int, envelope: bytes, ___: bytes) -> bytes:
    beside_signatures.append([name for name in sys.modules if name == "firmware.ring_pages"])
    return envelope  # signatures have tests of their own


orders.signed.payload = _as_it_is


def put(c: "Any", *fields: "Any") -> int:
    """Hand a checkpoint over; the wire error, or 0."""
    payload = cbor.encode(list(fields))
    try:
        asyncio.run(orders.carry_out(c, OP_PUT_CHECKPOINT, [payload]))
    except Refused as error:
        return error.code
    return 0


def held(c: "Any", ring: int, first: int = 0) -> "list[Any]":
    """What an auditor would read of a ring."""
    found: list[Any] = []
    while True:
        page = asyncio.run(book.read(c, [ring, first + len(found), 40]))
        if not len(page):
            return found
        found += [records.unpack(bytes(page[at : at + 32])) for at in range(0, len(page), 48)]


def state(c: "Any") -> "list[Any]":
    """Number and chain value of each ring, as a desk that holds everything would say them."""
    rings = c.journal.rings
    return [rings[0].seq, rings[0].c, rings[1].seq, rings[1].c]


def lived(board: Board, swipes: int = 30) -> "Any":
    c = board.start()
    for _ in range(swipes):
        c.journal.record(EVENT_GRANTED, 1, 0, CARD)
        c.journal.erase_ahead()
    for _ in range(3):
        c.journal.record(EVENT_SESSION_OPENED, ROLE_DESK)
    return c


def test_the_code_of_a_pull_is_let_go_before_the_signature_of_its_checkpoint() -> None:
    c = lived(Board())
    assert held(c, 0)
    assert "firmware.ring_pages" in sys.modules, "a pull has loaded it"
    beside_signatures.clear()
    assert put(c, SITE, DEVICE, *state(c)) == 0
    assert beside_signatures == [[]]


def test_a_checkpoint_of_what_the_rings_were_is_taken_and_bound_into_the_chain() -> None:
    c = lived(Board())
    said = state(c)
    c.journal.record(EVENT_GRANTED, 1, 0, CARD)  # the rings go on meanwhile
    c.journal.record(EVENT_SESSION_OPENED, ROLE_DESK)
    assert put(c, SITE, DEVICE, *said) == 0
    last = held(c, RING_ALARM)[-1]
    assert (last.event, last.extra) == (EVENT_CHECKPOINT, said[0])


def test_a_checkpoint_of_another_history_is_refused_and_stands_in_the_journal() -> None:
    c = lived(Board())
    said = state(c)
    other = bytes((said[1][0] ^ 1,)) + said[1][1:]
    for wrong, ring, number in (
        ([said[0], other, said[2], said[3]], RING_ACCESS, said[0]),
        ([said[0], said[1], said[2], other], RING_ALARM, said[2]),
        ([said[0] - 1, said[1], said[2], said[3]], RING_ACCESS, said[0] - 1),
        ([said[0] + 1, said[1], said[2], said[3]], RING_ACCESS, said[0] + 1),
        ([0, said[1], said[2], said[3]], RING_ACCESS, 0),
    ):
        assert put(c, SITE, DEVICE, *wrong) == ERR_DIGEST
        last = held(c, RING_ALARM)[-1]
        assert (last.event, last.reason, last.extra) == (EVENT_CHECKPOINT_REFUSED, ring, number)


def test_a_controller_that_was_rolled_back_knows_no_checkpoint_of_its_future() -> None:
    board = Board()
    lived(board)
    image = board.image()
    later = lived(board, 5)
    said = state(later)
    board.restore(image)
    back = board.start()
    assert put(back, SITE, DEVICE, *said) == ERR_DIGEST
    while back.journal.rings[0].seq < said[0]:  # it catches up, with another history
        back.journal.record(EVENT_GRANTED, 1, 0, b"otherkey")
    assert put(back, SITE, DEVICE, *said) == ERR_DIGEST


def test_what_the_ring_no_longer_reaches_back_to_cannot_be_held_against_a_checkpoint() -> None:
    board = Board()
    c = lived(board)
    said = state(c)
    for _ in range(500):
        c.journal.record(EVENT_GRANTED, 1, 0, CARD)
        c.journal.erase_ahead()
    assert c.journal.rings[0].oldest > said[0]
    assert put(c, SITE, DEVICE, *said) == 0


def test_checkpoints_of_a_wrong_form_are_refused() -> None:
    c = lived(Board())
    said = state(c)
    for wrong in (
        [True, said[1], said[2], said[3]],
        [-1, said[1], said[2], said[3]],
        [said[0], "c", said[2], said[3]],
        [said[0], said[1], said[2], None],
    ):
        assert put(c, SITE, DEVICE, *wrong) == ERR_MALFORMED
    assert put(c, SITE, DEVICE, *said[:3]) == ERR_MALFORMED
    assert put(c, SITE, b"another-", *said) == ERR_OTHER_DEVICE


def visit(c: "Any") -> None:
    """A desk pulls, hands its checkpoint over and goes; what is done ahead meanwhile."""
    c.journal.record(EVENT_SESSION_OPENED, ROLE_DESK)
    for ring in (RING_ACCESS, RING_ALARM):
        asyncio.run(book.head(c, [ring, b"n" * 16]))
        held(c, ring)
    said = state(c)
    c.journal.record(EVENT_GRANTED, 1, 0, CARD)
    assert put(c, SITE, DEVICE, *said) == 0
    c.journal.erase_ahead()
    c.journal.record(EVENT_SESSION_CLOSED, ROLE_DESK)
    c.journal.erase_ahead()


def test_a_visit_that_is_cut_at_any_operation_costs_no_record_of_either_ring() -> None:
    board = Board()
    lived(board, 330)  # the access ring has gone round
    image = board.image()
    board.restore(image)
    c = board.start()
    board.chip.operations = 0
    visit(c)
    operations = board.chip.operations
    assert operations >= 12
    for point in range(1, operations + 1):
        for tear in TEARS:
            board.restore(image)
            c = board.start()
            before = [list(held(c, ring, c.journal.rings[ring].oldest)) for ring in (0, 1)]
            board.chip.operations = 0
            board.chip.cut_quarters = tear
            board.chip.cut_at = point
            try:
                visit(c)
                raise AssertionError(point)
            except PowerCut:
                pass
            written = [ring.seq for ring in c.journal.rings]
            again = board.start()
            for ring in (0, 1):
                now = again.journal.rings[ring]
                assert written[ring] <= now.seq <= written[ring] + 2, point
                kept = held(again, ring, now.oldest)
                assert [r.seq for r in kept] == list(range(now.oldest, now.seq)), point
                still = [record for record in before[ring] if record.seq >= now.oldest]
                assert kept[: len(still)] == still, point
            visit(again)
