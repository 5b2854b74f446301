"""Proves the list in force by what is stored, after a start (device).

Its records were proven before they came into force, but they may have rotted since. A start does
not wait for that: until everything is proven, each decision proves the bucket that it reads, and
the background the others. Once, before the first: the bucket hashes of the base's table, and of
the buckets that the overlay touches as they are stored, must give the digest that is signed. Then
each bucket must have the hash that the table says. A list that fails goes out of force: it is no
longer one that was signed. Loaded for this and forgotten after it.
"""

from hashlib import sha256

from firmware.loan import forget
from protocol.codes import ERR_DIGEST, EVENT_LIST_REFUSED
from protocol.constants import BUCKETS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from firmware.blend import Blend
    from firmware.intake import Intake

_RECORDS_A_STEP = 1000


class Proof:
    """The whitelist's `prover` until it is proven; calls and steps may come in any order."""

    def __init__(self, intake: "Intake") -> None:
        self._intake = intake
        self._whitelist = intake.whitelist
        self._blend: "Blend | None" = None
        self._done = bytearray(BUCKETS)

    def __call__(self, bucket: int) -> None:
        """Prove one bucket; the list is dropped if it is not what was signed."""
        if self._blend is None:
            self._blend = self._anchored()
        blend = self._blend
        if blend is None or self._done[bucket]:
            return
        inner = sha256()
        for piece in blend.pieces(bucket):
            inner.update(piece)
        if inner.digest() == blend.stored_hash(bucket):
            self._done[bucket] = 1
        else:
            self._fail()

    def _anchored(self) -> "Blend | None":
        from firmware.blend import PIECE_BYTES, blend_of, digesting

        forget("firmware.blend")
        held = self._whitelist.manifest
        if held is None:
            return None
        wanted = [held.result_digest, held.count]
        blend = blend_of(self._whitelist, memoryview(bytearray(PIECE_BYTES)))
        for touched_only in (True, False):  # if the table has rotted, the records may be good
            for bucket in range(BUCKETS):
                self._done[bucket] = not touched_only or blend.touches_any(bucket)
            found: "list[object]" = []
            blend.seek(0)
            for _ in digesting(blend, found, touched_only):
                pass
            if found == wanted:
                return blend
        blend.close()
        self._fail()
        return None

    def _fail(self) -> None:
        self.close()
        self._whitelist.drop()
        self._intake.journal.note(EVENT_LIST_REFUSED, ERR_DIGEST)

    def close(self) -> None:
        """Let the files go."""
        if self._blend is not None:
            self._blend.close()
            self._blend = None

    def proving(self) -> "Generator[None, None, None]":
        """Steps of some milliseconds each, after which everything is proven."""
        whitelist = self._whitelist
        records = 0
        for bucket in range(BUCKETS):
            if whitelist.prover is not self:
                return
            self(bucket)
            if self._blend is not None:
                records += self._blend.size(bucket)
            if records >= _RECORDS_A_STEP or bucket == 0:  # that one did more than itself
                records = 0
                yield
        self.close()
        whitelist.prover = None
