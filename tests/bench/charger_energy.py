"""Meters that tell eight per cent too much, set right by a known load: what is accounted (host).

Whole boards, one of each kind of meter: what the session's record says against what truly flowed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from controller_tool.channel.dial import dial
from controller_tool.services import calibrate, charging, ports
from controller_tool.services.devices_ops import in_parallel
from protocol.codes import PORT_CHARGING, PORT_IDLE
from tests.bench.charged_house import charged_house, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.services.virtual_house import VirtualHouse

BOARDS = {"BL0942": "virtual-charger16", "HLW8012": "virtual-charger2"}
_ERROR_PERCENT, _ERROR_MAX_PERCENT = 8, 1
_WATTS = 300
_SESSION_S = 300
_PATIENCE_S = 60
_POLL_S = 1.0


class Meter:
    """The first port of a charger."""

    def __init__(self, house: VirtualHouse, name: str) -> None:
        self._site, self._name = house.site, name
        self._board = house.boards[name]

    def port(self) -> ports.Port:
        with dial(self._site, self._site.device(self._name)) as client:
            return ports.ask(client, self._name).ports[0]

    def begin(self) -> None:
        """A session whose load is there."""
        charging.start(self._site, self._name, 1)
        self._board.stimulate("plug_in", port=1, watts=_WATTS)
        self._until(lambda port: port.state == PORT_CHARGING)

    def end(self) -> int:
        """Its energy, in thousandths of a watt-hour."""
        charging.stop(self._site, self._name, 1)
        found = self._until(lambda port: port.state == PORT_IDLE).energy_mwh
        self._board.stimulate("unplug", port=1)
        return found

    def error_percent(self) -> float:
        """Of one session, against the load's own account."""
        before_mwh: float = self._board.stimulate("true_energy")[0]
        self.begin()
        time.sleep(_SESSION_S)
        counted_mwh = self.end()
        true_mwh: float = self._board.stimulate("true_energy")[0] - before_mwh
        return abs(counted_mwh / true_mwh - 1) * 100

    def calibrate(self) -> None:
        """As `device calibrate` does it; in force when the port is idle again."""
        self._board.stimulate("meter_error", percent=_ERROR_PERCENT, port=1)
        self.begin()
        calibrate.calibrate(self._site, calibrate.Load(self._name, 1, _WATTS))
        self.end()
        time.sleep(_POLL_S * 3)

    def _until(self, done: Callable[[ports.Port], bool]) -> ports.Port:
        end = time.monotonic() + _PATIENCE_S
        with dial(self._site, self._site.device(self._name)) as client:
            while not done(found := ports.ask(client, self._name).ports[0]):
                if time.monotonic() > end:
                    raise RuntimeError("the port does not do what it was told")
                time.sleep(_POLL_S)
        return found


def rows() -> list[dict[str, Any]]:
    """One session on each board, after calibration."""
    with charged_house({kind.lower(): board for kind, board in BOARDS.items()}) as house:

        def one(name: str) -> float:
            meter = Meter(house, name)
            meter.calibrate()
            return meter.error_percent()

        errors = in_parallel(one, list(house.boards))
    return [
        row(f"energy account of five minutes after calibration, {kind}", error, "%",
            at_most=_ERROR_MAX_PERCENT)
        for kind, error in zip(BOARDS, errors, strict=True)
    ]  # fmt: skip
