"""What lists cost on the flash model, in heap and on the wire (MicroPython).

    micropython measure_lists.py CARDS

Prints one line a figure: name and number. Times are those of the flash model; a stretch is what
lies between two moments at which the firmware lets its door in.
"""

import gc
import hashlib
import sys

from protocol import deltas
from protocol import sector_header as _early  # noqa: F401  nested imports cost stack
from protocol.constants import FLAG_REVOKED, RSA_BYTES
from tests.firmware.list_rig import Rig, at_yield, records, run, signed, signed_delta

LOOKUPS = 600
OVERLAY = 500


class Stretches:
    """Model time between two yields, as a sorted list."""

    def __init__(self, rig: Rig) -> None:
        self._chip = rig.chip
        self._last_us = rig.chip.model_us
        self.us: list[int] = []

    def __call__(self) -> None:
        now_us = self._chip.model_us
        self.us.append(now_us - self._last_us)
        self._last_us = now_us

    def p99_wait_us(self) -> int:
        """What 99 of 100 swipes, at random moments, wait at most for the stretch to end."""
        whole = sum(self.us)
        low, high = 0, max(self.us)
        while low < high:
            middle = (low + high) // 2
            longer = sum([us - middle for us in self.us if us > middle])
            if longer * 100 > whole:
                low = middle + 1
            else:
                high = middle
        return low


def strangers(count: int) -> "list[bytes]":
    return [hashlib.sha256(b"stranger %d" % n).digest()[:8] for n in range(count)]


def lookups(rig: Rig, listed: bytes, name: str) -> int:
    """Worst reads, worst and mean model time, heap; returns the worst time in us."""
    step = len(listed) // 16 // LOOKUPS + 1
    keys = [listed[at : at + 8] for at in range(0, len(listed), 16 * step)] + strangers(LOOKUPS)
    chip = rig.chip
    reads = worst_us = total_us = 0
    find = rig.whitelist.find
    for key in keys:
        chip.reads = chip.model_us = 0
        find(key)
        reads = max(reads, chip.reads)
        worst_us = max(worst_us, chip.model_us)
        total_us += chip.model_us
    print(name + "_reads", reads)
    print(name + "_us", worst_us)
    print(name + "_mean_us", total_us // len(keys))
    return worst_us


def heap_of_lookups(rig: Rig, listed: bytes) -> None:
    """Bytes that the search itself allocates in so many lookups: a file that costs nothing."""

    class Flat:
        def __init__(self, data: bytes) -> None:
            self._data = memoryview(data)
            self._at = 0

        def seek(self, at: int) -> int:
            self._at = at
            return at

        def readinto(self, buffer: bytearray) -> int:
            for i in range(min(len(buffer), len(self._data) - self._at)):
                buffer[i] = self._data[self._at + i]
            return len(buffer)

        def close(self) -> None:
            """Nothing to let go."""

    whitelist = rig.whitelist
    held, whitelist._base = whitelist._base, Flat(listed)
    keys = [listed[at : at + 8] for at in range(0, 16 * 200, 16)] + strangers(200)
    whitelist.find(keys[0])
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for key in keys:
        whitelist.find(key)
    after = gc.mem_alloc()
    gc.enable()
    whitelist._base = held
    print("lookup_heap", after - before)


def revoke(rig: Rig, version: int, old: bytes) -> bytes:
    """One card is collected: erases, model time to force, bytes on the wire."""
    new = bytearray(old)
    new[16 * (len(old) // 32) + 15] |= FLAG_REVOKED
    changes = deltas.between(old, bytes(new))
    envelope = signed_delta(version, rig.whitelist.version, old, bytes(new), changes)
    chip = rig.chip
    chip.erases = chip.model_us = 0
    rig.push(envelope, changes)
    print("revoke_erases", chip.erases)
    print("revoke_us", chip.model_us)
    print("revoke_bytes", len(envelope) - RSA_BYTES + len(changes))
    return bytes(new)


def merge(rig: Rig) -> "Stretches":
    """A full overlay into the base: longest step, heap while it runs."""
    gc.collect()
    before = gc.mem_alloc()
    stretches = Stretches(rig)
    heap = 0
    rig.clock.uptime_s += 3601
    while len(rig.whitelist.index):
        rig.intake.step()
        stretches()
        if len(stretches.us) in (20, 200):
            gc.collect()
            heap = max(heap, gc.mem_alloc() - before)
    print("merge_us", max(stretches.us))
    print("merge_heap", heap)
    return stretches


def push(rig: Rig, version: int, listed: bytes) -> "Stretches":
    """A full list, chunk by chunk."""
    stretches = Stretches(rig)
    at_yield.append(stretches)
    envelope, payload = signed(version, listed)
    run(rig.intake.begin(envelope))
    stretches()
    for at in range(0, len(payload), 2048):
        rig.intake.chunk(at, payload[at : at + 2048])
        stretches()
    run(rig.intake.commit(rig.scratch))
    stretches()
    at_yield.clear()
    print("push_us", max(stretches.us))
    return stretches


def start(rig: Rig) -> None:
    """Flash reads from the mounted file system to a list that is served."""
    rig.reboot()
    chip = rig.chip
    chip.reads = chip.model_us = 0
    rig.intake.restore(rig.scratch)
    print("start_reads", chip.reads)
    print("start_us", chip.model_us)


def main() -> None:
    count = int(sys.argv[1])
    rig = Rig(count + OVERLAY + 1)
    listed = records(count)
    rig.full(1, listed)
    worst_us = lookups(rig, listed, "base")
    heap_of_lookups(rig, listed)
    start(rig)
    rig.work()
    listed = revoke(rig, 2, listed)
    new = deltas.applied(listed, records(OVERLAY - 1, 100_000))
    rig.delta(3, listed, new, deltas.between(listed, new))
    worst_us = max(worst_us, lookups(rig, new, "overlay"))
    merged = merge(rig)
    pushed = push(rig, 4, new)
    for name, stretches in (("merge", merged), ("push", pushed)):
        print("decision_during_" + name + "_p99_us", stretches.p99_wait_us() + worst_us)


main()
