"""A controller's clock, brought in step by the way and judged in words for people (host).

Rules of a pull, which may find a clock that a power cut unset:

- what was asked for comes first, and a clock that cannot be set costs nothing of it
- it is set as `push` sets it: when it is unset or off, signed where that is needed
- a role that may not set it, or a folder that cannot sign, says so and sets nothing
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller_tool.errors import DeviceError, LinkError, OperatorError
from controller_tool.messages import name_of, t
from controller_tool.services.devices_ops import ClockReport, sync_clock
from controller_tool.services.site import ROLE_CODES
from protocol import roles
from protocol.codes import CLOCK_UNSET, OP_SET_TIME
from protocol.names import CLOCK_NAMES

if TYPE_CHECKING:
    from controller_tool.client import Client
    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

KEPT = "kept"
NOT_PERMITTED, UNSIGNED, REFUSED = "not permitted", "needs a signed time", "refused"
UNSET = CLOCK_NAMES[CLOCK_UNSET]
_IN_STEP_S = 1
_NEARLY_S = 60


def keep(site: Site, device: Device, client: Client) -> ClockReport | None:
    """Brings an open controller's clock in step where this folder may; None: it did not tell.

    how: also NOT_PERMITTED, UNSIGNED or REFUSED, of a clock that stays as it was.
    """
    change = roles.may(ROLE_CODES[site.peers()[0]], OP_SET_TIME)
    try:
        try:
            report = sync_clock(site, device, client, change)
        except (OperatorError, DeviceError) as error:
            why = UNSIGNED if isinstance(error, OperatorError) else REFUSED
            return replace(sync_clock(site, device, client, change=False), how=why)
    except (DeviceError, LinkError):
        return None
    if report.how == KEPT and not client.clock_in_step:
        return replace(report, how=NOT_PERMITTED)
    return report


def said(report: ClockReport | None) -> tuple[str, str] | None:
    """What happened to a clock and what to do, for people; None of one that was in step, or nearly:
    some seconds date a session well enough.
    """
    if report is None or report.how == KEPT:
        return None
    device = report.device
    if report.quality_before != UNSET and abs(report.offset_s) <= _NEARLY_S:
        return None
    if report.how not in (NOT_PERMITTED, UNSIGNED, REFUSED):
        if report.quality_before != UNSET:
            return None  # as every push mends it
        return (
            t("{device}: its clock was not set, and is now", device=device),
            t("What it wrote since its last power cut has no time; nothing can give it one"),
        )
    if report.quality_before == UNSET:
        what = t("{device}: its clock is not set: nothing it writes has a time", device=device)
    else:
        what = t("{device}: its clock is {offset}", device=device, offset=offset(report.offset_s))
    why = {
        NOT_PERMITTED: t("This role may not set it; the desk does: device time {device}",
                         device=device),
        UNSIGNED: t("It takes a signed time, which the office gives: device time {device}",
                    device=device),
        REFUSED: t("It did not take the time now. Try again: device time {device}", device=device),
    }  # fmt: skip
    return what, why[report.how]


def offset(offset_s: int) -> str:
    """How far a clock is off."""
    if abs(offset_s) <= _IN_STEP_S:
        return t("in step")
    if offset_s > 0:
        return t("{n} s ahead", n=offset_s)
    return t("{n} s behind", n=-offset_s)


def state(quality: str, offset_s: int | None, device: str) -> str:
    """How a clock is, in a line. quality: of CLOCK_NAMES; offset_s: None where it was not told."""
    if quality == UNSET:
        return t("not set: nothing it writes has a time. Set it with: device time {device}",
                 device=device)  # fmt: skip
    words = name_of("clock", quality)
    return words if offset_s is None else f"{words}{t(', ')}{offset(offset_s)}"
