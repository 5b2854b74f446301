"""What lists cost on the flash model, in heap and on the wire (MicroPython).

    micropython measure_lists.py CARDS

Prints one line a figure: name and number. Times are those of the flash model; a stretch is what
lies between two moments at which the firmware lets its door in.
"""

import gc
import hashlib
import sys
from array import array

from firmware.loan import forget
from protocol import deltas
from protocol import sector_header as _early  # noqa: F401  nested imports cost stack
from protocol.constants import FLAG_REVOKED, RSA_BYTES
from tests.firmware.list_rig import Rig, at_yield, records, run, signed, signed_delta

LOOKUPS = 600
STRETCHES_MAX = 16384
OVERLAY = 500


class Stretches:
    """Model time between two yields, in an array that takes no more heap while it fills."""

    def __init__(self, rig: Rig) -> None:
        self._chip = rig.chip
        self._last_us = rig.chip.model_us
        self.us = array("I", bytes(4 * STRETCHES_MAX))
        self.count = 0

    def __call__(self) -> None:
        now_us = self._chip.model_us
        self.us[self.count] = now_us - self._last_us
        self.count += 1
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
    """Bytes that the search itself allocates in so many lookups, on bases that cost nothing."""

    class Flat:
        def read(self, _half: int, at: int, buffer: bytearray) -> None:
            for i in range(min(len(buffer), len(listed) - at)):
                buffer[i] = listed[at + i]

    whitelist = rig.whitelist
    held, whitelist.bases = whitelist.bases, Flat()
    keys = [listed[at : at + 8] for at in range(0, 16 * 200, 16)] + strangers(200)
    whitelist.find(keys[0])
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for key in keys:
        whitelist.find(key)
    after = gc.mem_alloc()
    gc.enable()
    whitelist.bases = held
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


def code(*names: str) -> int:
    """Heap that these modules take."""
    gc.collect()
    before = gc.mem_alloc()
    held = [__import__(name, None, None, ("*",)) for name in names]
    gc.collect()
    taken = gc.mem_alloc() - before
    del held
    for name in names:
        forget(name)
    gc.collect()
    return taken


def merge(rig: Rig) -> "Stretches":
    """A full overlay into the base: longest step, heap while it runs, with and without its code."""
    writing = code("firmware.merge", "firmware.blend")
    proving = code("firmware.merge", "firmware.tables")
    stretches = Stretches(rig)
    gc.collect()
    before = gc.mem_alloc()
    heap = data = 0
    rig.clock.uptime_s += 3601
    while len(rig.whitelist.index):
        rig.intake.step()
        stretches()
        if stretches.count % 50 == 5:
            gc.collect()
            now = gc.mem_alloc() - before
            heap = max(heap, now)
            data = max(data, now - (writing if rig.numbers.get("reached") else proving))
    print("merge_us", max(stretches.us))
    print("merge_heap", heap)
    print("merge_data", data)
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
