"""What the pages promise: commands exist, links lead somewhere, languages agree (host)."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from controller_tool import cli
from controller_tool.cli.common import App

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])
PAIRS = [
    (ROOT / "README.md", ROOT / "README.zh-CN.md"),
    *((page, page.parent / "zh" / page.name) for page in sorted(ROOT.glob("docs/guide/*.md"))),
]
_BLOCK = re.compile(r"```(?:sh|console)[^\n]*\n(.*?)```", re.DOTALL)
_INLINE = re.compile(r"`(controller-tool [^`]+)`")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code(page: Path) -> list[str]:
    """Lines of the page's shell blocks, without the prompt."""
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]


def commands(page: Path) -> Iterator[list[str]]:
    """Words of every call of the tool on the page, remarks and assignments cut off."""
    lines = code(page) + _INLINE.findall(page.read_text(encoding="utf-8"))
    for line in lines:
        words = shlex.split(line, comments=True) if "controller-tool" in line else []
        if words and words[0] == "controller-tool":
            yield words[1:]


def unknown(words: list[str]) -> str | None:
    """What of a call the tool does not know: a command or an option."""
    command: click.Command = cli._root()
    with click.Context(command, obj=App()) as ctx:
        rest = list(words)
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            found = command.get_command(ctx, rest[0])
            if found is None:
                return rest[0]
            command = found
            rest.pop(0)
        known = {"--help"}
        for parameter in command.params:
            known.update(parameter.opts, parameter.secondary_opts)
    options = [word.partition("=")[0] for word in rest if word.startswith("--")]
    return next((option for option in options if option not in known), None)


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_commands_on_the_page_exist(page: Path) -> None:
    found = [f"{' '.join(words)}: {bad}" for words in commands(page) if (bad := unknown(words))]
    assert not found, "\n".join(found)


def test_commands_that_do_not_exist_are_seen() -> None:
    assert unknown(["push", "--no-such-option"]) == "--no-such-option"
    assert unknown(["device", "explode"]) == "explode"
    assert unknown(["push", "door-1", "--json"]) is None


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_links_lead_somewhere(page: Path) -> None:
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    lost = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not lost


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=identify)
def test_both_languages_show_the_same_commands(english: Path, chinese: Path) -> None:
    assert [_bare(line) for line in code(english)] == [_bare(line) for line in code(chinese)]


def _bare(line: str) -> str:
    """A command without its remark, and without the words for the reader to fill in."""
    words = line.partition("#")[0].replace("=", "= ").split()
    return " ".join(word for word in words if not re.fullmatch(r"[A-Z]+|[^\x00-\x7f]+", word))
