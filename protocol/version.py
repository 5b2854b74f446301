"""Which firmware this is; only a higher one takes its place without root (both interpreters).

major << 16 | minor << 8 | patch of pyproject.toml's version.
"""

VERSION = 0x000100


def text_of(version: int) -> str:
    """Host only. As people write it."""
    return ".".join(map(str, (version >> 16, version >> 8 & 0xFF, version & 0xFF)))
