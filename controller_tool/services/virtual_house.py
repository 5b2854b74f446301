"""A house on virtual boards: a new site and its boards, provisioned as real ones are (host).

The demonstration, the tests and the benchmarks live in such a house.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.registry.models import Card, Grant
from controller_tool.services import cards, provision, site_init
from controller_tool.services.devices_ops import in_parallel
from controller_tool.sim import service as sim

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from controller_tool.services.site import Site

CONTROLLERS = {"door-1": "virtual-door", "pile-1": "virtual-charger"}
SIM_FOLDER = "sim"
_WEEK_MIN = 7 * 24 * 60
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

    def issue(self, numbers: Sequence[str]) -> None:
        """Cards of nobody with these numbers, good since an hour ago for a week, everywhere."""
        now_min = now_s() // 60
        terms = cards.Terms(now_min - 60, now_min + _WEEK_MIN)
        self.site.unlock()
        with self.site.registry.writing() as session:
            devices = cards.grant_devices(session, None)
            for number in numbers:
                read = cards.parse(session, number)
                card = cards.add(self.site, session, read, terms, None)
                session.add_all(Grant(card_id=card.id, device_id=d.id) for d in devices)

    def swipe(self, name: str, card: str) -> None:
        """Holds a card, by its number or its reference, to a controller's first reader."""
        with self.site.registry.session() as session:
            held = session.scalar(select(Card).where(Card.ref == card))
            read = cards.credential_of(self.site, held) if held else cards.parse(session, card)
        self.boards[name].stimulate("swipe_card", credential=read.data.hex(), type=read.type)

    def close(self, keep_running: bool = False) -> None:
        """Closes the site; stops the boards unless they are to stay."""
        if not keep_running:
            for name in self.boards:
                sim.stop(self.sim_root, name)
        self.site.close()
