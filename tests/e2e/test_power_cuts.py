"""Power cut at a flash operation of a push: the old list or the new one, never another (host).

Some points by default, every one with --full. The list is pushed over the tool's own channel; after
each cut the board boots again and tells what it holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from controller_tool.errors import ToolError
from controller_tool.registry.records import ListVersion
from controller_tool.services import push
from tests.e2e.test_story import within

if TYPE_CHECKING:
    from controller_tool.services.virtual_house import VirtualHouse
    from tests.e2e.callers import Callers

DOOR = "door-1"
POINTS = 10
TRIES = 4
END_OPERATIONS = 10
CARDS = 300


def state_after_boot(house: VirtualHouse, callers: Callers) -> tuple[int, bytes]:
    """Version and digest of the list in force, once the board answers again."""
    held: list[tuple[int, bytes]] = []

    def answers() -> bool:
        try:
            with callers.call(DOOR) as client:
                state = client.state()
        except ToolError:
            # the caller may know of the cut before whoever is to put the plug back
            house.boards[DOOR].stimulate("restore_power")
            return False
        held.append((state.version, state.digest))
        return True

    assert within(answers)
    return held[-1]


@pytest.fixture(scope="module")
def operations(house: VirtualHouse, callers: Callers) -> int:
    """How many flash operations one push takes."""
    house.issue([f"{2_000_000 + n:010d}" for n in range(CARDS)])
    assert push.push(house.site, [DOOR])[0].ok
    count = measured(house, callers)
    assert count > 10
    return count


def newest_signed(house: VirtualHouse) -> tuple[int, bytes]:
    """Version and digest of the list that was signed last for the door."""
    query = select(ListVersion).where(ListVersion.device_id == house.site.device(DOOR).id)
    with house.site.registry.session() as session:
        newest = session.scalars(query.order_by(ListVersion.version.desc())).first()
    assert newest is not None
    return newest.version, newest.result_digest


def push_by(house: VirtualHouse, callers: Callers) -> None:
    """One forced push in a session of its own, to its receipt; ToolError when none comes."""
    with callers.call(DOOR) as client:
        assert push.push_open(house.site, house.site.device(DOOR), client, force=True).ok


def measured(house: VirtualHouse, callers: Callers) -> int:
    """How many flash operations a push takes now; the push is made for it."""
    board = house.boards[DOOR]
    before = int(board.counters()["flash"]["operations"])
    push_by(house, callers)
    return int(board.counters()["flash"]["operations"]) - before


def cut_in_push(house: VirtualHouse, callers: Callers, point: int) -> tuple[bool, bool]:
    """Push, cut at that operation: whether it came through, and whether the old list holds."""
    board = house.boards[DOOR]
    old = state_after_boot(house, callers)
    board.stimulate("cut_at", operation=point, torn=bool(point % 2))
    pushed = True
    try:
        push_by(house, callers)
    except ToolError:
        pushed = False
    board.stimulate("cut_at", operation=0)  # a later push may be shorter than the first
    held = state_after_boot(house, callers)
    new = newest_signed(house)
    assert held in {old, new}, f"cut at operation {point}"
    assert not pushed or held == new
    return pushed, held == old


def test_old_or_new_list_but_never_another(
    house: VirtualHouse, callers: Callers, operations: int, full: bool
) -> None:
    step = 1 if full else max(1, operations // POINTS)
    outcomes = set()
    last = 0
    for point in range(1, 3 * operations, step):
        pushed, is_old = cut_in_push(house, callers, point)
        if pushed:  # all of it came before the cut
            last = point
            break
        outcomes.add(is_old)
    assert last
    # The activation is a moment shortly before the end of a push, and pushes differ in length (a
    # merge may be due): each try goes by the length of the one just before it.
    for before_end in TRIES * list(range(END_OPERATIONS)):
        if False in outcomes:
            break
        pushed, is_old = cut_in_push(house, callers, measured(house, callers) - before_end)
        if not pushed:
            outcomes.add(is_old)
    assert outcomes == {True, False}, "the cuts should hit both sides of the activation"
    push_by(house, callers)
