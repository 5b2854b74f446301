"""A web server of one file on this computer, over TLS, that can be as bad as servers are (host)."""

from __future__ import annotations

import datetime as dt
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


@dataclass
class FileServer:
    """data: what it has; the rest says how it behaves from now on.

    cuts: after so many bytes each answer ends, one entry an answer; ranges: it knows them;
    length: it says how long the file is; redirect: where it sends everybody; status: answers with
    that code alone; silent_s: says nothing for so long; wrong_range: what it says is another part.
    asked: the Range header of each request, "" for none.
    """

    data: bytes
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    length: bool = True
    redirect: str = ""
    status: int = 0
    silent_s: float = 0.0
    wrong_range: bool = False
    asked: list[str] = field(default_factory=list)
    port: int = 0
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    @property
    def address(self) -> str:
        """Where the file stands."""
        return f"https://{HOST}:{self.port}/image.bin"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: FileServer

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """As the server is told to behave."""
        served = self.served
        asked = self.headers.get("Range", "")
        served.asked.append(asked)
        self.close_connection = True
        time.sleep(served.silent_s)
        if served.redirect:
            self.send_response(302)
            self.send_header("Location", served.redirect)
            self._end(0)
            return
        first = (
            int(asked.removeprefix("bytes=").removesuffix("-")) if asked and served.ranges else 0
        )
        if served.status or first > len(served.data) or (first and first == len(served.data)):
            self.send_response(served.status or 416)
            self._end(0)
            return
        body = served.data[first:]
        self.send_response(206 if first else 200)
        if first:
            begins = first + 1 if served.wrong_range else first
            self.send_header(
                "Content-Range", f"bytes {begins}-{len(served.data) - 1}/{len(served.data)}"
            )
        self._end(len(body) if served.length else None)
        self.wfile.write(body[: served.cuts.pop(0)] if served.cuts else body)

    def _end(self, length: int | None) -> None:
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()


class TlsServer(ThreadingHTTPServer):
    """A server of this computer over TLS. certificate: file by which it proves that."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], folder: Path) -> None:
        super().__init__((HOST, 0), handler)
        self.certificate = make_certificate(folder)
        inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        inside.load_cert_chain(self.certificate)
        self.socket = inside.wrap_socket(self.socket, server_side=True)

    @property
    def context(self) -> ssl.SSLContext:
        """It trusts this server and nobody else."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def handle_error(self, *_: object) -> None:
        """Whoever hung up meant to."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """It answers while the block runs."""
        thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


@contextmanager
def serving(data: bytes, folder: Path) -> Iterator[FileServer]:
    """A server that runs while the block does; `context` trusts it and nobody else."""
    served = FileServer(data)
    server = TlsServer(type("Handler", (_Handler,), {"served": served}), folder)
    served.port, served.context = server.server_port, server.context
    with server.running():
        yield served


def make_certificate(folder: Path) -> Path:
    """Certificate and key of this computer, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"file server {secrets.token_hex(4)}")]
    )
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
