"""What only a charger answers: how its ports are, and their energy (device). Loaded for each."""

from firmware.loan import forget
from protocol.codes import ERR_UNKNOWN_OPERATION, OP_GET_PORTS
from protocol.constants import ENERGY_SLOT_BYTES
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


async def carry_out(c: "Controller", operation: int, arguments: "Arguments") -> "Value":
    """One of them; a door does not know either."""
    if not hasattr(c.kind, "told"):
        raise Refused(ERR_UNKNOWN_OPERATION)
    if operation == OP_GET_PORTS:
        return c.kind.told()
    from firmware.energy_pages import read

    forget("firmware.energy_pages")
    page = c.scratch[: arguments[1] * ENERGY_SLOT_BYTES]
    return page[: read(c.kind.energy, arguments[0], page)]
