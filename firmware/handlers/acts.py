"""Physical actions, by ticket only: signed, for this controller's own nonce, once (device)."""

from protocol.codes import ERR_STATE
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


async def get_nonce(c: "Controller", arguments: "Arguments") -> "Value":
    return c.make_nonce()


async def get_credential(c: "Controller", arguments: "Arguments") -> "Value":
    """What was presented for whoever asks, by a ticket of theirs; None as long as nothing was."""
    if c.enrolment is None:
        raise Refused(ERR_STATE)
    return c.enrolment.tell(c)
