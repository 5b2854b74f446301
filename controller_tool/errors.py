"""The tool's error families; each says who can mend it (host).

What a person sees is one line: what happened, then what to do. The command line prints
`str(error)` and exits 1; nothing else may reach a person.
"""

from __future__ import annotations

import os

from controller_tool.messages import t

DEBUG = "CONTROLLER_TOOL_DEBUG"


class ToolError(Exception):
    """A refusal or failure with its next step.

    what: one clause in the field's words, no secret in it.
    next_step: what the reader does now; empty when nothing can be done.
    """

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(f"{what}: {next_step}" if next_step else what)
        self.what = what
        self.next_step = next_step


class OperatorError(ToolError):
    """The person at the keyboard can mend it: wrong name, wrong file, missing program."""


class LinkError(ToolError):
    """The wire can be mended: unplugged, out of reach, broken off."""


class DeviceError(ToolError):
    """The controller refused or failed; ``code`` is its wire error, when it told one.

    setting: number of the setting that it refused, when that is why.
    """

    def __init__(
        self,
        what: str,
        next_step: str = "",
        code: int | None = None,
        setting: int | None = None,
    ) -> None:
        super().__init__(what, next_step)
        self.code = code
        self.setting = setting


class ImageError(ToolError):
    """The firmware image or board description is at fault."""


def own_fault(error: Exception) -> ToolError:
    """What a person is told of a fault in the tool itself; raises it as it is under DEBUG=1."""
    if os.environ.get(DEBUG):
        raise error
    return ToolError(
        t("The tool met a fault of its own ({kind})", kind=type(error).__name__),
        t("Report it with what {variable}=1 prints", variable=DEBUG),
    )
