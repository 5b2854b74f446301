"""A list of some hundred cards, and what becomes of it (MicroPython)."""

from protocol import deltas
from protocol.constants import FLAG_REVOKED
from tests.firmware.list_rig import Rig, records

CARDS = 600
OLD = records(CARDS)


def revoked(listed: bytes, *numbers: int) -> bytes:
    """The list with these of its records marked as collected."""
    changed = bytearray(listed)
    for number in numbers:
        changed[16 * number + 15] |= FLAG_REVOKED
    return bytes(changed)


def without(listed: bytes, *numbers: int) -> bytes:
    return b"".join(
        [listed[at : at + 16] for at in range(0, len(listed), 16) if at // 16 not in numbers]
    )


def merged_with(listed: bytes, more: bytes) -> bytes:
    return deltas.applied(listed, more)


def holds(rig: Rig, listed: bytes, *absent: bytes) -> None:
    """The list in force is exactly this one, by search and by digest."""
    assert rig.whitelist.count == len(listed) // 16
    for at in range(0, len(listed), 16):
        assert rig.has(listed[at : at + 16]), at // 16
    for key in absent:
        assert not rig.whitelist.find(key)


def change(rig: Rig, version: int, old: bytes, new: bytes) -> None:
    rig.delta(version, old, new, deltas.between(old, new))


def with_list(listed: bytes = OLD) -> Rig:
    rig = Rig()
    rig.full(1, listed)
    return rig


def spoil_base(rig: Rig, half: int, at: int) -> None:
    """One bit of a base turns."""
    data = rig.parts["lists"].data
    data[half * len(data) // 2 + at] ^= 1
