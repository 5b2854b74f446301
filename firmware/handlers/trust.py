"""A trust object on its way in: the code for it is brought from the pack (device)."""

from firmware.loan import forget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value


async def put_trust(c: "Controller", arguments: "Arguments") -> "Value":
    from firmware.trust_change import put

    forget("firmware.trust_change")
    return await put(c, arguments)
