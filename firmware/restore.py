"""What a start finds on the flash is put into force (device).

Loaded at a start and after an error of the flash at a change of lists. The list that /wl/active
names is taken if its signature is right, its version not below the floor, and its files say where
everything lies; its records were proven before they came into force and are proven again in the
background. If trailer or table are damaged, what they say is found out anew: the base is the one
of the two with which the list has the digest that is signed.
"""

import gc
from array import array

from firmware import signed
from firmware.loan import forget
from firmware.whitelist import ACTIVE_PATH
from protocol.cbor import Malformed
from protocol.codes import (
    CLOCK_UNSET,
    ERR_DIGEST,
    ERR_FLASH,
    ERR_MALFORMED,
    ERR_SIGNATURE,
    ERR_VERSION_LOW,
    EVENT_LIST_REFUSED,
    KEY_WHITELIST,
)
from protocol.constants import AAD_MANIFEST, CARD_RECORD_BYTES
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

    from firmware.intake import Intake
    from firmware.whitelist import Whitelist
    from protocol.cose import Buffer
    from protocol.manifest import Manifest

    Tail = tuple[int, int, int, array[int]]

_HEAD_BYTES = 64


def restore(intake: "Intake", scratch: memoryview) -> None:
    """Put the list that the flash holds into force; refusals are journalled."""
    whitelist = intake.whitelist
    whitelist.drop()
    try:
        file = open(ACTIVE_PATH, "rb")  # noqa: SIM115 - for all that follows
    except OSError:  # never had a list
        return
    try:
        tail = _tail(file)
        if tail is not None:
            whitelist.slot = tail[0]  # whatever becomes of it, no new list is written over it
            _take(intake, _accepted_before(intake, file, tail[1]), tail)
        if whitelist.manifest is None:
            _find_out(intake, file, scratch)
        in_force = whitelist.manifest
        if in_force is not None:
            same_epoch = in_force.epoch == intake.config.epoch
            is_new = same_epoch and in_force.version > intake.journal.version_floor
            intake.entered(in_force, is_new)
    except Refused as error:
        whitelist.drop()
        intake.journal.note(EVENT_LIST_REFUSED, error.code)
    except OSError:
        whitelist.drop()
        intake.journal.note(EVENT_LIST_REFUSED, ERR_FLASH)
    finally:
        file.close()


def _tail(file: "IO[bytes]") -> "Tail | None":
    from firmware.list_files import read_tail

    forget("firmware.list_files")
    return read_tail(file)


def _take(intake: "Intake", held: "Manifest", tail: "Tail") -> None:
    """Put it into force, to be proven bucket by bucket, unless its table is damaged."""
    from firmware.tables import read_table

    forget("firmware.tables")
    whitelist = intake.whitelist
    slot, envelope_bytes, base_count, index = tail
    table = read_table(whitelist.bases, slot)
    if table is None or table[0] != base_count:
        return
    from firmware.proof import Proof

    forget("firmware.proof")
    whitelist.take(held, slot, base_count, table[1], index, envelope_bytes, Proof(intake))


def _accepted_before(intake: "Intake", file: "IO[bytes]", envelope_bytes: int) -> "Manifest":
    """The manifest of an envelope that was accepted once, judged anew."""
    file.seek(0)
    # the signature before the code that reads the manifest: big numbers want room in one piece
    payload = _verified(intake, memoryview(file.read(envelope_bytes)))
    gc.collect()
    from protocol.manifest import check, parse

    forget("protocol.manifest")
    held = parse(memoryview(payload))
    config = intake.config
    if held.epoch == config.epoch and held.version < intake.journal.version_floor:
        raise Refused(ERR_VERSION_LOW)
    # the list of an older epoch stays until one of the new epoch comes
    check(
        held, config.site, config.device, min(held.epoch, config.epoch), held.version - 1,
        0, CLOCK_UNSET, 0, intake.capacity, held.base_version, held.base_digest,
    )  # fmt: skip
    return held


def _verified(intake: "Intake", data: memoryview) -> "Buffer":
    """The payload of an envelope whose signature is right."""
    envelope, verifier = signed.opened(intake.keys, KEY_WHITELIST, data, AAD_MANIFEST)
    while verifier.step():
        gc.collect()  # as firmware/signed.py; nobody waits yet
    if not verifier.ok:
        raise Refused(ERR_SIGNATURE)
    return envelope.payload


# --- damage ---------------------------------------------------------------------------------


def _find_out(intake: "Intake", file: "IO[bytes]", scratch: memoryview) -> None:
    """Take the list by what its records say; the first reason why not, if it cannot be."""
    problem: "Refused | None" = None
    for slot in (intake.whitelist.slot, 1 - intake.whitelist.slot):
        try:
            _rebuild(intake, file, slot, scratch)
        except Refused as error:
            problem = problem or error
        except OSError:
            problem = problem or Refused(ERR_FLASH)
        else:
            return
    if problem is not None:
        raise problem


def _rebuild(intake: "Intake", file: "IO[bytes]", slot: int, scratch: memoryview) -> None:
    """Take the list with this base, its table made anew, its digest proven."""
    from firmware.blend import blend_of, digesting
    from firmware.list_files import TRAILER_BYTES
    from firmware.tables import Table, tabling

    for module in ("firmware.blend", "firmware.list_files", "firmware.tables"):
        forget(module)

    whitelist = intake.whitelist
    envelope_bytes = _envelope_bytes(file)
    held = _accepted_before(intake, file, envelope_bytes)
    overlay_bytes = file.seek(0, 2) - envelope_bytes - TRAILER_BYTES
    index = array("H")
    file.seek(envelope_bytes)
    for _ in range(overlay_bytes // (CARD_RECORD_BYTES + 2)):
        key = file.read(CARD_RECORD_BYTES)
        index.append(key[0] << 8 | key[1])
    bases = whitelist.bases
    count = _base_count(whitelist, file, slot, held.count if not len(index) else 0)
    table = Table(bases, slot)
    for _ in tabling(bases, slot, table, count, scratch):
        pass
    if table.problem is not None:
        raise Refused(ERR_DIGEST)
    table.finish()
    whitelist.take(held, slot, table.count, table.starts, index, envelope_bytes)
    found: "list[object]" = []
    blend = blend_of(whitelist, scratch)
    for _ in digesting(blend, found, False):
        pass
    blend.close()
    if found != [held.result_digest, held.count]:
        whitelist.drop()
        raise Refused(ERR_DIGEST)


def _base_count(whitelist: "Whitelist", file: "IO[bytes]", slot: int, count: int) -> int:
    """By the manifest without an overlay, else by the trailer or the table, whichever is whole."""
    from firmware.tables import read_table

    forget("firmware.tables")
    tail = _tail(file)
    if count or tail is not None:
        return count if tail is None else tail[2]
    table = read_table(whitelist.bases, slot)
    if table is None:
        raise Refused(ERR_DIGEST)
    return table[0]


def _envelope_bytes(file: "IO[bytes]") -> int:
    """Length of the envelope at the beginning of the file, by its own shape."""
    from protocol.cose import length_of

    file.seek(0)
    try:
        return length_of(file.read(_HEAD_BYTES))
    except Malformed as error:
        raise Refused(ERR_MALFORMED) from error
