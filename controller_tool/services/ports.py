"""A charger's ports as it tells of them, with names and holders, once or live (host).

A reply of any other shape is refused whole. Ports count from 1 here, as people count them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.errors import DeviceError, LinkError, OperatorError
from controller_tool.messages import t
from controller_tool.services import boards, clock_step
from controller_tool.services.journal_details import bits
from controller_tool.services.journal_people import People
from protocol.codes import ERR_UNKNOWN_OPERATION, PORT_ENDING, PORT_WAITS
from protocol.constants import CARD_KEY_BYTES
from protocol.names import (
    CLOCK_NAMES,
    CONTACTOR_NAMES,
    END_NAMES,
    LATCH_NAMES,
    PORT_STATE_NAMES,
    PORT_TROUBLE_NAMES,
)

if TYPE_CHECKING:
    from controller_tool.client import Client
    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

PORTS_MAX = 16
STEP_S = 1.0
UNKNOWN_CARD = "unknown"
_NO_KEY = bytes(CARD_KEY_BYTES)
_NUMBER_MAX = 0x3FFFFFFF  # what is a small int on a controller
_TENTHS = (-2731, 32767)  # of a degree


@dataclass(frozen=True)
class Port:
    """One port, as it was told. key: of the card, 8 bytes; empty or zero without one.

    power_dw: tenths of a watt; energy_mwh, seconds: of the session that runs, or ran last;
    temperature_dc: tenths of a degree.
    """

    state: int
    key: bytes
    power_dw: int
    energy_mwh: int
    seconds: int
    temperature_dc: int | None
    trouble: int
    last_end: int | None


@dataclass(frozen=True)
class Station:
    """The charger as a whole. limit_w: of all ports together; contactor: as CONTACTOR_NAMES."""

    limit_w: int
    power_dw: int
    latches: int
    contactor: int
    temperature_dc: int | None
    ports: tuple[Port, ...]


@dataclass(frozen=True)
class PortView:
    """One port for people. port: from 1; state, trouble, last_end: by name.

    card: its reference, "unknown", or in folders without cards its key; by_ticket: no card began
    the session that runs.
    """

    port: int
    state: str
    card: str
    holder: str
    by_ticket: bool
    power_w: float
    energy_wh: float
    minutes: float
    temperature_c: float | None
    trouble: tuple[str, ...]
    last_end: str | None


@dataclass(frozen=True)
class StationView:
    """The charger for people. latches, contactor, clock (its quality): by name.

    sensor_broken: the board's own thermistor is, and nothing starts.
    """

    device: str
    limit_w: int
    power_w: float
    latches: tuple[str, ...]
    contactor: str
    temperature_c: float | None
    ports: tuple[PortView, ...]
    clock: str
    sensor_broken: bool


def parse(value: Any) -> Station | None:
    """A reply to get_ports (docs/protocol.md section 6); None for any other shape."""
    if not _is_list(value, 2) or not _is_list(value[0], 5) or not isinstance(value[1], list):
        return None
    limit_w, power_dw, latches, contactor, temperature = value[0]
    ports = [_port(row) for row in value[1]]
    right = (
        all(_is_number(number) for number in (limit_w, power_dw, latches))
        and _is_number(contactor, len(CONTACTOR_NAMES) - 1)
        and _is_temperature(temperature)
        and 0 < len(ports) <= PORTS_MAX
    )
    whole = tuple(port for port in ports if port is not None)
    if not right or len(whole) != len(ports):
        return None
    return Station(limit_w, power_dw, latches, contactor, temperature, whole)


def _port(row: Any) -> Port | None:
    if not _is_list(row, 8):
        return None
    state, key, power_dw, energy_mwh, seconds, temperature, trouble, last_end = row
    right = (
        _is_number(state, 0xFF)
        and isinstance(key, bytes)
        and len(key) in (0, CARD_KEY_BYTES)
        and all(_is_number(number) for number in (power_dw, energy_mwh, seconds, trouble))
        and _is_temperature(temperature)
        and (last_end is None or _is_number(last_end, 0xFF))
    )
    return Port(*row) if right else None


def _is_list(value: Any, length: int) -> bool:
    return isinstance(value, list) and len(value) == length


def _is_number(value: object, greatest: int = _NUMBER_MAX) -> bool:
    return type(value) is int and 0 <= value <= greatest


def _is_temperature(value: object) -> bool:
    return value is None or (type(value) is int and _TENTHS[0] <= value <= _TENTHS[1])


def require(site: Site, name: str, port: int | None = None) -> Device:
    """The controller of that name; OperatorError unless it is a charger and has that port."""
    device = site.device(name)
    if device.kind != "charger":
        raise OperatorError(t("{device} has no ports", device=name), t("Name a charger"))
    count = boards.show(device.board).points
    if port is not None and not 1 <= port <= count:
        raise OperatorError(
            t("{device} has no port {port}", device=name, port=port),
            t("Its ports are 1 to {count}", count=count),
        )
    return device


def ask(client: Client, name: str) -> Station:
    """What it says in an open session. Raises DeviceError, also for what cannot be read."""
    try:
        found = parse(client.ports())
    except DeviceError as error:
        if error.code != ERR_UNKNOWN_OPERATION:
            raise
        raise DeviceError(
            t("{device} cannot tell of its ports", device=name),
            t("Update its firmware"), error.code,
        ) from None  # fmt: skip
    if found is None:
        raise DeviceError(
            t("{device} sent what cannot be read", device=name),
            t("Run the command again; if it stays so, update the firmware"),
        )
    return found


def show(
    site: Site, name: str, way: Way | None = None, notice: Notice | None = None
) -> StationView:
    """How the ports are now."""
    device = require(site, name)
    with dial(site, device, way, notice=notice) as client:
        return view(site, device, ask(client, name), clock_of(client))


def clock_of(client: Client) -> str:
    """The quality of its clock, by name."""
    return CLOCK_NAMES.get(client.time().clock_quality, "?")


def watch(
    site: Site,
    name: str,
    way: Way | None = None,
    notice: Notice | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[StationView]:
    """The same each second, for ever.

    A session is over after some minutes, and then another one begins. Raises LinkError when that
    one tells nothing at all. A clock that is set stays so for a session: it is asked for no more.
    """
    device = require(site, name)
    while True:
        told = 0
        try:
            with dial(site, device, way, notice=notice) as client:
                clock = clock_step.UNSET
                while True:
                    station = ask(client, name)
                    clock = clock_of(client) if clock == clock_step.UNSET else clock
                    yield view(site, device, station, clock)
                    told += 1
                    pause(STEP_S)
        except LinkError:
            if not told:
                raise


def sensor_broken(device: Device, station: Station) -> bool:
    """Whether the board's own thermistor is: it has one, and tells no temperature."""
    return station.temperature_dc is None and boards.show(device.board).senses_itself


