"""Opens what is under test: a twin, or a real controller and a real jig (host)."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.services.site import Site
from hil_tests import twin, wiring
from hil_tests.bench import Bench
from hil_tests.controller import Controller
from hil_tests.jig.client import Jig

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

TWINS = ("virtual-door-wiegand", "virtual-charger2")
MORE_TWINS = ("virtual-door",)  # in the long form: like the first but for an RDM6300


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line. boards: one after the other."""

    boards: tuple[str, ...]
    site: Path | None
    name: str | None
    port: str | None
    jig: str | None
    wiring: Path
    destructive: bool

    @property
    def real(self) -> bool:
        """Whether it is a real controller: nothing of it is changed without leave."""
        return self.site is not None

    @classmethod
    def of(cls, config: pytest.Config) -> Wish:
        """From the options of conftest.py; OperatorError where they do not fit together."""
        get = config.getoption
        site, board = get("--site"), get("--board")
        twins = TWINS + MORE_TWINS if get("--full") else TWINS
        wish = cls(
            (board,) if board else twins, site, get("--name"), get("--port"), get("--jig"),
            get("--wiring"), get("--destructive") or site is None,
        )  # fmt: skip
        if wish.real and not (wish.name and wish.jig and board):
            raise OperatorError("--site needs --name, --board and --jig", "Give all four")
        if not wish.real and (wish.name or wish.port or wish.jig):
            raise OperatorError("A real controller or jig needs --site", "Give --site")
        return wish


@contextmanager
def opened(wish: Wish, board: str, folder: Path) -> Iterator[Controller]:
    """The controller and the bench around it, everything at rest; ToolError when one is missing.

    folder: for what lives only as long as this.
    """
    plan = wiring.read(board, wish.wiring)
    if not wish.real:
        with twin.made(folder, plan) as made:
            yield made
        return
    assert wish.site is not None and wish.jig is not None and wish.name is not None  # noqa: PT018
    site = Site.open(wish.site)
    try:
        with Jig(wish.jig) as jig:
            controller = Controller(site, wish.name, Bench(jig, plan), port=wish.port)
            try:
                yield controller
            finally:
                controller.close()
                controller.bench.rest()
    finally:
        site.close()
