"""The network: joining the Wi-Fi without ever waiting for it, and the listener (device).

Callers wait for their preface side by side, at most PREFACES_WAITING_MAX; one more takes the place
of who has waited longest, one a round, so that all have time to answer. Beside a guest one waits,
if the heap has room for it, and the others outside.
Whoever has shown the key enters the one session.
"""

import asyncio
import gc
import socket
import time

from firmware import dispatch
from firmware.loan import forget
from protocol.constants import PREFACES_WAITING_MAX, TCP_PORT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller
    from firmware.pace import Watch
    from firmware.session import Sessions

_POLL_MS = 20
_BACKLOG = 8
_BESIDE_A_GUEST_BYTES = 10240  # a preface, its code, and what his next request wants
_JOIN_FIRST_MS = 5000
_JOIN_MAX_MS = 300000


class NetworkPort:
    """turn() does one round; nothing in it waits."""

    def __init__(self, controller: "Controller", sessions: "Sessions") -> None:
        self._c = controller
        self._sessions = sessions
        self._station = controller.station
        self._listener: "Any" = None
        self._waiting: "list[asyncio.Task[None]]" = []
        self._join_ms = 0
        self._asked = time.ticks_ms()

    async def run(self, watch: "Watch", task: int) -> None:
        """Rounds for ever, as task number `task`."""
        while True:
            self.turn()
            watch.alive(task)
            await asyncio.sleep_ms(_POLL_MS)

    def turn(self) -> None:
        """Join, listen, take in callers: what is due."""
        if not self._station.isconnected():
            self._leave()
            self._join()
            return
        self._join_ms = 0
        self._asked = time.ticks_ms()  # ticks that are never renewed come to lie in the future
        try:
            if self._listener is None:
                self._listen()
            if not self._is_full():
                self._accept()
        except OSError:  # the interface went away between two lines
            self._leave()
        except MemoryError as error:  # that caller has to come again
            dispatch.fault(self._c, error)

    def _join(self) -> None:
        wifi = self._c.config.wifi
        now = time.ticks_ms()
        if wifi is None or time.ticks_diff(now, self._asked) < self._join_ms:
            return
        self._asked = now
        self._join_ms = min(_JOIN_MAX_MS, max(_JOIN_FIRST_MS, 2 * self._join_ms))
        try:
            self._station.connect(wifi[0], wifi[1])
        except OSError:  # still busy with the last time: there is a next one
            return

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self._c.board.listen_address(), TCP_PORT))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        self._listener = listener

    def _leave(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        for _ in range(PREFACES_WAITING_MAX):
            try:
                connection = self._listener.accept()[0]
            except OSError:  # nobody there
                return
            if self._c.admission.guest is not None and gc.mem_free() < _BESIDE_A_GUEST_BYTES:
                connection.close()  # whoever may come comes again when there is room
                return
            try:
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:  # gone already
                connection.close()
                continue
            most = self._make_room(1)
            self._waiting.append(asyncio.create_task(self._receive(connection)))
            if len(self._waiting) == most:
                return

    def _make_room(self, coming: int) -> int:
        """Who waited longest goes; how many may wait."""
        most = PREFACES_WAITING_MAX if self._c.admission.guest is None else 1
        self._waiting = [task for task in self._waiting if not task.done()]
        while len(self._waiting) + coming > most:
            self._waiting.pop(0).cancel()
        return most

    def _is_full(self) -> bool:
        """Whether callers have to wait outside: beside a guest there is room for one, who has his
        whole time, for the guest's requests want the heap that the others would take."""
        guest = self._c.admission.guest
        if guest is None or not self._waiting:
            return False
        if gc.mem_free() < _BESIDE_A_GUEST_BYTES:
            if not (guest.is_in or guest.by_cable):  # one of them is the guest, in his handshake
                return True
            for task in self._waiting:
                task.cancel()
            self._waiting = []
            forget("firmware.knock")
            return True
        return self._make_room(0) == len(self._waiting)

    async def _receive(self, connection: "Any") -> None:
        guest = await self._sessions.knock(connection, False)
        if guest is not None:
            try:
                asyncio.create_task(self._sessions.serve(connection, guest))
            except MemoryError as error:
                self._c.admission.leave()
                connection.close()
                dispatch.fault(self._c, error)
