"""What every command shares: the site, the options, and how results are shown (host).

A command is made by ``ToolGroup.command`` (or ``cls=ToolCommand``), takes an `App` by
``@pass_app``, calls one service method, and hands its result to ``app.show``. The options
--site, --json, --lang and --operator are on every group and command; the innermost one counts.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from controller_tool.cli.printable import printable
from controller_tool.errors import OperatorError
from controller_tool.messages import language, t

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console, RenderableType
    from rich.table import Table

    from controller_tool.services.site import Site

SITE_VARIABLE = "CONTROLLER_TOOL_SITE"
OPERATOR_VARIABLE = "CONTROLLER_TOOL_OPERATOR"
_PIPE_COLUMNS = 160  # a pipe has no width; lines must not be cut at a terminal's default


class Failed(Protocol):
    """How one controller's failure is told."""

    @property
    def device(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def next_step(self) -> str: ...


class App:
    """One run of the tool. Opens the site when a command first asks for it."""

    def __init__(self) -> None:
        self.site_path: Path | None = None
        self.operator: str | None = None
        self.as_json = False
        self._site: Site | None = None

    @property
    def folder(self) -> Path:
        """The site folder; OperatorError when none was named."""
        path = self.site_path or _from_environment(SITE_VARIABLE)
        if path is None:
            raise OperatorError(
                t("No site folder was named"),
                t("Give --site DIR or set {variable}", variable=SITE_VARIABLE),
            )
        return path

    @property
    def site(self) -> Site:
        """The opened site."""
        if self._site is None:
            from controller_tool.services.site import Site  # noqa: PLC0415 - SQLAlchemy is slow

            operator = self.operator or os.environ.get(OPERATOR_VARIABLE)
            self._site = Site.open(self.folder, operator=operator)
        return self._site

    def close(self) -> None:
        """Lets go of the site."""
        if self._site is not None:
            self._site.close()
            self._site = None

    def show(self, data: object, *shown: RenderableType) -> None:
        """The result: ``data`` as JSON with --json, else what is ``shown`` to a person.

        data: dataclasses, containers, bytes (shown as hex) and plain values.
        """
        if self.as_json:
            click.echo(json.dumps(plain(data), ensure_ascii=False, indent=2))
            return
        from controller_tool.cli.narrow import fitted  # noqa: PLC0415 - rich is slow to import

        console = self.console()
        for part in shown:
            said = printable(part) if isinstance(part, str) else part
            console.print(fitted(console, said), soft_wrap=isinstance(part, str))

    def note(self, text: str) -> None:
        """One line about what goes on, on standard error; nothing with --json."""
        if self.as_json:
            return
        self.console(stderr=True).print(printable(text), soft_wrap=True)

    def fail(self, what: str, next_step: str, code: int | None = None) -> int:
        """Says why the command failed; exit code 1."""
        if self.as_json:
            self.show({"ok": False, "error": what, "next_step": next_step, "code": code})
        else:
            self.complain(what, next_step)
        return 1

    def complain(self, what: str, next_step: str) -> None:
        """What is wrong and what to do, beside the result; with --json the result says it."""
        if not self.as_json:
            click.echo(printable(f"{what}\n  {next_step}".rstrip()), err=True)

    def complain_of(self, failed: Iterable[Failed]) -> None:
        """What went wrong with some of several controllers; what is equal of all is said once."""
        said: dict[tuple[str, str], list[Failed]] = {}
        for one in failed:
            said.setdefault((one.what, one.next_step), []).append(one)
        for (what, next_step), ones in said.items():
            named = ", ".join(one.device for one in ones)
            self.complain(
                what if what.startswith(named) else f"{named}: {what}",
                next_step,
            )

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Bars on standard error while work goes on; nothing where that is no terminal."""
        if self.as_json or not sys.stderr.isatty():
            yield Progress(None)
            return
        from rich.progress import Progress as Bars  # noqa: PLC0415 - slow to import

        with Bars(console=self.console(stderr=True), transient=True) as bars:
            yield Progress(bars)

    @staticmethod
    def console(stderr: bool = False) -> Console:
        """Where text goes, as wide as the terminal, without guesses at markup."""
        from rich.console import Console  # noqa: PLC0415 - slow to import

        terminal = (sys.stderr if stderr else sys.stdout).isatty()
        width = None if terminal else _PIPE_COLUMNS
        return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)


class Progress:
    """Bars by name; called as ``progress(name, done, total)``."""

    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._tasks: dict[str, Any] = {}

    def __call__(self, name: str, done: int, total: int) -> None:
        if self._bars is None:
            return
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(printable(name), total=total)
        self._bars.update(self._tasks[name], completed=done, total=total)


pass_app = click.make_pass_decorator(App, ensure=True)


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    """A plain table; give columns through ``t``."""
    from rich.table import Table  # noqa: PLC0415 - slow to import

    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*("" if cell is None else printable(str(cell)) for cell in row))
    return made


def pairs(items: Iterable[tuple[str, object]]) -> Table:
    """Names and values under each other."""
    from rich.table import Table  # noqa: PLC0415 - slow to import

    made = Table(box=None, pad_edge=False, show_header=False)
    made.add_column(style="bold")
    made.add_column(overflow="fold")
    for name, value in items:
        made.add_row(name, "" if value is None else printable(str(value)))
    return made


def yes_no(value: bool) -> str:
    """A truth value for people."""
    return t("yes") if value else t("no")


def plain(value: object) -> Any:
    """``value`` as JSON takes it: dataclasses as objects, bytes as hex, keys as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, Path):
        return str(value)
    return value


def words_after(option: str, arguments: list[str]) -> list[str]:
    """What stands after ``option`` on a command line, the last first (before it is parsed)."""
    found = [b for a, b in itertools.pairwise(arguments) if a == option]
    found += [a.partition("=")[2] for a in arguments if a.startswith(f"{option}=")]
    return found[::-1]


def _from_environment(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


def _common_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--site"], type=click.Path(path_type=Path), metavar="DIR", expose_value=False,
            callback=_keep("site_path"),
            help=t("Site folder (or {variable})", variable=SITE_VARIABLE),
        ),
        click.Option(
            ["--operator"], metavar="NAME", expose_value=False, callback=_keep("operator"),
            help=t("Who does this (or {variable})", variable=OPERATOR_VARIABLE),
        ),
        click.Option(
            ["--json"], is_flag=True, expose_value=False, callback=_keep("as_json"),
            help=t("Print the result as JSON"),
        ),
        click.Option(
            ["--lang"], type=click.Choice(["en", "zh"]), expose_value=False,
            help=t("Language (now: {language})", language=language()),
        ),
    ]  # fmt: skip


def _keep(name: str) -> Any:
    def callback(ctx: click.Context, _: click.Parameter, value: object) -> None:
        if value:
            setattr(ctx.ensure_object(App), name, value)

    return callback


class ToolCommand(click.Command):
    """A command with the options that all share."""

    def __init__(self, *args: Any, **attrs: Any) -> None:
        super().__init__(*args, **attrs)
        self.params += _common_options()


class ToolGroup(click.Group):
    """A group of such commands."""

    command_class = ToolCommand
    group_class = type

    def __init__(self, *args: Any, **attrs: Any) -> None:
        attrs.setdefault("no_args_is_help", True)
        super().__init__(*args, **attrs)
        self.params += _common_options()
