"""One connection from its first byte to its last: preface, TLS, requests (device).

Ends: the peer leaves, the wire breaks, 15 s without a request, 10 min in all, another guest goes
before, or a request without an id. What a list push has brought stays for the next session.
"""

import asyncio
import gc
import time

from firmware import dispatch
from firmware.loan import forget
from firmware.writing import write_all
from protocol import framing
from protocol.codes import EVENT_SESSION_CLOSED, EVENT_SESSION_OPENED
from protocol.constants import SESSION_IDLE_MS, SESSION_MAX_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.admission import Peer
    from firmware.controller import Controller
    from firmware.secure import Secure

_POLL_MS = 2
_WRITE_MS = 10000
_FAREWELL_POLLS = 500


class Sessions:
    """Serves one guest at a time with the one buffer that there is for requests."""

    def __init__(self, controller: "Controller", secure: "Secure") -> None:
        self._c = controller
        self._secure = secure
        self._parser = framing.Parser()

    async def knock(self, stream: "Any", by_cable: bool) -> "Peer | None":
        """The preface; whoever passes it holds the one place and must be given to serve()."""
        c = self._c
        guest = None
        try:
            from firmware.knock import knock

            guest = await knock(stream, c, by_cable)
            del knock
        except MemoryError as error:
            dispatch.fault(c, error)
        if guest is None:
            await _hang_up(stream)
        return guest

    async def serve(self, stream: "Any", guest: "Peer") -> None:
        """Everything after the preface; the stream is closed afterwards."""
        c = self._c
        forget("firmware.knock")
        try:
            self._parser.clear()
            gc.collect()
            secured = await self._secure.accept(stream, guest, self._parser)
            guest.is_in = True
            await self._talk(secured, guest)
        except (OSError, ValueError, MemoryError) as error:
            if dispatch.is_of_memory(error):
                dispatch.fault(c, error)
            if not guest.is_in:
                c.admission.refuse()
        forget("firmware.ring_pages")
        c.admission.leave()
        c.enrolment = None  # with what it has read: the same guest may come again
        await _hang_up(stream)

    async def _talk(self, secured: "Any", guest: "Peer") -> None:
        c = self._c
        self._note(EVENT_SESSION_OPENED, guest, 0)
        requests = 0
        try:
            requests = await self._answer_all(secured, guest)
        except (OSError, ValueError):  # the wire broke, or what came cannot be followed
            requests = 0
        except MemoryError as error:  # a defect, but not one to stop a door for
            dispatch.fault(c, error)
        self._note(EVENT_SESSION_CLOSED, guest, requests)
        secured.close()

    def _note(self, event: int, guest: "Peer", requests: int) -> None:
        """Journal it, with no list left open; a flash that refuses ends no session and no door."""
        c = self._c
        try:
            c.intake.pause()
            c.admission.tell(c.journal)  # whoever reads the log now reads all of it
            c.journal.note(event, guest.role, key=guest.peer_id, extra=requests)
        except (OSError, MemoryError) as error:
            dispatch.fault(c, error)

    async def _answer_all(self, secured: "Any", guest: "Peer") -> int:
        """Answer requests until the session has to end; returns how many there were."""
        c = self._c
        parser = self._parser
        heard = time.ticks_ms()
        end = time.ticks_add(heard, SESSION_MAX_MS)
        requests = 0
        while not (guest.displaced or c.restart_wanted):
            now = time.ticks_ms()
            guest.moved_s = c.clock.uptime_s
            if time.ticks_diff(end, now) <= 0 or time.ticks_diff(now, heard) >= SESSION_IDLE_MS:
                break
            count = None
            message = parser.next()
            if message is not None:
                reply = await dispatch.answer(c, guest.role, message)
                await write_all(secured, reply, time.ticks_add(time.ticks_ms(), _WRITE_MS))
                requests += 1
                heard = time.ticks_ms()
            else:
                count = secured.readinto(parser.space())
                if count == 0:
                    break
                parser.filled(count or 0)
            # all that the next request needs may be here already, in many pieces
            await asyncio.sleep_ms(_POLL_MS if message is None and not count else 0)
        return requests


async def _hang_up(stream: "Any") -> None:
    """Close, once what was written last had a moment to leave: the cable drops what it holds."""
    for _ in range(_FAREWELL_POLLS):
        if not getattr(stream, "unsent", False):
            break
        await asyncio.sleep_ms(_POLL_MS)
    stream.close()
