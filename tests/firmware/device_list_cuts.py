"""Power cut at the flash operations of full lists, deltas and merges (MicroPython).

A history of lists; for each of its acts, power goes in the n-th change that the flash takes, with
none, half or all of that change done. After the next start the list in force is exactly the one
before the act or the one after it, proven by its digest; the floor has not fallen; a card that an
acknowledged list took away opens nothing; and the next list is taken.

The quick form takes every SAMPLE-th point, another one of them for each kind of cut; the full form
takes all.
"""

from protocol import deltas
from protocol.card_digest import digest
from tests.firmware.flash import PowerCut
from tests.firmware.list_rig import Rig, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Act = tuple[str, Callable[[Rig], object], bytes]

SAMPLE = 7
QUARTERS = (0, 2, 4)
FIRST = records(220)
GONE = FIRST[:16]
# what comes has its place before, between and behind what is there
SECOND = deltas.applied(FIRST[16:], records(150, 5000))
THIRD = deltas.applied(SECOND, deltas.absent(SECOND[32:40]) + deltas.absent(SECOND[64:72]))
FOURTH = records(180, 9000)


def delta(version: int, old: bytes, new: bytes) -> "Callable[[Rig], object]":
    return lambda rig: rig.delta(version, old, new, deltas.between(old, new))


def merge(rig: Rig) -> None:
    rig.clock.uptime_s += 3601
    rig.work()
    assert not len(rig.whitelist.index)


ACTS: "list[Act]" = [
    ("a full list", lambda rig: rig.full(1, FIRST), FIRST),
    ("a delta on a base", delta(2, FIRST, SECOND), SECOND),
    ("a delta on an overlay", delta(3, SECOND, THIRD), THIRD),
    ("a merge", merge, THIRD),
    ("a delta on a merged base", delta(4, THIRD, SECOND), SECOND),
    ("a full list over an overlay", lambda rig: rig.full(5, FOURTH), FOURTH),
]


def check(rig: Rig, before: bytes, after: bytes, floor: int, what: str) -> bool:
    """What must hold after a start; returns whether the act took effect."""
    whitelist = rig.whitelist
    held = whitelist.digest if whitelist.manifest is not None else digest(b"")
    assert held in (digest(before), digest(after)), what
    took_effect = held == digest(after)
    assert rig.journal.version_floor >= max(floor, whitelist.version), what
    listed = after if took_effect else before
    for at in range(0, len(listed), 16 * 13):
        assert rig.has(listed[at : at + 16]), what
    rig.work()
    assert (whitelist.manifest is None) == (not listed), what
    assert whitelist.prover is None
    assert whitelist.count == len(listed) // 16
    if whitelist.version > 1:  # the list that took it away has been acknowledged, or it is in force
        assert not whitelist.find(GONE[:8]), what
    return took_effect


def points(sample: int) -> "tuple[int, int]":
    """Try every `sample`-th point of every act; how many there were and how many took effect."""
    rig = Rig(600)
    before, tried, took_effect = b"", 0, 0
    for name, act, after in ACTS:
        image = rig.image()
        floor = rig.journal.version_floor
        rig.cut(0)
        act(rig)
        operations = rig.chip.operations
        done = rig.image()
        assert operations > 8, name
        for kind, quarters in enumerate(QUARTERS):
            for point in range(1 + kind * (sample // 3), operations + 1, sample):
                rig.reboot(image)
                rig.cut(point, quarters)
                try:
                    act(rig)
                    raise AssertionError("no cut")
                except PowerCut:
                    rig.reboot()
                what = f"{name}: cut {point} of {operations}, {quarters} quarters"
                took_effect += check(rig, before, after, floor, what)
                if point % 5 == 0:
                    rig.full(rig.journal.version_floor + 1, FOURTH)
                    check(rig, FOURTH, FOURTH, floor, what)
                tried += 1
        rig.reboot(done)
        before = after
    return tried, took_effect


def test_old_or_new_list_at_sampled_points() -> None:
    tried, took_effect = points(SAMPLE)
    print("points tried:", tried)
    assert 0 < took_effect < tried


def test_old_or_new_list_at_every_point_in_full() -> None:
    tried, took_effect = points(1)
    print("points tried:", tried)
    assert 0 < took_effect < tried


def test_a_flash_that_lost_the_rename_would_be_noticed() -> None:
    rig = Rig(600)
    rig.full(1, FIRST)
    image = rig.image()
    rig.full(2, FOURTH)
    floor = rig.journal.version_floor
    rig.reboot(image)  # as if nothing of it had come to the flash
    try:
        check(rig, FOURTH, FOURTH, floor, "")
    except AssertionError:
        return
    raise AssertionError("a lost list was not noticed")
