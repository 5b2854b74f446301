"""Receives files in deflated pieces and tells their hashes (device, raw REPL only).

A file grows under another name and takes its own when it is whole, so that a cut cable never
leaves half a file that looks like a file.
"""

import binascii
import hashlib
import io
import os

import deflate

_PART = ".part"
_BLOCK_BYTES = 512
_WINDOW_BITS = 12
_DIRECTORY = 0x4000

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_growing: "list[io.BufferedWriter]" = []  # the one file that is being received


def walk(folder: str = "/") -> "Iterator[tuple[str, bool]]":
    for entry in os.ilistdir(folder):
        path = folder + entry[0] if folder == "/" else folder + "/" + entry[0]
        yield path, entry[1] == _DIRECTORY
        if entry[1] == _DIRECTORY:
            yield from walk(path)


def digest(path: str) -> str:
    total = hashlib.sha256()
    block = bytearray(_BLOCK_BYTES)
    with open(path, "rb") as file:
        while True:
            count = file.readinto(block)
            if not count:
                break
            total.update(memoryview(block)[:count])
    return binascii.hexlify(total.digest()).decode()


def digests() -> None:
    for path, folder in walk():
        if not folder:
            print(path, digest(path))


def remove(paths: "list[str]") -> None:
    for path in paths:
        os.remove(path)


def make_folder(path: str) -> None:
    try:
        os.mkdir(path)
    except OSError:
        if os.stat(path)[0] != _DIRECTORY:
            raise


def begin(path: str) -> None:
    _growing[:] = [open(path + _PART, "wb")]


def piece(text: str) -> None:
    packed = io.BytesIO(binascii.a2b_base64(text))
    with deflate.DeflateIO(packed, deflate.RAW, _WINDOW_BITS) as plain:
        while True:
            block = plain.read(_BLOCK_BYTES)
            if not block:
                break
            _growing[0].write(block)


def end(path: str) -> None:
    _growing.pop().close()
    os.rename(path + _PART, path)
    print(digest(path))
