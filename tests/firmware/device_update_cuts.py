"""Power cut at every flash operation of an update, from the first piece to the proof (MicroPython).

For each act, power goes in the n-th change that the flash takes, with none, half or all of it done.
Whatever start comes next runs one of the two packs, whole; the new one only if its manifest was
signed and its bytes were proven; what was confirmed and answered stays; and the same update, asked
for again, ends with the new pack in force.
"""

from protocol.codes import EVENT_FIRMWARE_ROLLED_BACK, EVENT_FIRMWARE_TAKEN, ROLLBACK_PACK
from protocol.version import VERSION
from tests.firmware.flash import SCATTERED, PowerCut
from tests.firmware.update_rig import (
    NEW,
    OLD,
    Board,
    Controller,
    lay,
    manifest,
    pack,
    packfs,
    running,
    slots,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Act = Callable[[Board], Any]

KINDS = (0, 2, 4, SCATTERED)
SAMPLE = 5


def begin(board: Board) -> None:
    c = board.start()
    assert c.begin(manifest(NEW)) == 0


def send(board: Board) -> None:
    c = board.start()
    offset = c.begin(manifest(NEW))
    assert c.put(NEW, offset) == len(NEW)


def take(board: Board) -> None:
    board.start().take(NEW)


def try_once(board: Board) -> None:
    board.start()


def prove(board: Board) -> None:
    assert all(board.start().prove().values())


def give_up(board: Board) -> None:
    c = board.start()
    c.kind.obeys = False
    assert not all(c.prove().values())


def go_back(board: Board) -> None:
    c = board.start()
    assert c.events()[-1][0] == EVENT_FIRMWARE_ROLLED_BACK


# act, what may run after a cut in it, what runs after it
ACTS: "list[tuple[str, Act, tuple[bytes, ...], bytes]]" = [
    ("a manifest", begin, (OLD,), OLD),
    ("pieces", send, (OLD,), OLD),
    ("the last step", take, (OLD, NEW), NEW),
    ("a start on trial", try_once, (NEW,), NEW),
    ("the proof", prove, (NEW,), NEW),
]
FAILING: "list[tuple[str, Act, tuple[bytes, ...], bytes]]" = [
    ("an update", take, (OLD, NEW), NEW),
    ("a proof that fails", give_up, (NEW, OLD), OLD),
    ("the start after it", go_back, (OLD,), OLD),
]


def armed(board: Board, act: "Act", point: int, quarters: int) -> int:
    """Run an act with power going at that operation; how many operations it took."""
    boot = Board.boot

    def boot_then_arm(self: Board) -> None:
        self.power(0)
        self.mount()
        self.power(point, quarters)
        self.mount_slot()

    Board.boot = boot_then_arm  # type: ignore[method-assign]
    try:
        act(board)
    finally:
        Board.boot = boot  # type: ignore[method-assign]
        board.chip.cut_at = 0
    return board.chip.operations


def finished(board: Board, what: str) -> None:
    """The same update, once more, from wherever it stands: it ends with the new pack."""
    for _ in range(6):
        c: Controller = board.start()
        if packfs.state == "t":
            assert all(c.prove().values()), what
        elif running() == OLD:
            c.take(NEW)
        else:
            break
    board.start()
    assert running() == NEW, what
    assert packfs.state == "", what


def walk(
    acts: "list[tuple[str, Act, tuple[bytes, ...], bytes]]", sample: int, before: bytes = b""
) -> int:
    """Cut everywhere in each act, `sample` apart; how many points that were.

    before: what the other slot still holds from an earlier update.
    """
    board = Board()
    if before:
        board.start()
        lay("/fw1.pack", before)
    tried = 0
    for name, act, allowed, after in acts:
        image = board.image()
        operations = armed(board, act, 0, 4)
        done = board.image()
        seen = set()
        for kind, quarters in enumerate(KINDS):
            for point in range(1 + kind % sample, operations + 1, sample):
                board.restore(image)
                what = f"{name}: cut {point} of {operations}, {quarters} quarters"
                try:
                    armed(board, act, point, quarters)
                    raise RuntimeError("no cut, " + what)
                except PowerCut:
                    tried += 1
                c = board.start()
                seen.add(running())
                assert running() in allowed, what
                rotten = [
                    e for e in c.events() if e[:2] == (EVENT_FIRMWARE_ROLLED_BACK, ROLLBACK_PACK)
                ]
                assert not rotten, what  # a slot is chosen once its pack is there, not before
                if running() == NEW:
                    assert (EVENT_FIRMWARE_TAKEN, 0, VERSION + 1) in c.events(), what
                finished(board, what)
        assert len(seen) == len(allowed) or sample > 1, name
        board.restore(done)
        board.boot()
        assert running() == after, name
        board.restore(done)
    return tried


def test_old_or_new_firmware_at_sampled_points() -> None:
    assert walk(ACTS, SAMPLE) > 30


def test_a_failing_firmware_goes_back_at_sampled_points() -> None:
    assert walk(FAILING, SAMPLE) > 20


def test_what_an_earlier_update_left_never_runs_again() -> None:
    assert walk(ACTS[2:3], 1, pack("older")) > 20


def test_old_or_new_firmware_at_every_point_in_full() -> None:
    print("points tried:", walk(ACTS, 1) + walk(FAILING, 1))


def test_the_check_would_see_a_pack_that_runs_before_it_is_proven() -> None:
    """Negative control: pieces that go into the slot itself, and a slot chosen before they came."""
    board = Board()
    board.start()
    lay("/fw1.pack", NEW)
    slots.select(1)
    board.start()
    assert running() == NEW
    try:
        assert running() in ACTS[1][2]
    except AssertionError:
        return
    raise RuntimeError("saw nothing")
