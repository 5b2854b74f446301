"""Finds the real MicroPython that virtual controllers and tests run in, fetching it once (host).

Order: the command in CONTROLLER_TOOL_MICROPYTHON; the cache or a fetch (apt_fetch.py), 32 bits
before 64; `micropython` on PATH; else one line how to get it. The 32-bit build is wanted because
its objects, small-int range and heap figures are those of an ESP32.
"""

import functools
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from controller_tool.errors import OperatorError
from controller_tool.sim import apt_fetch

ENVIRONMENT = "CONTROLLER_TOOL_MICROPYTHON"
OLDEST = (1, 25)
HOW_TO_GET_IT = (
    "install the package `micropython`, 1.25 or newer (Debian 13: apt, macOS: brew), "
    f"or set {ENVIRONMENT} to its command"
)
# Prints version and the width of a small int, which is what decides how large objects are.
_PROBE = "import sys; print(*sys.implementation[1][:3], 32 if sys.maxsize < 2**32 else 64)"


@dataclass(frozen=True)
class MicroPython:
    """A MicroPython that was started and answered.

    command: argv prefix; append options and a script to it.
    bits: 32, or 64 where no 32-bit build can be had.
    version: as in "1.25.0".
    why_wide: why it is not the 32-bit build, where that is known.
    """

    command: tuple[str, ...]
    bits: int
    version: str
    why_wide: str = field(default="", compare=False)

    def heap_bytes(self, esp32_bytes: int) -> int:
        """The heap here that holds what `esp32_bytes` hold there: objects double with bits."""
        return esp32_bytes * self.bits // 32

    def argv(self, *args: str, esp32_heap_bytes: int) -> list[str]:
        """Whole command line for a process with an ESP32's heap of that many bytes."""
        return [*self.command, "-X", f"heapsize={self.heap_bytes(esp32_heap_bytes)}", *args]

    def __str__(self) -> str:
        why = f": {self.why_wide}" if self.why_wide else ""
        note = "" if self.bits == 32 else f", heap doubled{why}"
        return f"MicroPython {self.version}, {self.bits} bits{note}: {shlex.join(self.command)}"


def probe(command: tuple[str, ...]) -> MicroPython | None:
    """Start `command` and ask what it is; None when it does not run or is no MicroPython."""
    try:
        done = subprocess.run(
            [*command, "-c", _PROBE], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    fields = done.stdout.split()
    if done.returncode != 0 or len(fields) != 4 or not all(field.isdigit() for field in fields):
        return None
    return MicroPython(command, int(fields[3]), ".".join(fields[:3]))


def _is_new_enough(found: MicroPython) -> bool:
    return tuple(int(part) for part in found.version.split(".")[:2]) >= OLDEST


def _from_environment(text: str) -> MicroPython:
    found = probe(tuple(shlex.split(text)))
    if found is None:
        raise OperatorError(f"{ENVIRONMENT}={text} does not start a MicroPython", HOW_TO_GET_IT)
    if not _is_new_enough(found):
        raise OperatorError(f"{ENVIRONMENT} is MicroPython {found.version}", HOW_TO_GET_IT)
    return found


def _from_cache(say: Callable[[str], None]) -> tuple[MicroPython | None, str]:
    """The first cached or fetched build that runs here, and why there is none."""
    problem = "this system has no apt to fetch it with"
    for build in apt_fetch.builds_for_this_machine():
        try:
            command = apt_fetch.command(build, say)
        except apt_fetch.FetchError as error:
            problem = str(error)
            continue
        found = probe(command)
        if found is not None:
            return replace(found, why_wide="" if found.bits == 32 else problem), ""
        problem = f"the {build.architecture} build does not run here"
    return None, problem


def _from_path() -> MicroPython | None:
    path = shutil.which("micropython")
    found = probe((path,)) if path else None
    return found if found and _is_new_enough(found) else None


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)


@functools.cache
def find(say: Callable[[str], None] = _to_stderr) -> MicroPython:
    """The MicroPython to use; the first call may take a minute to fetch it, later ones do not.

    say: gets one line when something is about to be fetched.
    Raises OperatorError with one line that says how to get it. Never returns None.
    """
    explicit = os.environ.get(ENVIRONMENT)
    if explicit:
        return _from_environment(explicit)
    found, problem = _from_cache(say)
    found = found or _from_path()
    if found is None:
        raise OperatorError(f"MicroPython is missing ({problem})", HOW_TO_GET_IT)
    return found


def main() -> int:
    """Print what was found, for `./dev setup`; exit 1 with one line when nothing was."""
    try:
        print(find())
    except OperatorError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
