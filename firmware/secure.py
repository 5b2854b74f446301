"""Mutual TLS over any stream, and who the peer is by its certificate (device)."""

import asyncio
import io
import time

import tls

from firmware.config import read_file
from firmware.loan import forget
from protocol.constants import HANDSHAKE_TIMEOUT_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.admission import Peer
    from firmware.pace import Pace
    from protocol import framing

_POLL_MS = 2
_QUIET_MS = 100  # no handshake step within this time of a card or a contact
_PATIENCE_MS = 2000
_SILENCE_MS = 2000
_READS = 15  # without a pause; a power of two less one; a record takes two


class Sips(io.IOBase):
    """What TLS reads: now and then nothing, however much has come.

    Inside one read mbedtls goes from warning to warning for as long as they come.
    """

    def __init__(self, stream: "Any") -> None:
        self.write = stream.write
        self.heard = False  # something came since this was last set
        self._readinto = stream.readinto
        self._reads = 0

    def readinto(self, buf: "bytearray") -> "int | None":
        self._reads = (self._reads + 1) & _READS
        count: "int | None" = self._readinto(buf) if self._reads else None
        if count:
            self.heard = True
        else:
            self._reads = 0
        return count

    def ioctl(self, request: int, argument: int) -> int:
        return 0  # whoever opened the stream closes it


def _named(certificate: bytes) -> "tuple[int, bytes]":
    from protocol.der import peer_extension

    forget("protocol.der")
    return peer_extension(certificate)


class Secure:
    """The context, made once when the controller starts: its memory is whole then."""

    def __init__(self, pace: "Pace") -> None:
        self._pace = pace
        self._context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(read_file("/cfg/cert.der"), read_file("/cfg/key.der"))
        self._context.load_verify_locations(read_file("/cfg/ca.der"))
        self._context.verify_mode = tls.CERT_REQUIRED

    async def accept(self, stream: "Any", guest: "Peer", parser: "framing.Parser") -> "Any":
        """A TLS stream whose peer is the one of the preface; OSError or ValueError when not.

        Nobody stays who has nothing to say for two seconds, or who was displaced.

        Its reads and writes return None when there is nothing to be had now. What the peer sent
        with the end of its handshake is in the parser, and nobody has looked at it yet.
        """
        heard = time.ticks_ms()
        end = time.ticks_add(heard, HANDSHAKE_TIMEOUT_MS)
        sips = Sips(stream)
        secured = self._context.wrap_socket(sips, server_side=True, do_handshake_on_connect=False)
        try:
            while True:
                await self._let_the_door_finish()
                began = time.ticks_ms()
                # the handshake runs inside a read, which may go on to the first request
                count = secured.readinto(parser.space())
                certificate = secured.getpeercert(True)
                self._pace.handshake_step(began)
                if count:
                    parser.filled(count)
                if certificate is not None:
                    break
                now = time.ticks_ms()
                if sips.heard:
                    sips.heard = False
                    heard = now
                silent = time.ticks_diff(now, heard) >= _SILENCE_MS
                if count == 0 or silent or guest.displaced or time.ticks_diff(end, now) <= 0:
                    raise OSError("closed, late or displaced")
                await asyncio.sleep_ms(_POLL_MS)
            if _named(certificate) != (guest.role, guest.peer_id):
                raise ValueError("another peer than the preface's")
        except (OSError, ValueError):
            secured.close()
            raise
        return secured

    async def _let_the_door_finish(self) -> None:
        end = time.ticks_add(time.ticks_ms(), _PATIENCE_MS)
        while not self._pace.quiet_for(_QUIET_MS) and time.ticks_diff(end, time.ticks_ms()) > 0:
            await asyncio.sleep_ms(_POLL_MS)
