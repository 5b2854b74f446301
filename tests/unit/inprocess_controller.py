"""A controller of a few lines in a thread of the test: real preface, TLS, framing, link (host).

It answers on TCP or on a pseudo-terminal through the link layer, and takes its answers from a
table of operations. Faults are fields that a test sets: `wait_s` (busy verdicts to come),
`drop_every` and `corrupt_every` (bytes of the serial line, one in so many), `noise` (boot noise
before the first frame), `break_after` (bytes until the wire breaks).
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import socket
import ssl
import threading
import time
import tty
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller_tool.channel.dial import Identity
from controller_tool.keys import certificates
from controller_tool.keys.files import peer_id, save_key
from protocol import cbor, framing, messages, preface
from protocol.constants import MESSAGE_MAX_BYTES, PREFACE_ANSWER_BYTES, PREFACE_ANSWER_MS
from protocol.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable

PASSWORD = "only for this test"
DEVICE = bytes(range(8))
LINK_ROOT = bytes(range(32))


class Credentials:
    """A site's CAs and certificates, as small as a channel needs them."""

    def __init__(self, folder: Path, role: int) -> None:
        self.folder = folder
        device_ca_key, device_ca = certificates.issue_ca("devices")
        self.key_der, self.cert_der = certificates.issue_device_certificate(
            device_ca_key, device_ca, DEVICE
        )
        self.peer_ca_key, self.peer_ca = certificates.issue_ca("peers")
        self.role = role
        self.peer_key, self.peer_id = self.issue(self.peer_ca_key, self.peer_ca, "peer")

    def issue(self, ca_key: Any, ca: Any, name: str) -> tuple[Any, bytes]:
        """A peer certificate in the folder under ``name``; its key and id."""
        key, certificate = certificates.issue_peer_certificate(ca_key, ca, self.role)
        save_key(self.folder / f"{name}.pem", key, PASSWORD)
        (self.folder / f"{name}.crt.pem").write_bytes(certificates.certificate_pem(certificate))
        return key, peer_id(key.public_key())

    def identity(self, **changes: Any) -> Identity:
        """Who knocks; a test changes what it wants to be wrong."""
        name = changes.pop("name", "peer")
        who = changes.pop("peer_id", self.peer_id)
        fields: dict[str, Any] = {
            "role": self.role,
            "peer_id": who,
            "peer_key": preface.peer_key(LINK_ROOT, self.role, who),
            "cert_path": self.folder / f"{name}.crt.pem",
            "key_path": self.folder / f"{name}.pem",
            "password": PASSWORD,
            "device_id": DEVICE,
            "device_name": "door-1",
            "pinned_der": self.cert_der,
        }
        return Identity(**{**fields, **changes})


class TcpWire:
    """One accepted connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        connection.settimeout(0.02)

    def read(self) -> bytes:
        """What has come; b"" for nothing yet; EOFError when it is closed."""
        try:
            data = self._connection.recv(4096)
        except TimeoutError:
            return b""
        except OSError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        return data

    def write(self, data: bytes) -> None:
        """All of it, or EOFError."""
        try:
            self._connection.settimeout(5)
            self._connection.sendall(data)
            self._connection.settimeout(0.02)
        except OSError as error:
            raise EOFError from error

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()


class LinkWire:
    """The controller's end of one link session on the master side of a pseudo-terminal."""

    def __init__(self, master: int, faults: InprocessController) -> None:
        self._master = master
        self._faults = faults
        self._random = random.Random(7)
        self.link = Link(True)
        self._session = b""
        if faults.noise:
            os.write(master, faults.noise)

    def wait_for_session(self) -> None:
        """Serves hellos until a session is open; EOFError when the test is over."""
        while not self.link.connected:
            if self._faults.stopped:
                raise EOFError
            self._turn(0.02)
        self._session = self.link.session

    @property
    def _is_up(self) -> bool:
        # a bye and the next hello may come in one read: then the link is up for another session
        return self.link.connected and self.link.session == self._session

    def read(self) -> bytes:
        """What the link layer delivered; EOFError after a bye."""
        self._turn(0.02)
        taken = bytearray(1024)
        count = self.link.read_into(taken) if self.link.session == self._session else 0
        if not count and not self._is_up:
            raise EOFError
        return bytes(taken[:count])

    def write(self, data: bytes) -> None:
        """All of it, at the pace of the other side's acknowledgements."""
        rest = memoryview(data)
        while rest:
            if not self._is_up:
                raise EOFError
            rest = rest[self.link.write(rest) :]
            self._turn(0.0)

    def close(self) -> None:
        """Says bye, if the session is still this one."""
        if self._is_up:
            self.link.close()
            self._turn(0.0)

    def _turn(self, wait_s: float) -> None:
        now_ms = int(time.monotonic() * 1000) & 0x1FFFFFFF
        readable, _, _ = select.select([self._master], [], [], wait_s)
        data = os.read(self._master, 4096) if readable else b""
        self.link.receive(self._spoilt(data), now_ms)
        while frame := self.link.transmit(now_ms):
            os.write(self._master, self._spoilt(bytes(frame)))

    def _spoilt(self, data: bytes) -> bytes:
        """The line's share: bytes lost or changed."""
        drop, corrupt = self._faults.drop_every, self._faults.corrupt_every
        kept = bytearray()
        for byte in data:
            if drop and self._random.randrange(drop) == 0:
                continue
            changed = corrupt and self._random.randrange(corrupt) == 0
            kept.append(byte ^ (1 << self._random.randrange(8)) if changed else byte)
        return bytes(kept)


