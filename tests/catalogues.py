"""The PO files beside the sources: what is missing, what is left over; `./dev messages` (host).

    python -m tests.catalogues

Adds each new sentence, untranslated, to the room of its neighbours, removes what no source says
any more and what another room has too, renews the references, and names all that is untranslated.
Entries stand in the order of the sources. A name (with msgctxt) is written by hand and never
removed.
"""

from __future__ import annotations

import ast
import inspect
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Catalog, Message

from controller_tool import catalogues
from controller_tool.cli import words

ROOT = Path(__file__).resolve().parents[1]
SPOKEN_IN = "controller_tool"
NAMED_IN = ("controller_tool", "protocol", "firmware")  # the firmware names what `info` shows
_REFERENCES_MAX = 3
_HEADER = r"""msgid ""
msgstr ""
"Project-Id-Version: controller-tool\n"
"Language: zh_CN\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=1; plural=0;\n"

"""


@dataclass(frozen=True)
class Place:
    """Where a sentence stands: a file as git names it, and a line."""

    file: str
    line: int


@dataclass(frozen=True)
class Difference:
    """Sentences without an entry, and entries (room, sentence) without a sentence."""

    missing: list[str]
    orphaned: list[tuple[str, str]]


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each literal that is given to ``t`` in a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t":
            for argument in node.args:
                yield from literals(argument)


def literals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each string in a tree."""
    for part in ast.walk(tree):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.lineno, part.value


@cache
def spoken() -> dict[str, list[Place]]:
    """Each sentence of the tool and the places where it stands, in order."""
    found: dict[str, list[Place]] = {}
    for path in sorted((ROOT / SPOKEN_IN).rglob("*.py")):
        file = path.relative_to(ROOT).as_posix()
        for line, text in sorted(sentences(path.read_text(encoding="utf-8"))):
            found.setdefault(text, []).append(Place(file, line))
    return found


@cache
def sayable() -> set[str]:
    """Every string that could reach ``t`` by a variable: constants of ours, and click's texts."""
    sources = [
        path.read_text(encoding="utf-8") for top in NAMED_IN for path in (ROOT / top).rglob("*.py")
    ]
    sources += [inspect.getsource(module) for module in words.MODULES]
    return {text for source in sources for _, text in literals(ast.parse(source))}


def read(path: Path) -> Catalog:
    """A PO file; PoFileError when it is none."""
    with path.open("rb") as file:
        return pofile.read_po(file, locale="zh_CN", abort_invalid=True)


def rooms(folder: Path = catalogues.FOLDER) -> dict[str, Catalog]:
    """The catalogue of each room by its name."""
    return {path.stem: read(path) for path in sorted(folder.glob("*.po"))}


def entries(catalog: Catalog) -> list[Message]:
    """All but the header."""
    return [entry for entry in catalog if entry.id]


def compare(there: dict[str, Catalog], said: dict[str, list[Place]], other: set[str]) -> Difference:
    """Entries against sources: ``said`` must have one, ``other`` may."""
    held = {entry.id for room in there.values() for entry in entries(room) if not entry.context}
    return Difference(
        [text for text in said if text not in held],
        [
            (name, str(entry.id))
            for name, room in there.items()
            for entry in entries(room)
            if not entry.context and entry.id not in said and entry.id not in other
        ],
    )


def doubled(there: dict[str, Catalog]) -> list[tuple[str, Message]]:
    """Entries (and their rooms) that an earlier room has too: two branches wrote the same."""
    first: dict[tuple[str | None, str], str] = {}
    return [
        (name, entry)
        for name, room in there.items()
        for entry in entries(room)
        if first.setdefault((entry.context, str(entry.id)), name) != name
    ]


def room_for(places: list[Place], there: dict[str, Catalog]) -> str:
    """Where most sentences of the same file are, or else of the same folder, or else of all."""
    file = places[0].file
    for near in (file, f"{Path(file).parent.as_posix()}/", ""):
        neighbours = Counter(
            name
            for name, room in there.items()
            for entry in room
            for place, _ in entry.locations
            if place.startswith(near)
        )
        if neighbours:
            return max(sorted(neighbours), key=neighbours.__getitem__)
    raise ValueError("there is no catalogue at all")


def renew(folder: Path, said: dict[str, list[Place]], other: set[str]) -> Difference:
    """Bring the PO files in line with the sources; what was done."""
    there = rooms(folder)
    found = compare(there, said, other)
    for name, text in found.orphaned:
        there[name].delete(text)
    for name, entry in doubled(there):
        there[name].delete(entry.id, entry.context)
        found.orphaned.append((name, str(entry.id)))
    for text in found.missing:
        there[room_for(said[text], there)].add(text)
    for name, room in there.items():
        (folder / f"{name}.po").write_text(written(room, said), encoding="utf-8", newline="\n")
    return found


def written(room: Catalog, said: dict[str, list[Place]]) -> str:
    """The PO file: no dates, no line numbers, one line a sentence, in the order of the sources."""

    def order(entry: Message) -> tuple[str, int]:
        places = [] if entry.context else said.get(str(entry.id), [])
        return (places[0].file, places[0].line) if places else ("~", 0)

    kept = Catalog(locale="zh_CN")
    for entry in sorted(entries(room), key=order):
        places = [] if entry.context else said.get(str(entry.id), [])
        files = sorted({place.file for place in places})[:_REFERENCES_MAX]
        new = kept.add(
            entry.id, entry.string, locations=[(file, 0) for file in files],
            flags=entry.flags, user_comments=entry.user_comments, context=entry.context,
        )  # fmt: skip
        new.flags.discard("python-format")  # babel guesses it from "100 % of"; we fill by braces
    text = io.BytesIO()
    pofile.write_po(text, kept, width=0, omit_header=True, include_lineno=False)
    return f"{room.header_comment}\n{_HEADER}{text.getvalue().decode().strip()}\n"


def main() -> None:
    """Renew, and say what a person has to do."""
    done = renew(catalogues.FOLDER, spoken(), sayable())
    print(f"{len(done.missing)} added, {len(done.orphaned)} removed")
    for name, text in done.orphaned:
        print(f"removed from {name}.po: {text!r}")
    for name, room in rooms().items():
        for entry in entries(room):
            if not entry.string or entry.fuzzy:
                print(f"to translate in {name}.po: {entry.id!r}")


if __name__ == "__main__":
    main()
