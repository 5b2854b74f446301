"""The keyed preface on a fresh connection, before any TLS byte (device).

A stranger costs one hash and is hung up on without a word; see docs/protocol.md section 7. Loaded
for whoever comes, and kept until somebody was let in: a flood of strangers loads it once.
"""

import asyncio
import os
import time

from firmware.writing import wait, write_all
from protocol import preface
from protocol.constants import NONCE_BYTES, PREFACE_ANSWER_BYTES, PREFACE_ANSWER_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.admission import Peer
    from firmware.controller import Controller

# cancelled: another caller has taken the place of one who kept silent
_NO_GUEST = (OSError, preface.Refused, asyncio.CancelledError)


async def knock(stream: "Any", c: "Controller", by_cable: bool) -> "Peer | None":
    """A caller who may go on to TLS and holds the one place; None: hang up."""
    config, admission = c.config, c.admission
    end = time.ticks_add(time.ticks_ms(), PREFACE_ANSWER_MS)
    nonce = os.urandom(NONCE_BYTES)
    answer = bytearray(PREFACE_ANSWER_BYTES)
    try:
        await write_all(stream, preface.greeting(nonce), end)
        await _read_exactly(stream, answer, end)
        role, exchange = preface.check_answer(config.link_root, config.device, nonce, answer)
        if exchange.peer_id in c.keys.revoked_peers:  # nobody makes room for him
            raise preface.Refused("revoked")
    except _NO_GUEST:
        admission.refuse()
        return None
    wait_s = admission.ask(role, exchange.peer_id, by_cable)
    has_place = not wait_s
    told = False
    try:
        await write_all(stream, preface.verdict(exchange, 1 if wait_s else 0, wait_s), end)
        told = True
    except _NO_GUEST:
        return None
    finally:
        if has_place and not told:
            admission.leave()
    return admission.guest if has_place else None


async def _read_exactly(stream: "Any", buffer: bytearray, end_ticks: int) -> None:
    rest = memoryview(buffer)
    while rest:
        count = stream.readinto(rest)
        if count == 0:
            raise OSError("closed")
        if count:
            rest = rest[count:]
        else:
            await wait(end_ticks)
