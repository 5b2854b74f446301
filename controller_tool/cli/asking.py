"""A conversation at the terminal (host): services.desk.dialogue leads it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from controller_tool.cli.common import App, pairs
from controller_tool.messages import t

if TYPE_CHECKING:
    from controller_tool.services.desk.questions import Question

_YES = {"y", "yes", "是", "好", "对", "ｙ"}
_NO = {"n", "no", "否", "不", "ｎ"}


def possible(app: App) -> bool:
    """Whether somebody sits there to be asked."""
    return not app.as_json and sys.stdin.isatty() and sys.stderr.isatty()


class Terminal:
    """Asks on standard error, so that the result alone is on standard output."""

    def __init__(self, app: App) -> None:
        self._app = app

    def ask(self, question: Question) -> str:
        """One line; Ctrl-C or the end of input ends the command."""
        lines = [f"  {number} {name}" for number, (_, name) in enumerate(question.choices, 1)]
        for line in lines:
            click.echo(line, err=True)
        names = dict(question.choices)
        shown = names.get(question.default or "", "")
        hint = question.hint or (t("Enter: {name}", name=shown) if shown else "")
        text = t("{question} ({hint})", question=question.text, hint=hint) if hint else None
        answer: str = click.prompt(
            text or question.text, default="", show_default=False, err=True, prompt_suffix=": "
        )
        return answer

    def fault(self, what: str, way_out: str) -> None:
        """As any other failure is told."""
        self._app.complain(what, way_out)

    def say(self, text: str) -> None:
        """What goes on."""
        self._app.note(text)

    def agree(self, summary: list[tuple[str, str]]) -> bool:
        """Everything once more, then a clear yes or no."""
        self._app.console(stderr=True).print(pairs(summary))
        while True:
            typed: str = click.prompt(
                t("Check in so? yes/no"), default="", show_default=False, err=True,
                prompt_suffix=": ",
            )  # fmt: skip
            word = typed.strip().casefold()
            if word in _YES | _NO:
                return word in _YES
            self._app.complain(t("{text} is neither yes nor no", text=typed or '""'), "")
