"""TLS on the virtual board: real, and as slow as an ESP32's when that is asked for (host)."""

import datetime as dt
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from controller_tool.sim import service
from tests.board.conftest import MakeBoard
from tests.board.prompt import Prompt

SERVE = """
import network, socket, tls
w = network.WLAN(network.STA_IF)
w.active(True)
w.connect("site")
context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
context.load_cert_chain(open("/cert.der", "rb").read(), open("/key.der", "rb").read())
s = socket.socket()
s.bind(("0.0.0.0", 7443))
s.listen(1)
"""
ANSWER = """
stream, _ = s.accept()
secure = context.wrap_socket(stream, server_side=True)
secure.write(secure.read(4) + b"!")
secure.close()
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, Path]:
    """A P-256 key and its own certificate: DER for the board, PEM for the client."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "board")])
    start = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start.replace(year=2090))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("board")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path_factory.mktemp("tls") / "board.pem"
    pem.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key_der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, plain
    )
    return built.public_bytes(serialization.Encoding.DER), key_der, pem


def handshake_s(board: service.Board, certificate: tuple[bytes, bytes, Path]) -> float:
    """Seconds from the first byte to the board's answer through TLS."""
    cert_der, key_der, pem = certificate
    context = ssl.create_default_context(cafile=str(pem))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    host, port = board.tcp_address.split(":")
    with Prompt(board) as prompt:
        prompt.transport.fs_writefile("/cert.der", cert_der)
        prompt.transport.fs_writefile("/key.der", key_der)
        prompt.run(SERVE)
        server = threading.Thread(target=prompt.run, args=(ANSWER,))
        server.start()
        try:
            started = time.monotonic()
            with (
                socket.create_connection((host, int(port)), timeout=10) as plain,
                context.wrap_socket(plain, server_hostname="board") as secure,
            ):
                secure.sendall(b"ping")
                assert secure.recv(5) == b"ping!"
            return time.monotonic() - started
        finally:
            server.join()


def test_a_pinned_certificate_is_proved(
    virtual_board: service.Board, certificate: tuple[bytes, bytes, Path]
) -> None:
    assert handshake_s(virtual_board, certificate) > 0


def test_a_charged_handshake_takes_what_an_esp32_takes(
    make_board: MakeBoard, certificate: tuple[bytes, bytes, Path]
) -> None:
    charged_s = (334 + 698 + 68) / 1000
    board = make_board("slow", charge=True)
    assert handshake_s(board, certificate) >= charged_s
    assert board.counters()["handshake_us"] >= 698000
