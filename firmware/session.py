"""One connection from its first byte to its last: preface, TLS, requests (device).

Ends: the peer leaves, the wire breaks, 15 s without a request, 10 min in all, another guest goes
before, or a request without an id. What a list push has brought stays for the next session.
"""

import asyncio
import gc
import time

from firmware import dispatch
from firmware.knock import knock, write_all
from protocol import framing
from protocol.codes import EVENT_SESSION_CLOSED, EVENT_SESSION_OPENED
from protocol.constants import SESSION_IDLE_MS, SESSION_MAX_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller
    from firmware.secure import Secure

_POLL_MS = 2
_WRITE_MS = 10000


class Sessions:
    """Serves one guest at a time with the one buffer that there is for requests."""

    def __init__(self, controller: "Controller", secure: "Secure") -> None:
        self._c = controller
        self._secure = secure
        self._parser = framing.Parser()

    async def knock(self, stream: "Any", by_cable: bool) -> "tuple[int, bytes] | None":
        """The preface; whoever passes it holds the one place and must be given to serve()."""
        c = self._c
        caller = await knock(stream, c.config, c.admission, by_cable)
        if caller is None:
            await self._let_out(stream)  # the verdict that says when to come back
            stream.close()
        return caller

    async def serve(self, stream: "Any", caller: "tuple[int, bytes]") -> None:
        """Everything after the preface; the stream is closed afterwards."""
        c = self._c
        role, peer_id = caller
        secured = None
        try:
            if peer_id in c.keys.revoked_peers:
                raise ValueError("revoked")
            self._parser.clear()
            gc.collect()
            secured = await self._secure.accept(stream, role, peer_id, self._parser)
        except (OSError, ValueError):
            c.admission.refuse()
        if secured is not None:
            await self._talk(secured, role, peer_id)
        c.admission.leave(secured is not None)
        await self._let_out(stream)
        stream.close()

    async def _talk(self, secured: "Any", role: int, peer_id: bytes) -> None:
        c = self._c
        c.journal.record(EVENT_SESSION_OPENED, role, key=peer_id)
        requests = 0
        try:
            requests = await self._answer_all(secured, role)
        except (OSError, ValueError):  # the wire broke, or what came cannot be followed
            requests = 0
        except MemoryError as error:  # a defect, but not one to stop a door for
            dispatch.fault(c, error)
        c.intake.pause()
        c.journal.record(EVENT_SESSION_CLOSED, role, key=peer_id, extra=requests)
        try:
            secured.close()
        except OSError:  # the peer was faster
            return

    async def _answer_all(self, secured: "Any", role: int) -> int:
        """Answer requests until the session has to end; returns how many there were."""
        c = self._c
        guest = c.admission.guest
        end = time.ticks_add(time.ticks_ms(), SESSION_MAX_MS)
        heard = time.ticks_ms()
        requests = 0
        while guest is not None and not (guest.displaced or c.restart_wanted):
            now = time.ticks_ms()
            message = self._parser.next()
            if message is not None:
                reply = await dispatch.answer(c, role, message)
                await write_all(secured, reply, time.ticks_add(time.ticks_ms(), _WRITE_MS))
                requests += 1
                heard = time.ticks_ms()
                await asyncio.sleep_ms(0)  # what the next request needs may all be here already
                continue
            count = secured.readinto(self._parser.space())
            if count:
                self._parser.filled(count)
            elif (
                count == 0
                or time.ticks_diff(end, now) <= 0
                or time.ticks_diff(now, heard) >= SESSION_IDLE_MS
            ):
                break
            else:
                await asyncio.sleep_ms(_POLL_MS)
        return requests

    @staticmethod
    async def _let_out(stream: "Any") -> None:
        """Give what was written last a moment to leave before the stream is closed."""
        for _ in range(50):
            if not getattr(stream, "unsent", False):
                return
            await asyncio.sleep_ms(_POLL_MS)
