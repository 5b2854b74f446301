"""Which door or port of a controller can be what to a house (host, pure)."""

from __future__ import annotations

from controller_tool.messages import name_of, t
from controller_tool.rules import words
from controller_tool.rules.refusal import Refusal, unknown

CHARGER = "charger"


def usual_use(kind: str, has_room: bool) -> str:
    """What a point of a controller of that kind is, where nobody says it."""
    if kind == CHARGER:
        return words.CHARGER
    return words.ROOM_DOOR if has_room else words.ENTRANCE


def point(
    device: str, kind: str, points: int, door: int, use: str, room: str | None
) -> Refusal | None:
    """Why this point, from 1, of a controller with so many cannot serve a house so, or None."""
    if not 1 <= door <= points:
        return Refusal(
            "point",
            t("{device} has {n} doors or ports: there is no {door}", device=device, n=points,
              door=door),
            t("Count them from 1: --door N"),
        )  # fmt: skip
    if use not in words.USES:
        return unknown(use, words.USES)
    if (use == words.CHARGER) != (kind == CHARGER):
        return Refusal(
            "use",
            t("{device} cannot be a {use}: it is another kind of controller", device=device,
              use=name_of("use", use)),
            t("Leave --use away"),
        )  # fmt: skip
    if (use == words.ROOM_DOOR) != (room is not None) and use != words.CHARGER:
        return Refusal(
            "room",
            t("A room's own door names its room, an entrance names none"),
            t("Give --room NUMBER, or leave --use away"),
        )
    return None
