"""Power cut at the flash operations of a retirement, from mark to blank board (MicroPython).

After every cut the next start finds either a controller that is wholly as before, for the ticket
was not in force, or one that goes on wiping and ends as a blank board. Wherever a start leads to
the prompt, not one secret is left on the chip: that is looked for byte by byte.

The quick form takes every SAMPLE-th point, another one of them for each kind of cut, and all where
it is marked and where the file system itself goes; the full form takes all. A second cut comes in
the start that goes on.
"""

import asyncio
import gc
import os
import sys

from tests.firmware.flash import SCATTERED, Chip, Partition, PowerCut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

vfs: "Any" = __import__("vfs")  # MicroPython's own

SAMPLE = 61
FIRST, LAST = 12, 40
TEARS = (0, 2, 4, SCATTERED)
SIZES = {"keys": 2, "lists": 2, "journal": 2, "alarm": 1, "nvs": 1, "vfs": 22}
SECRETS = [bytes([65 + number]) * 32 for number in range(6)]  # one of each place
CODE = b"# what anybody may read\n" * 300
FILES = {
    "/boot.py": CODE[:900],
    "/packfs.mpy": CODE[:700],
    "/fw0.pack": CODE * 2,
    "/fw.sel": b"0",
    "/old.part": SECRETS[5] * 40,
    "/cfg/config.cbor": SECRETS[4] * 8,
    "/cfg/key.der": SECRETS[5] * 3,
    "/cfg/settings": SECRETS[4] * 3,
    "/wl/active": SECRETS[5] * 200,
}
BEFORE, GOES_ON, BLANK, PROMPT = "before", "goes on", "blank", "prompt"


class Reset(Exception):
    """The board starts anew."""


class Board:
    """What firmware/wipe.py asks of `board`, on a chip of its own."""

    def __init__(self) -> None:
        self.parts: dict[str, Partition] = {}
        self.chip = Chip(dies=True)

    def power_on(self, image: dict[str, bytes]) -> None:
        """Another chip with what lies on this one: nobody who is still about can write to it."""
        self.chip = Chip(dies=True)
        first = Partition(self.chip, 0)
        self.parts = {name: first.copy(self.chip, data) for name, data in image.items()}
        for name in self.parts:
            self.parts[name].sectors = SIZES[name]

    def image(self) -> "dict[str, bytes]":
        return {name: bytes(part.data) for name, part in self.parts.items()}

    def partition(self, label: str) -> Partition:
        if label not in self.parts:
            raise OSError(19)
        return self.parts[label]

    def reset(self) -> None:
        raise Reset


BOARD = Board()
sys.modules["board"] = BOARD  # type: ignore[assignment]

from firmware import wipe  # noqa: E402 - it asks for `board`
from firmware.retire import retire as retire_by_ticket  # noqa: E402 - the same


def unmount() -> None:
    gc.collect()
    try:
        vfs.umount("/")
    except (PowerCut, OSError):
        return


def lay_out() -> "dict[str, bytes]":
    """A controller that has been at work for a while: its free blocks hold secrets, too."""
    BOARD.power_on({name: b"\xff" * (4096 * size) for name, size in SIZES.items()})
    for number, name in enumerate(("keys", "lists", "journal", "nvs")):
        for sector in range(SIZES[name]):
            BOARD.parts[name].data[4096 * sector + 100 : 4096 * sector + 132] = SECRETS[number]
    unmount()
    vfs.VfsLfs2.mkfs(BOARD.parts["vfs"])
    vfs.mount(BOARD.parts["vfs"], "/")
    for folder in ("/cfg", "/wl"):
        os.mkdir(folder)  # noqa: PTH102 - MicroPython has no pathlib
    for _ in range(3):
        for path in sorted(FILES):
            with open(path, "wb") as file:  # noqa: PTH123 - MicroPython has no pathlib
                file.write(FILES[path])
    unmount()
    return BOARD.image()


def secrets_left() -> "list[tuple[str, int]]":
    return [
        (name, number)
        for name, part in BOARD.parts.items()
        for number in range(len(SECRETS))
        if SECRETS[number][:16] in bytes(part.data)
    ]


def look() -> str:
    """What a start comes to, as boot.py and the stock image have it."""
    BOARD.power_on(BOARD.image())
    flash = BOARD.parts["vfs"]
    try:
        vfs.mount(flash, "/")
    except OSError:
        return BLANK if bytes(flash.data[:4096]) == b"\xff" * 4096 else PROMPT
    names = os.listdir("/")  # noqa: PTH208 - the same
    if wipe.MARK_PATH[1:] in names:
        return GOES_ON
    there = "cfg" in names and "config.cbor" in os.listdir("/cfg")  # noqa: PTH208 - the same
    found = BEFORE if there else PROMPT
    if found == BEFORE:
        for path, data in FILES.items():
            with open(path, "rb") as file:  # noqa: PTH123 - MicroPython has no pathlib
                assert file.read() == data, path
    return found


