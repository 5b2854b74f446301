"""Dates and minutes of options, in the site's local time (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from controller_tool.messages import t
from controller_tool.services.moments import last, last_text, minute, text, told

if TYPE_CHECKING:
    from controller_tool.services.site_time import SiteTime

__all__ = ["last", "last_text", "minute", "span", "text", "told"]


def span(local: SiteTime, since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """Seconds since 2020 of --since and --until; what begins at the second is not within."""
    begin_s, end_s = (
        None if words is None else minute(local, words, last_day=last_day) * 60
        for words, last_day in ((since, False), (until, True))
    )
    if begin_s is not None and end_s is not None and begin_s >= end_s:
        raise click.UsageError(
            t("--since {since} is after --until {until}: nothing lies between them",
              since=since, until=until)
        )  # fmt: skip
    return begin_s, end_s
