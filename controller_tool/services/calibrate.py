"""A meter's gain from a known load, signed into the controller's configuration (host).

Rules, in the order in which they are applied:

- the configuration that the controller keeps is in force: readings are made with its gains
- the port charges for as long as it is read, and its meter is well
- some watts flow: what flows without a load is noise
- the readings lie within _SPREAD of their mean, and the first half within _DRIFT of the second: a
  charger that warms up is no known load. A single reading of a meter that counts pulses is unsure
  by the loop's time at both of its ends, some per cent; several in a row are not
- the gain is the one in force times known over measured, within the bounds of the setting
- all other settings, and the gains of the other ports, stay as they are
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import boards, device_config, ports
from protocol.codes import PORT_CHARGING, PORT_METER
from protocol.setting_names import NAMES
from protocol.settings import METER_GAIN, SETTINGS

if TYPE_CHECKING:
    from controller_tool.client import Client
    from controller_tool.registry.models import Device
    from controller_tool.services.device_config import Changed
    from controller_tool.services.site import Site

READINGS = 10  # one a second, as meters are read
_LEAST_DW = 50
_SPREAD = 0.06
_DRIFT = 0.015
_SPREAD_LEAST_DW = 10


@dataclass(frozen=True)
class Load:
    """What takes so many watts at a port, from 1, of a charger."""

    device: str
    port: int
    watts: float


@dataclass(frozen=True)
class Calibrated:
    """What was measured and what came of it. port: from 1; before, after: 1.0 is no correction.

    spread_w: between the highest and the lowest reading; changed: the configuration.
    """

    device: str
    port: int
    watts: float
    measured_w: float
    spread_w: float
    before: float
    after: float
    changed: Changed


def calibrate(
    site: Site,
    load: Load,
    *,
    dry_run: bool = False,
    way: Way | None = None,
    notice: Notice | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Calibrated:
    """Measure the load, and sign the gain that makes the meter right.

    Raises OperatorError for what is no fit load, DeviceError or LinkError.
    """
    site.require("ticket")
    device, port = ports.require(site, load.device, load.port), load.port
    with dial(site, device, way, device_config.role(site), notice) as client:
        gains = _in_force(device, client)
        if notice is not None:  # not before it is known that there is something to read
            notice(t("{device}, port {port}: reading for {n} s",
                     device=device.name, port=port, n=READINGS))  # fmt: skip
        readings = _read(device, port, client, pause)
    mean_dw = sum(readings) / len(readings)
    _require_steady(device, port, readings, mean_dw)
    before = gains[port - 1]
    gains[port - 1] = after = _fitting(device, load, mean_dw, before)
    value = gains if len(gains) > 1 else after
    changed = device_config.change(
        site, load.device, {METER_GAIN: value}, dry_run=dry_run, way=way, notice=notice
    )
    factor = NAMES[METER_GAIN][2]
    return Calibrated(
        load.device, port, load.watts, round(mean_dw / 10, 1), (max(readings) - min(readings)) / 10,
        before / factor, after / factor, changed,
    )  # fmt: skip


def _in_force(device: Device, client: Client) -> list[int]:
    """The gain of each port by which it measures now."""
    told = client.config()
    if not told.in_force:
        raise OperatorError(
            t("Configuration {version} of {device} is not in force yet",
              version=told.version, device=device.name),
            t("Stop what charges there, and calibrate when it is"),
        )  # fmt: skip
    held: Any = told.settings.get(METER_GAIN, NAMES[METER_GAIN][3])
    each: list[int] = list(held) if isinstance(held, list) else [held]
    # a list that is too short goes on with its last, as on the controller
    return [each[min(n, len(each) - 1)] for n in range(boards.show(device.board).points)]


def _read(device: Device, port: int, client: Client, pause: Callable[[float], None]) -> list[int]:
    readings = []
    for number in range(READINGS):
        if number:
            pause(ports.STEP_S)
        seen = ports.ask(client, device.name).ports
        there = seen[port - 1] if port <= len(seen) else None
        if there is None or there.state != PORT_CHARGING or there.trouble & PORT_METER:
            raise OperatorError(
                t("{where} does not charge, or its meter is not well", where=_where(device, port)),
                t("Plug the load in and start it: device charge start {device} {port}",
                  device=device.name, port=port),
            )  # fmt: skip
        readings.append(there.power_dw)
    return readings


def _require_steady(device: Device, port: int, readings: list[int], mean_dw: float) -> None:
    where = _where(device, port)
    if mean_dw < _LEAST_DW:
        raise OperatorError(
            t("{where} measures {power:.1f} W: no load is plugged in there",
              where=where, power=mean_dw / 10),
            t("Plug the load in, and see that it is switched on"),
        )  # fmt: skip
    half = len(readings) // 2
    drift_dw = abs(sum(readings[:half]) - sum(readings[-half:])) / half
    spread_dw = max(readings) - min(readings)
    if spread_dw > max(_SPREAD * mean_dw, _SPREAD_LEAST_DW) or drift_dw > max(
        _DRIFT * mean_dw, _SPREAD_LEAST_DW
    ):
        raise OperatorError(
            t("{where} measures between {least:.1f} and {most:.1f} W: that is not steady",
              where=where, least=min(readings) / 10, most=max(readings) / 10),
            t("Use a load that takes the same all the time, such as a heater or a lamp"),
        )  # fmt: skip


def _fitting(device: Device, load: Load, mean_dw: float, before: int) -> int:
    gain = round(before * load.watts * 10 / mean_dw)
    _, least, greatest, _ = SETTINGS[METER_GAIN]
    if least <= gain <= greatest:
        return gain
    factor = NAMES[METER_GAIN][2]
    raise OperatorError(
        t("{where} measures {power:.1f} W where {watts:g} W are said to flow: too far apart",
          where=_where(device, load.port), power=mean_dw / 10, watts=load.watts),
        t("Check the load and the meter's wiring; a gain may be {least:g} to {most:g}",
          least=least / factor, most=greatest / factor),
    )  # fmt: skip


def _where(device: Device, port: int) -> str:
    return t("{device}, port {port}", device=device.name, port=port)
