"""A house on virtual boards: a new site and its boards, provisioned as real ones are (host).

The demonstration, the tests and the benchmarks live in such a house.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from controller_tool.services import provision, site_init
from controller_tool.services.devices_ops import in_parallel
from controller_tool.sim import service as sim

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.site import Site

CONTROLLERS = {"door-1": "virtual-door", "pile-1": "virtual-charger"}
SIM_FOLDER = "sim"
_WIFI = ("house", "any password joins a virtual network")


class VirtualHouse:
    """An open site and its running boards; a context manager that stops the boards.

    controllers: name of each controller and its kind of board.
    """

    def __init__(self, site: Site, controllers: dict[str, str]) -> None:
        self.site = site
        self.controllers = controllers
        self.boards: dict[str, sim.Board] = {}
        self.provisioned: list[provision.Provisioned] = []

    @classmethod
    def found(
        cls,
        folder: Path,
        name: str,
        passphrase: str,
        controllers: dict[str, str] | None = None,
        **options: Any,
    ) -> VirtualHouse:
        """A new site in ``folder`` with blank boards that run.

        options: of the virtual boards, see controller_tool.sim.service.start.
        """
        wish = site_init.Wish(name=name, operator=name)
        house = cls(site_init.init(folder, wish, passphrase), dict(controllers or CONTROLLERS))
        try:
            for controller, board in house.controllers.items():
                house.boards[controller] = sim.start(house.sim_root, controller, board, **options)
        except BaseException:
            house.close()
            raise
        return house

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def sim_root(self) -> Path:
        """Folder of the virtual boards."""
        return self.site.path / SIM_FOLDER

    def provision(self, narrators: dict[str, provision.Narrator] | None = None) -> None:
        """Provisions all controllers over their cables, side by side."""
        chosen = narrators or {}

        def one(name: str) -> provision.Provisioned:
            request = provision.Request(name, f"sim://{name}", self.controllers[name], wifi=_WIFI)
            return provision.provision(self.site, request, chosen.get(name))

        self.provisioned = in_parallel(one, list(self.controllers))

    def close(self, keep_running: bool = False) -> None:
        """Closes the site; stops the boards unless they are to stay."""
        if not keep_running:
            for name in self.boards:
                sim.stop(self.sim_root, name)
        self.site.close()
