"""The order's five rates and the card rate: what each counts, and what its gap is (host, pure).

The order (大江东管办发〔2018〕22号, 一) wants five of them at 100 %. A house *is let* unless it is
closed and nobody stays in it; visitors are no floating population.

- HOUSES 居住出租房屋登记率: let houses that are admitted / let houses, as many as were counted
  on foot or are known, whichever is more
- PEOPLE 流动人口登记率: people who stay in a let house, registered / as many as were counted there
  or are registered, whichever is more; a house with more than were counted fills no other's gap
- ACCURACY 信息准确率: entries of them that somebody compared and found right and that have all
  fields / all entries
- HAZARDS 消防安全隐患整改合格率: hazards that a later visit saw mended / all that were ever found,
  due or not, also of houses that are closed by now; `counts_as_due` tells those with time yet
- BREACHES 违法违规责任主体查处率: cases with a sanction, or closed / all cases
- CARDS 注销率: departures whose cards are proven dead on every controller that was ever sent them /
  all departures. A departure is a stay that ended and had a card, or a card that ended by itself
  (not one that was replaced: its holder keeps it)

Where nobody counted, what is known stands for it, ``uncounted`` says so, and the percentage is
told as the most that it can be: such a rate is never reached.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from controller_tool.rules import words

HOUSES, PEOPLE, ACCURACY, HAZARDS, BREACHES, CARDS = RATES = (
    "houses", "people", "accuracy", "hazards", "breaches", "cards",
)  # fmt: skip
DUE = "hazards_due"  # HAZARDS without those that have time yet, told beside it
POPULATION = (words.TENANT, words.WORKER)

# why something is a gap (group "gap")
NOT_SURVEYED, NOT_REGISTERED = "not_surveyed", "not_registered"
NOT_ADMITTED, SUSPENDED, LET_THOUGH_CLOSED = "not_admitted", "suspended", "let_though_closed"
WRONG, FIELDS_MISSING, NEVER_VERIFIED = "wrong", "fields_missing", "never_verified"
NOT_MENDED, OVERDUE, NO_LATER_VISIT = "not_mended", "overdue", "no_later_visit"
NO_SANCTION = "no_sanction"
STILL_ISSUED, NOT_PROVEN_DEAD = "still_issued", "not_proven_dead"
_TENTHS = 1000


@dataclass(frozen=True)
class Rate:
    """numerator of denominator; uncounted: places where nobody counted what there is."""

    numerator: int = 0
    denominator: int = 0
    uncounted: int = 0

    def __add__(self, other: Rate) -> Rate:
        return Rate(
            self.numerator + other.numerator,
            self.denominator + other.denominator,
            self.uncounted + other.uncounted,
        )

    @property
    def reached(self) -> bool:
        """100 %: there is something, and all of it, and somebody counted it."""
        return 0 < self.denominator == self.numerator and not self.uncounted

    @property
    def tenths(self) -> int | None:
        """Tenths of a percent, never rounded up; None of nothing."""
        return self.numerator * _TENTHS // self.denominator if self.denominator else None

    @property
    def percent(self) -> str:
        """ "99.9 %" for 99.96; "≤ 99.9 %" where somebody has yet to count; "n/a" of nothing."""
        text = percent_of(self.tenths)
        return f"≤ {text}" if self.uncounted and self.denominator else text

    @property
    def missing(self) -> int:
        """What is not as it should be."""
        return self.denominator - self.numerator


def percent_of(tenths: int | None) -> str:
    """Tenths of a percent as people read them."""
    if tenths is None:
        return "n/a"
    return "100 %" if tenths == _TENTHS else f"{tenths // 10}.{tenths % 10} %"


@dataclass(frozen=True)
class Gap:
    """Something that keeps a rate from 100 %.

    place: code of its area; house: its reference; subject: reference of the stay, hazard, case or
    card, or of the house or area itself; who: is to be asked, the person or the landlord; count:
    how many it stands for; proven, of, devices: of a departure: receipts that are here, that must
    be, and whose are missing.
    """

    rate: str
    place: str
    house: str
    subject: str
    reason: str
    count: int = 1
    room: str = ""
    who: str = ""
    detail: str = ""
    due_s: int | None = None
    proven: int | None = None
    of: int | None = None
    devices: tuple[str, ...] = ()


def house_reason(state: str) -> str | None:
    """Why a let house is a gap; None for one that is admitted."""
    return {
        words.ADMITTED: None,
        words.SUSPENDED: SUSPENDED,
        words.CLOSED: LET_THOUGH_CLOSED,
    }.get(state, NOT_ADMITTED)


def entry_reason(verified_good: bool | None, missing: tuple[str, ...]) -> str | None:
    """Why a person's entry is not proven right; None when it is. missing: names of fields."""
    if verified_good is False:
        return WRONG
    if missing:
        return FIELDS_MISSING
    return None if verified_good else NEVER_VERIFIED


def hazard_reason(
    found_at_s: int, mended_at_s: int | None, due_s: int, now_s: int, same_visit: bool = False
) -> str | None:
    """Why a hazard is not proven mended. same_visit: who found it also says that it is mended."""
    if mended_at_s is None:
        return OVERDUE if due_s <= now_s else NOT_MENDED
    return NO_LATER_VISIT if same_visit or mended_at_s < found_at_s else None


def counts_as_due(due_s: int, now_s: int, mended: bool) -> bool:
    """Whether a hazard is in the narrower rate, without those that have time yet."""
    return mended or due_s <= now_s


def breach_reason(sanctioned: bool, closed: bool) -> str | None:
    """Why a case is not dealt with."""
    return None if sanctioned or closed else NO_SANCTION


def departure_reason(still_issued: bool, unproven: int) -> str | None:
    """Why a departure is not done. unproven: controllers whose receipt is missing."""
    if still_issued:
        return STILL_ISSUED
    return NOT_PROVEN_DEAD if unproven else None


def counted(own: int | None, parts: Rate, *, is_part: bool) -> Rate:
    """A rate against what was counted on foot in this very place.

    own: the count, None where nobody made one; parts: what its houses and areas add up to;
    is_part: no smaller place in it could have been counted instead.
    """
    if own is None:
        return replace(parts, uncounted=parts.uncounted + (1 if is_part else 0))
    return Rate(parts.numerator, max(own, parts.denominator), 0)


@dataclass(frozen=True)
class Ages:
    """Days since records were last looked at: the median, the tenth oldest of a hundred, all."""

    count: int
    half_days: int
    tenth_days: int
    oldest_days: int


def ages(days: list[int]) -> Ages | None:
    """By nearest rank; None of none."""
    if not days:
        return None
    rising = sorted(days)
    return Ages(
        len(rising), rising[(len(rising) - 1) // 2], rising[-1 - len(rising) // 10], rising[-1]
    )