class InprocessController:
    """Serves sessions one after another until it is closed. ``answer`` maps an operation to a
    function of its arguments that returns a value or raises messages.Refused."""

    def __init__(self, credentials: Credentials) -> None:
        self.answer: dict[int, Callable[..., cbor.Value]] = {}
        self.wait_s: list[int] = []
        self.refused = 0
        self.drop_every = self.corrupt_every = 0
        self.noise = b""
        self.break_after: int | None = None
        self.stopped = False
        self._credentials = credentials
        self._context = self._tls()
        self._threads: list[threading.Thread] = []
        self._descriptors: list[int] = []
        self._listener: socket.socket | None = None

    def listen(self) -> tuple[str, int]:
        """Serves on TCP; host and port."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._start(self._serve_tcp)
        host, port = self._listener.getsockname()
        return str(host), int(port)

    def cable(self) -> str:
        """Serves on a pseudo-terminal; its path."""
        master, slave = os.openpty()
        tty.setraw(slave)
        self._descriptors += [master, slave]
        self._start(lambda: self._serve_cable(master))
        return os.ttyname(slave)

    def close(self) -> None:
        """Ends all service."""
        self.stopped = True
        for thread in self._threads:
            thread.join(10)
        if self._listener is not None:
            self._listener.close()
        for descriptor in self._descriptors:
            os.close(descriptor)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _tls(self) -> ssl.SSLContext:
        folder = self._credentials.folder
        chain = folder / "device.pem"
        chain.write_text(
            _pem("EC PRIVATE KEY", self._credentials.key_der)
            + ssl.DER_cert_to_PEM_cert(self._credentials.cert_der)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(chain)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(
            cadata=certificates.certificate_der(self._credentials.peer_ca)
        )
        return context

    def _serve_tcp(self) -> None:
        assert self._listener is not None
        while not self.stopped:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve(TcpWire(connection))

    def _serve_cable(self, master: int) -> None:
        wire = LinkWire(master, self)
        with contextlib.suppress(EOFError):
            while not self.stopped:
                wire.wait_for_session()
                self._serve(wire)

    def _serve(self, wire: TcpWire | LinkWire) -> None:
        with contextlib.suppress(EOFError, ssl.SSLError, preface.Refused):
            early = self._preface(wire)
            if early is not None:
                Served(self, wire, self._context, early).run()
        wire.close()

    def _preface(self, wire: TcpWire | LinkWire) -> bytes | None:
        """What came after the answer; None when the verdict was busy."""
        nonce = os.urandom(16)
        wire.write(preface.greeting(nonce))
        heard = b""
        end = time.monotonic() + PREFACE_ANSWER_MS / 1000
        while len(heard) < PREFACE_ANSWER_BYTES:
            if time.monotonic() > end or self.stopped:
                raise EOFError
            heard += wire.read()
        answer, early = heard[:PREFACE_ANSWER_BYTES], heard[PREFACE_ANSWER_BYTES:]
        try:
            _, exchange = preface.check_answer(LINK_ROOT, DEVICE, nonce, answer)
        except preface.Refused:
            self.refused += 1
            raise
        wait_s = self.wait_s.pop(0) if self.wait_s else None
        wire.write(preface.verdict(exchange, 0 if wait_s is None else 1, wait_s or 0))
        return early if wait_s is None else None


class Served:
    """One TLS session."""

    def __init__(
        self, owner: InprocessController, wire: Any, context: ssl.SSLContext, early: bytes
    ) -> None:
        self._owner = owner
        self._wire = wire
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._in.write(early)
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._received = 0

    def run(self) -> None:
        """Handshake, then requests until the peer leaves."""
        self._turn(self._tls.do_handshake)
        parser = framing.Parser(MESSAGE_MAX_BYTES)
        while True:
            message = parser.next()
            if message is None:
                data = self._turn(lambda: self._tls.read(4096))
                if not data:
                    return
                parser.feed(data)
                continue
            self._tls.write(self._reply(messages.parse_request(message)))
            self._send()

    def _reply(self, request: list[Any]) -> bytes:
        number, operation, *arguments = request
        try:
            messages.check_args(operation, arguments)
            if operation not in self._owner.answer:
                raise messages.Refused(1)
            value = self._owner.answer[operation](*arguments)
        except messages.Refused as refused:
            return messages.reply(number, refused.code)
        return messages.reply(number, 0, value)

    def _turn(self, step: Callable[[], Any]) -> Any:
        """A TLS step, fed from the wire as long as it wants more."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._send()
                self._take()
                continue
            except ssl.SSLError:
                self._send()  # the alert that says why
                raise
            self._send()
            return result

    def _take(self) -> None:
        if self._owner.stopped:
            raise EOFError
        data = self._wire.read()
        self._received += len(data)
        limit = self._owner.break_after
        if limit is not None and self._received > limit:
            raise EOFError
        self._in.write(data)

    def _send(self) -> None:
        data = self._out.read()
        if data:
            self._wire.write(data)


def _pem(label: str, der: bytes) -> str:
    body = ssl.DER_cert_to_PEM_cert(der)
    return body.replace("CERTIFICATE", label)
