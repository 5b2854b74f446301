"""What the shims need of the computer underneath: mapped files, pipes, leaving (virtual board)."""

import struct

import ffi
import page as layout
import uctypes

_libc = ffi.open("libc.so.6")
_open = _libc.func("i", "open", "sii")
_close = _libc.func("i", "close", "i")
_mmap = _libc.func("p", "mmap", "pLiiil")
_ioctl = _libc.func("i", "ioctl", "iip")
_signal = _libc.func("p", "signal", "ip")
_prctl = _libc.func("i", "prctl", "iLLLL")
_setsockopt = _libc.func("i", "setsockopt", "iiipi")
leave = _libc.func("v", "_exit", "i")

_O_RDWR = 2
_READ_WRITE = 3
_SHARED = 1
_FIONREAD = 0x541B
_SIGINT = 2
_IGNORE = 1
_PARENT_DEATH_SIGNAL = 1
_SIGKILL = 9
_IPPROTO_TCP = 6
_TCP_NODELAY = 1

_one = bytearray(b"\x01\0\0\0")
_count = bytearray(4)


def map_file(path: str, size_bytes: int) -> bytearray:
    """A file of the computer as a bytearray outside the heap; changes reach the file."""
    fd = _open(path, _O_RDWR, 0)
    if fd < 0:
        raise OSError(2, path)
    address = _mmap(0, size_bytes, _READ_WRITE, _SHARED, fd, 0)
    _close(fd)
    return uctypes.bytearray_at(address, size_bytes)


def waiting_bytes(fd: int) -> int:
    """How many bytes a pipe holds that nobody has read."""
    _ioctl(fd, _FIONREAD, _count)
    return _count[0] | _count[1] << 8 | _count[2] << 16


def ignore_interrupts() -> None:
    """From here on an interrupt signal does nothing (it would end the process)."""
    _signal(_SIGINT, _IGNORE)


def die_with_parent() -> None:
    """The process ends with the supervisor that started it, however that ends."""
    _prctl(_PARENT_DEATH_SIGNAL, _SIGKILL, 0, 0, 0)


def no_delay(fd: int) -> None:
    """Switch Nagle's delay of a TCP socket off."""
    _setsockopt(fd, _IPPROTO_TCP, _TCP_NODELAY, _one, len(_one))


class Page:
    """The shared page: bytes by index, 32-bit words by offset."""

    def __init__(self, path: str) -> None:
        self.bytes = map_file(path, layout.PAGE_BYTES)

    def word(self, offset: int) -> int:
        return struct.unpack_from("<I", self.bytes, offset)[0]

    def set_word(self, offset: int, value: int) -> None:
        struct.pack_into("<I", self.bytes, offset, value)

    def add_word(self, offset: int, value: int) -> None:
        self.set_word(offset, self.word(offset) + value)
