"""Which firmware this is; only a higher one takes its place without root (both interpreters).

major << 16 | minor << 8 | patch of pyproject.toml's version.
"""

VERSION = 0x000100


def text_of(version: int) -> str:
    """Host only. As people write it: 1.2.3; of any number that a journal may hold."""
    return ".".join(map(str, (version >> 16, version >> 8 & 0xFF, version & 0xFF)))


def number_of(text: str) -> int:
    """Host only. Of what people write; ValueError when it is not three numbers below 256."""
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise ValueError(text)
    return int.from_bytes(bytes([int(part) for part in parts]), "big")
