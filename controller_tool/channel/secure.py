"""Mutual TLS 1.2 over any byte stream, with the controller's certificate pinned (host).

The tool trusts exactly one certificate for a controller, the one that the registry holds: it is
the only trust anchor, its name is checked, and its bytes are compared. No authority can vouch
for another.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING

from controller_tool.channel.stream import ByteStream, Deadline, broken
from controller_tool.errors import DeviceError, LinkError
from controller_tool.messages import t
from protocol.constants import HANDSHAKE_TIMEOUT_MS

if TYPE_CHECKING:
    from pathlib import Path


def client_context(
    cert_path: Path | str, key_path: Path | str, password: str, pinned_der: bytes
) -> ssl.SSLContext:
    """A TLS client that shows this peer certificate and trusts that controller alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # with 1.3 a refused client certificate shows only after the client believes that it is in
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_cert_chain(str(cert_path), str(key_path), password=password)
    context.load_verify_locations(cadata=pinned_der)
    return context


class SecureStream:
    """A TLS session on a byte stream; itself a byte stream."""

    def __init__(
        self, stream: ByteStream, context: ssl.SSLContext, device_id: bytes, pinned_der: bytes
    ) -> None:
        self._stream = stream
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=f"{device_id.hex()}.controller"
        )
        self._pinned_der = pinned_der

    @property
    def sent_bytes(self) -> int:
        """Bytes put on the wire below TLS."""
        return self._stream.sent_bytes

    @property
    def received_bytes(self) -> int:
        """Bytes taken from the wire below TLS."""
        return self._stream.received_bytes

    def handshake(self, early: bytes = b"") -> None:
        """Brings the session up; DeviceError when either side refuses the other.

        early: bytes of the controller's that arrived together with its preface.
        """
        deadline = Deadline(HANDSHAKE_TIMEOUT_MS / 1000)
        self._incoming.write(early)
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._send()
                self._take(deadline)
            except ssl.SSLError as error:
                self._send()
                raise _refused(error) from error
        self._send()
        if self._tls.getpeercert(binary_form=True) != self._pinned_der:
            raise DeviceError(
                t("This is not the controller that was provisioned (its certificate differs)"),
                t("Find out who answers at this address; provision again only if you know why"),
            )

    def read(self, timeout_s: float) -> bytes:
        """Plain bytes; b"" when the time is up; LinkError when the session has ended."""
        deadline = Deadline(timeout_s)
        while True:
            try:
                data = self._tls.read(65536)
            except ssl.SSLWantReadError:
                arrived = self._stream.read(deadline.left_s)
                if not arrived:
                    return b""
                self._incoming.write(arrived)
                continue
            except ssl.SSLError as error:
                raise _refused(error) from error
            if not data:
                raise broken(t("closed by the controller"))
            return bytes(data)

    def write(self, data: bytes) -> None:
        """All of the data, in one TLS record up to 16 KB."""
        self._tls.write(data)
        self._send()

    def close(self) -> None:
        """Ends the session in order where the wire still carries that, then lets it go."""
        with contextlib.suppress(ssl.SSLError, LinkError, ValueError):
            try:
                self._tls.unwrap()
            except ssl.SSLWantReadError:
                self._send()  # close_notify is out; the answer is not waited for
        self._stream.close()

    def _send(self) -> None:
        data = self._outgoing.read()
        if data:
            self._stream.write(data)

    def _take(self, deadline: Deadline) -> None:
        if deadline.passed:
            raise LinkError(
                t("The controller did not finish the TLS handshake"),
                t("Run the command again; if it stays so, restart the controller"),
            )
        self._incoming.write(self._stream.read(deadline.left_s))


def _refused(error: ssl.SSLError) -> DeviceError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return DeviceError(
            t("This is not the controller that was provisioned ({detail})", detail=error.reason),
            t("Find out who answers at this address; provision again only if you know why"),
        )
    return DeviceError(
        t("The controller refused our certificate ({detail})", detail=error.reason or error),
        t("Use a site folder whose role the controller's site has issued and not revoked"),
    )
