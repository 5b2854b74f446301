"""What others wrote, as a terminal may show it (host).

File names, headers of rosters, answers of platforms and names from older registries may hold
escape sequences, which move the cursor, change the title or hide a line, and characters that turn
the order of reading around. No text of the tool needs any of them.
"""

from __future__ import annotations

_SHOWN = "\ufffd"
_CONTROLS = {*range(0x20), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")}
# invisible ones and those that change the direction, Unicode's Cf, Zl and Zp as far as they do
_HIDDEN = {
    0xAD, 0x61C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x2028, 0x202F),
    *range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080),
}  # fmt: skip
_TABLE = dict.fromkeys(_CONTROLS | _HIDDEN, _SHOWN)


def printable(text: str) -> str:
    """The text with a mark in place of each character that would act or hide."""
    return text.translate(_TABLE)
