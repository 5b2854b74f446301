"""What only a charger answers: how its ports are, and their energy (device).

A charger's Service calls `offer()` once and forgets this module; the handlers stay. It tells with
`told()` how the station and its ports are, and `energy` is its EnergyRing.
"""

from firmware import dispatch
from protocol import charging_ops
from protocol.codes import OP_GET_PORTS, OP_READ_ENERGY
from protocol.constants import ENERGY_SLOT_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


def offer() -> None:
    """From now on guests may ask."""
    charging_ops.offer()
    dispatch.HANDLERS[OP_GET_PORTS] = get_ports
    dispatch.HANDLERS[OP_READ_ENERGY] = read_energy


async def get_ports(c: "Controller", _arguments: "Arguments") -> "Value":
    return c.kind.told()


async def read_energy(c: "Controller", arguments: "Arguments") -> "Value":
    page = c.scratch[: arguments[1] * ENERGY_SLOT_BYTES]
    return page[: c.kind.energy.read(arguments[0], page)]
