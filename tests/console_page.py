"""Pages whose commands are run and whose output is compared with what they show (host).

    python -m tests.console_page docs/walkthrough.md

runs the page and puts the real output into it. A block begins with ```console (or, where its
last command is meant to be refused, ```console exit=1); a line with `$ ` is a command, `> ` goes
on with it, the rest is what it prints on both streams. All commands of a page run in one shell.
Shapes are compared, not figures: every number counts as 0, every run of blanks as one. `…`
stands for anything within a line, alone in a line for any number of lines.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```console(?: exit=(\d+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "--8<-- "
_HEX = re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b")
_NUMBER = re.compile(r"\d+(?:[.:]\d+)*")
_ANYTHING = "…"


@dataclass
class Step:
    """One command of a page, what the page says it prints, and its exit code."""

    command: str
    shown: str
    exit_code: int


def steps(page: str) -> Iterator[Step]:
    """The commands of a page in order."""
    for match in _FENCE.finditer(page):
        found = list(_block_steps(match[2]))
        if found and match[1]:
            found[-1].exit_code = int(match[1])
        yield from found


def _block_steps(block: str) -> Iterator[Step]:
    step: Step | None = None
    for line in block.splitlines():
        if line.startswith("$ "):
            if step:
                yield step
            step = Step(line[2:], "", 0)
        elif step and line.startswith("> ") and not step.shown:
            step.command += "\n" + line[2:]
        elif step:
            step.shown += line + "\n"
    if step:
        yield step


def run(commands: list[str], folder: Path, timeout_s: float) -> list[tuple[int, str]]:
    """Exit code and output of each command, run one after another by one shell in `folder`."""
    script = "".join(f"{command}\nprintf '\\n{_MARK}%s\\n' $?\n" for command in commands)
    tools = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": tools + os.pathsep + os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "LANG": "C.UTF-8",
    }
    # a file, not a pipe: a virtual board that outlives its command would hold a pipe open
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        subprocess.run(
            ["sh", "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, timeout=timeout_s, check=False,
        )  # fmt: skip
        output.seek(0)
        parts = re.split(rf"\n?^{_MARK}(\d+)\n", output.read(), flags=re.MULTILINE)
    return [(int(code), text) for text, code in zip(parts[::2], parts[1::2], strict=False)]


def shape(text: str) -> str:
    """The text without what differs from run to run."""
    text = _NUMBER.sub("0", _HEX.sub("0", text))
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def fits(shown: str, printed: str) -> bool:
    """Whether what was printed has the shape of what the page shows."""
    lines = []
    for line in shape(shown).splitlines():
        if line == _ANYTHING:
            lines.append("(?:.*\n)*?")
        else:
            lines.append(".*?".join(map(re.escape, line.split(_ANYTHING))) + "\n")
    return re.fullmatch("".join(lines), shape(printed) + "\n" * bool(printed.strip())) is not None


def complaints(wanted: list[Step], got: list[tuple[int, str]]) -> Iterator[str]:
    """What differs between page and run, one paragraph a command."""
    for step, (code, printed) in zip(wanted, got, strict=False):
        if code != step.exit_code:
            yield f"$ {step.command}\nexit {code}, expected {step.exit_code}\n{printed}"
        elif not fits(step.shown, printed):
            yield f"$ {step.command}\nthe page shows:\n{step.shown}\nit printed:\n{printed}"
    if len(got) < len(wanted):
        yield f"the shell ended before: {wanted[len(got)].command}"


def rewritten(page: str, got: list[tuple[int, str]]) -> str:
    """The page with the real output where what it shows does not fit."""
    printed = iter(got)

    def block(match: re.Match[str]) -> str:
        text = ""
        for step in _block_steps(match[2]):
            _, output = next(printed)
            output = "\n".join(line.rstrip() for line in output.splitlines())
            shown = step.shown if fits(step.shown, output) else output.strip("\n") + "\n"
            text += "$ " + step.command.replace("\n", "\n> ") + "\n" + shown.lstrip("\n")
        exit_mark = f" exit={match[1]}" if match[1] else ""
        return f"```console{exit_mark}\n{text}```"

    return _FENCE.sub(block, page)


def main() -> int:
    """Runs the page named on the command line and writes its output into it."""
    path = Path(sys.argv[1])
    page = path.read_text(encoding="utf-8")
    wanted = list(steps(page))
    with tempfile.TemporaryDirectory() as folder:
        got = run([step.command for step in wanted], Path(folder), 600)
    found = list(complaints(wanted, got))
    print("\n".join(found) or "the page fits")
    if len(got) == len(wanted):
        path.write_text(rewritten(page, got), encoding="utf-8")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
