"""What a check on both interpreters needs beyond `assert` (both)."""

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
