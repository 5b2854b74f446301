"""The command line: finds the command, and is the one place where errors become lines (host).

Exit codes: 0 done, 1 refused or failed (one line what, one line what next, on standard error),
2 wrong usage. With ``--json`` a failure is an object on standard output instead.
"""

from __future__ import annotations

import errno
import importlib.metadata
import os
import sys
from pathlib import Path
from typing import TextIO

import click

from controller_tool import disk
from controller_tool.cli.common import App, ToolGroup, words_after
from controller_tool.cli.lazy import LazyGroup
from controller_tool.cli.words import speak
from controller_tool.errors import DEBUG, DeviceError, ToolError, own_fault
from controller_tool.messages import set_language, t
from protocol.version import VERSION, text_of

_UNWRITABLE = {errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG, errno.EROFS}

# name: module and attribute of the command, and its line in the list. A command's module is
# imported when it is called, so that `device time` does not wait for what `site init` needs.
COMMANDS = {
    "demo": ("controller_tool.cli.demo:demo", "the whole story on virtual controllers"),
    "site": ("controller_tool.cli.site:site", "the site folder: keys, roles, exports"),
    "board": ("controller_tool.cli.board:board", "kinds of board that can be provisioned"),
    "device": ("controller_tool.cli.device:device", "provision controllers and ask them"),
    "card": ("controller_tool.cli.card:card", "issue, collect and explain cards"),
    "area": ("controller_tool.cli.area:area", "districts, villages, grids"),
    "house": ("controller_tool.cli.house:house", "let houses: admit, inspect, classify"),
    "hazard": ("controller_tool.cli.house_inspect:hazard", "what inspections found"),
    "case": ("controller_tool.cli.case:case", "breaches, and what was decided"),
    "tenant": ("controller_tool.cli.tenant:tenant", "check people in and out"),
    "desk": ("controller_tool.cli.desk:desk", "what is open at the front desk"),
    "profile": ("controller_tool.cli.profile:profile", "which doors, when, how long, how much"),
    "schedule": ("controller_tool.cli.schedule:schedule", "weekly hours for profiles"),
    "holiday": ("controller_tool.cli.schedule:holiday", "days that are not like others"),
    "push": ("controller_tool.cli.push:push", "bring controllers' whitelists up to date"),
    "journal": ("controller_tool.cli.journal:journal", "pull, verify and export access logs"),
    "pair": ("controller_tool.cli.pair:pair", "what takes two operators: confirm or refuse"),
    "hold": ("controller_tool.cli.hold:hold", "orders of the police that keep data"),
    "person": ("controller_tool.cli.person:person", "people: shown by role, spot checks, deletion"),
    "operator": ("controller_tool.cli.operator:operator", "who works here, roles and duties"),
    "audit": ("controller_tool.cli.audit:audit", "who did what, and who looked at whom"),
    "kpi": ("controller_tool.cli.kpi:kpi", "the five rates and their gaps; figures of chargers"),
    "export": ("controller_tool.cli.city:export", "for the city, residence systems, duty holders"),
    "acceptance": ("controller_tool.cli.acceptance:acceptance", "the signed acceptance bundle"),
    "sim": ("controller_tool.cli.sim:sim", "virtual controllers"),
}


def main() -> None:
    """Entry point of `controller-tool`."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us: nobody listens
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # a console that cannot show a character must not end the command
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # both are TextIOWrapper
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Carries out one command line and returns its exit code; raises nothing."""
    set_language(next(iter(words_after("--lang", arguments)), None))
    speak()
    app = App()
    app.as_json = "--json" in arguments  # before anything is parsed: that may fail
    try:
        answer = _root().main(arguments, "controller-tool", standalone_mode=False, obj=app)
        return answer if isinstance(answer, int) else 0
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and error.errno in _UNWRITABLE:
            return _unwritable(app, error)
        if os.environ.get(DEBUG) and not isinstance(error, (click.ClickException, ToolError)):
            raise
        return _report(app, error)
    except KeyboardInterrupt:
        return app.fail(t("Stopped"), "")
    finally:
        app.close()


def _report(app: App, error: Exception) -> int:
    """Shows one error and returns its exit code; what is not ours becomes one generic line."""
    if isinstance(error, click.ClickException):
        if app.as_json:
            app.fail(error.format_message(), _help(error))
        else:
            error.show()
        return int(error.exit_code)
    if isinstance(error, click.Abort):
        return app.fail(t("Stopped"), "")
    if isinstance(error, ToolError):
        code = error.code if isinstance(error, DeviceError) else None
        return app.fail(error.what, error.next_step, code)
    if isinstance(error, BrokenPipeError):
        _silence(sys.stdout)  # whoever read our output has seen enough
        return 1
    if isinstance(error, OSError) and error.filename is not None:
        named = f"{error.filename}: {error.strerror}"
        return app.fail(
            t("A file cannot be used: {error}", error=named),
            disk.next_step(error),
        )
    fault = own_fault(error)
    return app.fail(fault.what, fault.next_step)


def _help(error: click.ClickException) -> str:
    """Where the right usage stands."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return t("See {command} --help", command=context.command_path) if context else ""


def _unwritable(app: App, error: OSError) -> int:
    """A full disk or a lost terminal, of which only standard error can tell."""
    app.as_json = False
    try:
        app.fail(
            t("The output cannot be written: {error}", error=error.strerror),
            t("Make room or write elsewhere; what the command did before that is done"),
        )
    except OSError:
        _silence(sys.stderr)
    _silence(sys.stdout)
    return 1


def _silence(stream: TextIO) -> None:
    """Python writes what is left on leaving, and would complain once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _root() -> ToolGroup:
    told = click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_tell_version,
        help=t("Versions of the tool and its firmware"),
    )
    return LazyGroup(
        "controller-tool",
        params=[told],
        commands=COMMANDS,
        help=t("Manages door and charger controllers: provision, push whitelists, pull logs."),
    )


def _tell_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        tool, firmware = importlib.metadata.version("controller-tool"), text_of(VERSION)
        text = t("controller-tool {tool}, firmware {firmware}", tool=tool, firmware=firmware)
        context.obj.show({"tool": tool, "firmware": firmware}, text)
        context.exit()
