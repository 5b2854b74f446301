"""The requests that chargers alone take: arguments, and who may call them (both).

They are offered where a charger is, by firmware/handlers/charging.py and by the tool; a door does
not know them, and answers ERR_UNKNOWN_OPERATION.
"""

from protocol import messages, roles
from protocol.codes import OP_GET_PORTS, OP_READ_ENERGY
from protocol.constants import ENERGY_PAGE_SLOTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocol.messages import ArgumentSpec

# reading what ports do and have done: every role
OPS: "dict[int, tuple[ArgumentSpec, ...]]" = {
    OP_GET_PORTS: (),
    OP_READ_ENERGY: (("uint", 0, 0xFFFFFFFF), ("uint", 1, ENERGY_PAGE_SLOTS)),
}


def offer() -> None:
    """From now on requests are checked against them, too."""
    messages.OPS.update(OPS)
    for role, allowed in list(roles.ALLOWED.items()):
        if OP_GET_PORTS not in allowed:
            roles.ALLOWED[role] = allowed + tuple(OPS)
