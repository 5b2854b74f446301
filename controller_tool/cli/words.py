"""Click's own words, in the language of the tool (host).

Click asks ``gettext`` for each of its sentences; its modules are given ``t`` instead, so that
"Missing argument" and the headings of --help come from `usage.po`.
"""

from __future__ import annotations

from typing import Any

import click

from controller_tool.messages import t

MODULES: tuple[Any, ...] = (
    click.core, click.decorators, click.exceptions, click.formatting, click.parser,
    click.termui, click.types,
)  # fmt: skip


def speak() -> None:
    """From now on click says what it says through ``t``; doing it twice changes nothing."""
    for module in MODULES:
        for name, said in (("_", _one), ("ngettext", _counted)):
            if hasattr(module, name):
                setattr(module, name, said)


def _one(text: str) -> str:
    return t(text)


def _counted(one: str, many: str, n: int) -> str:
    return t(one if n == 1 else many)
