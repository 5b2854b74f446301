"""A sheet of lines, boxes and texts as SVG; it knows where its texts are (host)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from html import escape

WIDTH = 1480
SIZE = 13
_FONT = "DejaVu Sans, Noto Sans, Noto Sans CJK SC, Microsoft YaHei, sans-serif"
_NARROW_EM, _WIDE_EM = 0.62, 1.02  # of a letter, at most on the average; of a Chinese character
_BOLD = 1.1


@dataclass(frozen=True)
class Text:
    """A text and the room that it takes at most."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Text) -> bool:
        """Whether the two share room."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


def width(text: str, size: int = SIZE, bold: bool = False) -> float:
    """Pixels that a text takes, rather more than less."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    ems = wide * _WIDE_EM + (len(text) - wide) * _NARROW_EM
    return ems * size * (_BOLD if bold else 1)


def folded(text: str, room: float, size: int = SIZE) -> list[str]:
    """The text in lines of so many pixels."""
    lines, line = [], ""
    for word in _pieces(text):
        if line and width(line + word.rstrip(), size) > room:
            lines.append(line.rstrip())
            line = ""
        line += word
    return [*lines, line.rstrip()]


def _pieces(text: str) -> list[str]:
    """Words with the blank behind them; between Chinese characters a line may always end."""
    pieces, piece = [], ""
    for letter in text:
        piece += letter
        if letter == " " or unicodedata.east_asian_width(letter) == "W":
            pieces.append(piece)
            piece = ""
    return [*pieces, piece]


class Sheet:
    """Coordinates in pixels from the upper left corner."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.texts: list[Text] = []
        self.height = 0.0

    def _reach(self, y: float) -> None:
        self.height = max(self.height, y)

    def text(
        self, x: float, y: float, text: str, size: int = SIZE, anchor: str = "start",
        bold: bool = False,
    ) -> None:  # fmt: skip
        """y: the line that it stands on; anchor: start, middle or end."""
        room = width(text, size, bold)
        left = x - {"start": 0.0, "middle": room / 2, "end": room}[anchor]
        self.texts.append(Text(text, left, y - 0.8 * size, left + room, y + 0.25 * size))
        weight = ' font-weight="bold"' if bold else ""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}"{weight}>'
            f"{escape(text)}</text>"
        )
        self._reach(y + size)

    def line(self, *points: tuple[float, float], stroke: float = 1.5) -> None:
        """A wire through those points."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self._parts.append(f'<polyline points="{path}" stroke-width="{stroke:g}"/>')
        self._reach(max(y for _, y in points))

    def box(self, x: float, y: float, right: float, bottom: float, stroke: float = 1.5) -> None:
        """A rectangle."""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{right - x:g}" height="{bottom - y:g}" '
            f'stroke-width="{stroke:g}"/>'
        )
        self._reach(bottom)

    def dot(self, x: float, y: float) -> None:
        """Wires that are joined."""
        self._parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="3.5" fill="black"/>')

    def terminal(self, x: float, y: float) -> None:
        """A screw."""
        self._parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="4.5" fill="white"/>')

    def contact(self, x: float, y: float, *, closed: bool, vertical: bool = False) -> None:
        """A contact at rest, 30 px long from its left or upper end."""
        if vertical:
            self.line((x, y), (x, y + 6))
            self.line((x, y + 6), (x + (0 if closed else 9), y + 24))
            self.line((x, y + 24), (x, y + 30))
            if closed:
                self.line((x - 6, y + 15), (x + 6, y + 15))
        else:
            self.line((x, y), (x + 6, y))
            self.line((x + 6, y), (x + 24, y - (0 if closed else 9)))
            self.line((x + 24, y), (x + 30, y))
            if closed:
                self.line((x + 15, y - 6), (x + 15, y + 6))

    def svg(self) -> str:
        """The file."""
        height = self.height + 20
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" '
            f'width="{WIDTH}" height="{height:g}" font-family="{_FONT}">'
        )
        ground = f'<rect width="{WIDTH}" height="{height:g}" fill="white"/>'
        lines = [part for part in self._parts if not part.startswith("<text")]
        texts = [part for part in self._parts if part.startswith("<text")]
        return "\n".join(
            [head, ground, '<g fill="none" stroke="black">', *lines, "</g>", *texts, "</svg>", ""]
        )
