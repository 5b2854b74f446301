"""The `socket` module as a stock ESP32 has it: addresses are tuples, and only its own is bound.

An ESP32 listens on all its interfaces; here "0.0.0.0" means the board's own loopback address, so
that many boards live side by side, each with port 7443.
"""

import io

import page as layout

_ANY = ("", "0.0.0.0")
_AF_INET = 2
_SOCK_STREAM = 1
_IPPROTO_TCP = 6
_TCP_NODELAY = 1
_SOL_SOCKET = 0xFFF
_SO_REUSEADDR = 4


def build(native, libc_nodelay, page, own_address: str) -> dict:
    """The module's names. `libc_nodelay(fd)` switches Nagle's delay off."""

    def place(address: tuple, binding: bool) -> bytes:
        host, port = address
        if binding and host in _ANY:
            host = own_address
        return native.getaddrinfo(host, port)[0][-1]

    def readable_address(raw: bytes) -> tuple:
        family, host, port = native.sockaddr(raw)[:3]
        return (native.inet_ntop(family, host), port)

    class Socket(io.IOBase):
        """One TCP or UDP socket."""

        def __init__(
            self, family: int = _AF_INET, type: int = _SOCK_STREAM, proto: int = 0
        ) -> None:
            if isinstance(family, int):
                self._socket = native.socket(native.AF_INET, type)
            else:
                self._socket = family  # accept() hands over what it got

        def bind(self, address: tuple) -> None:
            # A reset board must get its port back at once, which lwIP grants and Linux does not.
            self._socket.setsockopt(native.SOL_SOCKET, native.SO_REUSEADDR, 1)
            self._socket.bind(place(address, True))

        def listen(self, backlog: int = 2) -> None:
            self._socket.listen(backlog)
            page.bytes[layout.SERVES] = 1

        def accept(self) -> tuple:
            taken, raw = self._socket.accept()
            return Socket(taken), readable_address(raw)

        def connect(self, address: tuple) -> None:
            if not page.bytes[layout.WIFI_UP]:
                raise OSError(118)
            self._socket.connect(place(address, False))

        def setsockopt(self, level: int, option: int, value: object) -> None:
            if level == _IPPROTO_TCP and option == _TCP_NODELAY:
                libc_nodelay(self._socket.fileno())

        def setblocking(self, flag: bool) -> None:
            self._socket.setblocking(flag)

        def settimeout(self, seconds: object) -> None:
            self._socket.settimeout(seconds)

        def recv(self, count: int) -> bytes:
            return self._socket.recv(count)

        def recvfrom(self, count: int) -> tuple:
            data, raw = self._socket.recvfrom(count)
            return data, readable_address(raw)

        def send(self, data) -> int:
            return self._socket.send(data)

        def sendall(self, data) -> None:
            rest = memoryview(data)
            while rest:
                rest = rest[self._socket.send(rest) :]

        def sendto(self, data, address: tuple) -> int:
            return self._socket.sendto(data, place(address, False))

        def read(self, *count):
            return self._socket.read(*count)

        def readinto(self, buf, *count):
            return self._socket.readinto(buf, *count)

        def readline(self, *count):
            return self._socket.readline(*count)

        def write(self, data, *count):
            return self._socket.write(data, *count)

        def makefile(self, *mode):
            return self

        def fileno(self) -> int:
            return self._socket.fileno()

        def close(self) -> None:
            self._socket.close()

        def ioctl(self, request: int, argument: int) -> int:
            if request == layout.STREAM_GET_FILENO:
                return self._socket.fileno()
            if request == layout.STREAM_CLOSE:
                self._socket.close()
            return 0

    def getaddrinfo(host: str, port: int, *more) -> list:
        return [(_AF_INET, _SOCK_STREAM, 0, "", (host, port))]

    return {
        "AF_INET": _AF_INET,
        "SOCK_STREAM": _SOCK_STREAM,
        "SOCK_DGRAM": 2,
        "SOL_SOCKET": _SOL_SOCKET,
        "SO_REUSEADDR": _SO_REUSEADDR,
        "IPPROTO_TCP": _IPPROTO_TCP,
        "IPPROTO_IP": 0,
        "TCP_NODELAY": _TCP_NODELAY,
        "getaddrinfo": getaddrinfo,
        "socket": Socket,
    }
