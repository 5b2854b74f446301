"""Which of the two firmware slots runs: chosen at each start, changed by an update (device).

/fw.sel is one line of text:

    0                 slot 0 runs, as it does without that file
    1 t 2 259         slot 1 holds version 259, which is on trial and was started twice
    0 r 1 259         slot 0 runs again, and has not told yet: version 259 failed (ROLLBACK_…)

A start on trial is counted before the pack is mounted, so that whatever ends it (a crash, the
watchdog, a power cut) has been counted. After the third the other slot runs. A pack whose SHA-256
is wrong never runs as long as the other one's is right. When the flash refuses the count, nothing
would end the trial: the other slot runs.

Loaded by boot.py before there is any pack, and by firmware/update.py and trial.py; let go then.
"""

import hashlib
import os
import sys

import vfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

packfs: "Any" = __import__("packfs")

SELECTED = "/fw.sel"
TRIES_MAX = 3
_BOOTS = 1  # ROLLBACK_… of protocol/codes.py, which lies in the pack
_PACK = 2
_DIGEST_BYTES = 32
_ENOENT = 2
_BUFFER_BYTES = 2048


def path(slot: int) -> str:
    return "/fw{}.pack".format(slot)


def selected() -> "tuple[int, str, int, int]":
    """(slot, "", "t" or "r", tries or reason, version); slot 0 when nothing was ever selected."""
    try:
        with open(SELECTED) as file:
            fields = file.read().split()
        slot = int(fields[0])
        if not 0 <= slot <= 1:
            return 0, "", 0, 0
        if len(fields) == 4 and fields[1] in ("t", "r"):
            return slot, fields[1], int(fields[2]), int(fields[3])
    except (OSError, IndexError, ValueError):
        return 0, "", 0, 0
    return slot, "", 0, 0


def select(slot: int, state: str = "", number: int = 0, version: int = 0) -> None:
    """Write that; OSError when the flash refuses, and then it is as it was."""
    with open(SELECTED, "w") as file:
        file.write("{} {} {} {}".format(slot, state, number, version) if state else str(slot))


def whole(slot: int) -> bool:
    """Whether a slot's pack is there and its SHA-256 is right."""
    try:
        left = os.stat(path(slot))[6] - _DIGEST_BYTES
        with open(path(slot), "rb") as file:
            digest = hashlib.sha256()
            buffer = memoryview(bytearray(_BUFFER_BYTES))
            while left > 0:
                size = file.readinto(buffer[: min(left, _BUFFER_BYTES)])
                if not size:
                    return False
                digest.update(buffer[:size])
                left -= size
            return digest.digest() == file.read(_DIGEST_BYTES)
    except OSError:
        return False


def mount() -> None:
    """Mount the slot whose turn it is at /fw; OSError when neither is whole."""
    sys.modules.pop("slots", None)
    slot, state = choose()[:2]
    for taken in (slot, 1 - slot):
        if whole(taken):
            vfs.mount(packfs.PackFs(path(taken)), "/fw", readonly=True)
            sys.path.insert(0, "/fw")
            packfs.mounted = taken
            packfs.state = state if taken == slot else "r"
            return
    raise OSError(_ENOENT)


def choose() -> "tuple[int, str, int, int]":
    """As selected(), once this start has been counted."""
    slot, state, number, version = selected()
    if state != "t":
        return slot, state, number, version
    other = 1 - slot
    reason = 0
    if number >= TRIES_MAX:
        reason = _BOOTS
    elif not whole(slot):
        reason = _PACK
    if reason and not whole(other):  # there is nothing to go back to
        return slot, state, number, version
    now = (other, "r", reason, version) if reason else (slot, "t", number + 1, version)
    try:
        select(*now)
    except OSError:
        return (other, "", 0, 0) if whole(other) else now
    return now