def view(site: Site, device: Device, station: Station, clock: str) -> StationView:
    """What was told, with names and holders. clock: its quality, by name."""
    with site.registry.session() as session:
        people = People(site, session)
        ports = tuple(_view(people, device, n, p) for n, p in enumerate(station.ports, 1))
    return StationView(
        device.name, station.limit_w, station.power_dw / 10, bits(LATCH_NAMES, station.latches),
        CONTACTOR_NAMES[station.contactor], _degrees(station.temperature_dc), ports,
        clock, sensor_broken(device, station),
    )  # fmt: skip


def _view(people: People, device: Device, number: int, port: Port) -> PortView:
    known = people.of(device, port.key, device.list_version_receipted) if port.key else None
    by_card = port.key not in (b"", _NO_KEY)
    runs = PORT_WAITS <= port.state <= PORT_ENDING
    nobody = UNKNOWN_CARD if people.reads(device) else port.key.hex()
    return PortView(
        port=number,
        state=PORT_STATE_NAMES.get(port.state, str(port.state)),
        card=(known.ref if known else nobody) if by_card else "",
        holder=known.holder if known else "",
        by_ticket=runs and not by_card,
        power_w=port.power_dw / 10,
        energy_wh=round(port.energy_mwh / 1000, 1),
        minutes=round(port.seconds / 60, 1),
        temperature_c=_degrees(port.temperature_dc),
        trouble=bits(PORT_TROUBLE_NAMES, port.trouble),
        last_end=None
        if port.last_end is None
        else END_NAMES.get(port.last_end, str(port.last_end)),
    )


def _degrees(tenths: int | None) -> float | None:
    return None if tenths is None else tenths / 10
