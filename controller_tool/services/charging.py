"""Charging started and stopped from here, by ticket, and why a charger does not start (host).

A controller refuses a start with one number; why, its ports tell in the same session. The order in
which that is looked through is the controller's own: what holds the whole station off, what holds
the port off, what is busy, what is too much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.errors import DeviceError
from controller_tool.messages import name_of, t
from controller_tool.services import devices_ops, ports
from controller_tool.services.journal_details import bits
from protocol.codes import (
    ERR_ARGUMENT,
    LATCH_ESTOP,
    LATCH_LEAKAGE,
    LATCH_SMOKE,
    LATCH_TEMPERATURE,
    LATCH_WELD,
    PORT_IDLE,
    PORT_LOCKED,
    TICKET_CHARGE_START,
    TICKET_CHARGE_STOP,
)
from protocol.constants import CHARGE_WH_SHIFT
from protocol.names import CONTACTOR_NAMES, PORT_TROUBLE_NAMES

if TYPE_CHECKING:
    from controller_tool.client import Client
    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site


def start(
    site: Site,
    name: str,
    port: int,
    minutes: int = 0,
    wh: int = 0,
    way: Way | None = None,
    notice: Notice | None = None,
) -> None:
    """Begin a session at a port, from 1; minutes, wh: 0 for the charger's own limits.

    Raises OperatorError, or DeviceError that says why it may not begin.
    """
    _send(site, name, port, TICKET_CHARGE_START, wh << CHARGE_WH_SHIFT | minutes, way, notice)


def stop(
    site: Site, name: str, port: int, way: Way | None = None, notice: Notice | None = None
) -> None:
    """End what runs at a port, from 1; nothing happens where nothing does."""
    _send(site, name, port, TICKET_CHARGE_STOP, 0, way, notice)


def _send(
    site: Site, name: str, port: int, action: int, argument: int, way: Way | None,
    notice: Notice | None,
) -> None:  # fmt: skip
    site.require("ticket")
    device = ports.require(site, name, port)

    def once() -> None:
        with dial(site, device, way, notice=notice) as client:
            try:
                devices_ops.send_ticket(site, device, client, action, port - 1, argument)
            except DeviceError as error:
                if error.code != ERR_ARGUMENT:
                    raise
                raise _why(device, client, port) from error

    devices_ops.again_when_busy(once)


def _why(device: Device, client: Client, port: int) -> DeviceError:
    """Why a ticket that was signed well and came in time was not carried out."""
    try:
        station = ports.ask(client, device.name)
        blind = ports.sensor_broken(device, station)
        what, next_step = reason(device.name, port, station, blind=blind)
    except DeviceError:  # firmware from before it could tell
        what, next_step = _unsaid(device.name, port)
    return DeviceError(what, next_step, ERR_ARGUMENT)


def reason(name: str, port: int, station: ports.Station, *, blind: bool = False) -> tuple[str, str]:
    """What keeps a session from beginning there, and what to do.

    blind: the board's own temperature sensor is broken.
    """
    held = _station_held(name, station, blind)
    if held is not None:
        return held
    if port > len(station.ports):
        return _unsaid(name, port)
    there = station.ports[port - 1]
    where = t("{device}, port {port}", device=name, port=port)
    if there.state == PORT_LOCKED or there.trouble:
        words = bits(PORT_TROUBLE_NAMES, there.trouble)
        named = ", ".join(name_of("port", word) for word in words) or t("locked off")
        return (
            t("{where} is out of order: {trouble}", where=where, trouble=named),
            t("Look at it there: device ports {device}", device=name),
        )
    if there.state != PORT_IDLE:
        return (
            t("{where} is in use", where=where),
            t("Stop that session first: device charge stop {device} {port}",
              device=name, port=port),
        )  # fmt: skip
    if station.limit_w and station.power_dw:
        return (
            t("{device} has no head room for another session: {power:.0f} of {limit} W are taken",
              device=name, power=station.power_dw / 10, limit=station.limit_w),
            t("Try again when another session is over"),
        )  # fmt: skip
    return _unsaid(name, port)


def _station_held(name: str, station: ports.Station, blind: bool) -> tuple[str, str] | None:
    """What holds all ports off; None where nothing does."""
    for latch, (what, next_step) in _latches().items():
        # a welded relay holds its own port off, and all where a contactor could be opened for it
        alone = latch == LATCH_WELD and CONTACTOR_NAMES[station.contactor] != "open"
        if station.latches & latch and not alone:
            return f"{name}: {what}", next_step
    if blind:
        return (
            t("{device}: the board's own temperature sensor is broken: nothing starts until it is"
              " repaired", device=name),
            t("Have it repaired; then try again"),
        )  # fmt: skip
    return None


def _unsaid(name: str, port: int) -> tuple[str, str]:
    return (
        t("{device} does not start charging at port {port}", device=name, port=port),
        t("It is in use, out of order, or a fault is latched: see the journal"),
    )


def _latches() -> dict[int, tuple[str, str]]:
    """What holds all ports off until somebody resets it there, the gravest first."""
    on_site = t("Look for the cause, then reset it on site")
    return {
        LATCH_SMOKE: (t("smoke was detected, and no port charges"), on_site),
        LATCH_LEAKAGE: (t("the residual-current device has tripped, and no port charges"), on_site),
        LATCH_ESTOP: (t("the emergency stop was pressed, and no port charges"), on_site),
        LATCH_TEMPERATURE: (t("it was too hot, and no port charges"), on_site),
        LATCH_WELD: (t("a relay is welded, and no port charges"),
                     t("Have the relay replaced, then reset it on site")),
    }  # fmt: skip