def retire() -> None:
    """As firmware/retire.py and the start after it."""
    wipe.mark()
    for _ in wipe.steps([0], (SECRETS[4], SECRETS[5])):
        pass
    go_on()


def go_on() -> None:
    try:
        wipe.finish()
    except Reset:
        return


def cut(act: "Any", point: int, quarters: int) -> bool:
    """Do it with a power cut; whether there was one."""
    BOARD.chip.cut_at, BOARD.chip.cut_quarters = point, quarters
    try:
        act()
    except PowerCut:
        return True
    finally:
        unmount()
    return False


def end_of(before: "dict[str, bytes]", what: str, second: int) -> str:
    """What the starts after a cut come to; every one of them is checked."""
    found = look()
    if found == GOES_ON and second:
        cut(go_on, second, 2)
        found = look()
        assert found in (GOES_ON, BLANK), what
    if found == GOES_ON:
        go_on()
        unmount()
        found = BLANK
        assert look() == BLANK, what
    if found == BEFORE:
        for name in BOARD.parts:
            assert name == "vfs" or bytes(BOARD.parts[name].data) == before[name], what
    else:
        assert found == BLANK, what
        assert not secrets_left(), what
    unmount()
    return found


def points(sample: int) -> "dict[str, int]":
    before = lay_out()
    counted = {BEFORE: 0, BLANK: 0}
    assert len(secrets_left()) == 6, "looked for nothing"
    look()
    retire()
    unmount()
    operations = BOARD.chip.operations
    assert operations > 200
    assert look() == BLANK
    for part in BOARD.parts.values():
        assert not part.data.replace(b"\xff", b""), "something is left"
    for kind, quarters in enumerate(TEARS):
        sampled = set(range(1 + kind * (sample // 4), operations + 1, sample))
        sampled.update(range(1, FIRST), range(operations - LAST, operations + 1))
        for point in sorted(sampled):
            BOARD.power_on(before)
            assert look() == BEFORE
            assert cut(retire, point, quarters)
            what = f"cut {point} of {operations}, {quarters} quarters"
            counted[end_of(before, what, point // 3 if point % 2 else 0)] += 1
    vfs.mount(vfs.VfsPosix("/"), "/")
    print("points tried:", sum(counted.values()), counted)
    return counted


def test_no_secret_is_left_and_no_door_half_wiped_at_sampled_points() -> None:
    counted = points(SAMPLE)
    assert counted[BEFORE] > 0
    assert counted[BLANK] > counted[BEFORE]


def test_no_secret_is_left_and_no_door_half_wiped_at_four_times_as_many_points_in_full() -> None:
    counted = points(SAMPLE // 4)
    assert counted[BEFORE] > 0
    assert counted[BLANK] > counted[BEFORE]


def test_the_receipt_s_bits_tell_what_was_erased() -> None:
    lay_out()
    look()
    erased = [0]
    for _ in wipe.steps(erased, (SECRETS[4],)):
        pass
    assert erased[0] == 1 | 2 | 4 | 8 | 16 | 64
    unmount()
    lay_out()
    look()
    BOARD.parts["keys"].ioctl = lambda _request, _argument: 2  # type: ignore[method-assign]
    with open("/boot.py", "wb") as file:  # noqa: PTH123 - a secret where nobody looks for one
        file.write(SECRETS[4] * 30)
    erased = [0]
    for _ in wipe.steps(erased, (SECRETS[4],)):
        pass
    assert erased[0] == 2 | 4 | 8 | 16, "keys that were not erased, a secret that was found"
    unmount()
    vfs.mount(vfs.VfsPosix("/"), "/")


class Anything:
    """Of a controller: whatever it is asked, it does."""

    config: "Any"
    journal: "Any"
    restart_wanted = False
    seq = 0
    link_root = card_key = receipt_key = bytes(32)

    def __getattr__(self, _name: str) -> "Anything":
        return self

    def __getitem__(self, _at: int) -> "Anything":
        return self

    def __call__(self, *_arguments: object) -> None:
        return None


def test_a_wipe_that_the_flash_refuses_half_way_does_not_leave_a_controller_that_hangs() -> None:
    lay_out()
    look()
    c = Anything()
    c.config, c.journal = Anything(), Anything()

    def refuse(*_arguments: object) -> int:
        raise OSError(5)

    reads, BOARD.parts["lists"].readblocks = BOARD.parts["lists"].readblocks, refuse  # type: ignore[method-assign]
    controller: Any = c
    try:
        asyncio.run(retire_by_ticket(controller, bytes(16)))
        raise RuntimeError("nothing was refused")
    except OSError:
        assert c.restart_wanted
    finally:
        BOARD.parts["lists"].readblocks = reads  # type: ignore[method-assign]
    assert look() == GOES_ON
    unmount()
    vfs.mount(vfs.VfsPosix("/"), "/")
