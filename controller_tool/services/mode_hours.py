"""Doors whose hours with another mode go by a schedule of this folder (host).

A setting names a schedule by its number. So the number has to be there when it is set, and stays
taken for as long as a controller's newest configuration has it: a later schedule of that number
would open doors at its own hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import Schedule
from controller_tool.services.site import CARD_ROLES
from protocol.settings import MODE_SCHEDULE

if TYPE_CHECKING:
    from controller_tool.services.site import Site

_NUMBER_MASK = 255  # mode << 8 | number


def numbers(settings: dict[int, Any]) -> set[int]:
    """Numbers of the schedules that these settings name."""
    value = settings.get(MODE_SCHEDULE) or 0
    each = value if isinstance(value, list) else [value]
    return {one & _NUMBER_MASK for one in each} - {0}


def require_schedules(site: Site, settings: dict[int, Any]) -> None:
    """OperatorError for the first schedule that is named and not there.

    A folder that was given no schedules, such as a technician's, cannot know.
    """
    if site.role not in CARD_ROLES:
        return
    with site.registry.session() as session:
        for number in sorted(numbers(settings)):
            if session.get(Schedule, number) is None:
                raise OperatorError(
                    t("There is no schedule with number {number}", number=number),
                    t("See them with: schedule list"),
                )
