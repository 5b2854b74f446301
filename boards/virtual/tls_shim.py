"""The `tls` module of a virtual board: the real one; with `charge`, an ESP32's handshake time.

Mutual TLS on an ESP32 blocks 334 ms for the flight of the server's certificate and key, 698 ms
for checking the client's and 68 ms for the end. The flights are told apart by the handshake
messages that cross the stream: the first change-cipher-spec record ends the client's.
"""

import io

from facade import pick

_NAMES = (
    "CERT_NONE CERT_OPTIONAL CERT_REQUIRED MBEDTLS_VERSION PROTOCOL_DTLS_CLIENT "
    "PROTOCOL_DTLS_SERVER PROTOCOL_TLS_CLIENT PROTOCOL_TLS_SERVER SSLContext"
)
_HELLO_MS = 334
_CLIENT_MS = 698
_FINISH_MS = 68
_CHANGE_CIPHER_SPEC = 20
_APPLICATION_DATA = 23
_HEADER_BYTES = 5


class Meter(io.IOBase):
    """The stream below TLS; spends an ESP32's time at the handshake's turns."""

    def __init__(self, stream, sleep_ms) -> None:
        self._stream = stream
        self._sleep_ms = sleep_ms
        self._header = bytearray(_HEADER_BYTES)
        self._have = 0
        self._skip = 0
        self._stage = 0

    def readinto(self, buf):
        count = self._stream.readinto(buf)
        if count and self._stage == 1:
            self._follow(memoryview(buf)[:count])
        return count

    def write(self, buf):
        if self._stage == 0:
            self._stage = 1
            self._sleep_ms(_HELLO_MS)
        elif self._stage == 2:
            self._stage = 3
            self._sleep_ms(_FINISH_MS)
        return self._stream.write(buf)

    def ioctl(self, request: int, argument: int) -> int:
        return self._stream.ioctl(request, argument)

    def _follow(self, data) -> None:
        """Walk the record headers of the client's flight up to its change of cipher."""
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            self._header[self._have] = data[at]
            self._have += 1
            at += 1
            if self._have == _HEADER_BYTES:
                self._have = 0
                self._skip = self._header[3] << 8 | self._header[4]
                if self._header[0] in (_CHANGE_CIPHER_SPEC, _APPLICATION_DATA):
                    self._stage = 2
                    self._sleep_ms(_CLIENT_MS)
                    return


def build(native, charge: bool, sleep_ms) -> dict:
    """The module's names."""
    names = pick(native, _NAMES)
    if not charge:
        return names

    class SSLContext:
        """The real context behind a meter on every stream that it wraps."""

        def __init__(self, protocol: int) -> None:
            self._context = native.SSLContext(protocol)

        @property
        def verify_mode(self) -> int:
            return self._context.verify_mode

        @verify_mode.setter
        def verify_mode(self, mode: int) -> None:
            self._context.verify_mode = mode

        def load_cert_chain(self, cert, key) -> None:
            self._context.load_cert_chain(cert, key)

        def load_verify_locations(self, cadata) -> None:
            self._context.load_verify_locations(cadata)

        def get_ciphers(self) -> list:
            return self._context.get_ciphers()

        def set_ciphers(self, names) -> None:
            self._context.set_ciphers(names)

        def wrap_socket(self, stream, **options):
            return self._context.wrap_socket(Meter(stream, sleep_ms), **options)

    names["SSLContext"] = SSLContext
    return names
