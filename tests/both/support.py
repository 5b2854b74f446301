"""What a check on both interpreters needs beyond `assert` (both)."""

import json

from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def raises(
    expected: "type[BaseException] | tuple[type[BaseException], ...]",
    function: "Callable[..., object]",
    *arguments: "Any",
    **named: "Any",
) -> "Any":
    """Call `function` and return the exception of the expected kind that it raised.

    Raises AssertionError when it returns; lets every other exception through.
    """
    try:
        result = function(*arguments, **named)
    except expected as error:
        return error
    raise AssertionError("returned %r instead of raising %r" % (result, expected))


def vectors(name: str) -> "Any":
    """The golden vectors of tests/vectors/<name>.json."""
    folder = __file__.rsplit("/", 2)[0]
    with open(folder + "/vectors/" + name + ".json", encoding="utf-8") as file:
        return json.load(file)


def flipped(data: bytes, bit: int) -> bytes:
    """`data` with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def refused(code: int, function: "Callable[..., object]", *arguments: "Any") -> None:
    """Fail unless the call raises messages.Refused with this wire error."""
    error = raises(Refused, function, *arguments)
    assert error.code == code, "refused with %d instead of %d" % (error.code, code)


def outcome(function: "Callable[..., object]", *arguments: "Any") -> int:
    """The wire error with which the call is refused, 0 when it is not; all else comes through."""
    try:
        function(*arguments)
    except Refused as error:
        return error.code
    return 0
