"""One of several desks on one registry: works as told, alone in a process (host).

    python -m tests.unit.desk_at_work WORK FOLDER OPERATOR FIRST ROUNDS

WORK: "cards": issues, collects and imports; "stays": checks people in and out. Cards FIRST,
FIRST + 1 … are its own; SHARED are everybody's, and whoever comes first gets one. It waits for a
line of standard input, and at the end prints what it did as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from controller_tool import credentials
from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.id_number import check_digit
from controller_tool.rules.refusal import RuleRefused
from controller_tool.services import cards, roster
from controller_tool.services.desk import check_in, check_out
from controller_tool.services.people import Holder
from controller_tool.services.site import Site
from tests.unit.registry_support import PASSPHRASE

SHARED = 7_000_000  # and one more each round
HEADER = "姓名,身份证号,房间,卡号,入住日期,到期日期"
ROWS = 3  # of each roster


def number(card: int) -> str:
    """A card number as it is printed."""
    return f"{card:010d}"


def id_number_of(person: int) -> str:
    """A good one, the same for the same number; 40 000 different ones."""
    first17 = f"330199{1960 + person // 1000 % 40}0101{person % 1000:03d}"
    return first17 + check_digit(first17)


def issue(site: Site, card: int) -> str:
    """A card for a day; returns its reference."""
    begin = now_s() // 60
    terms = cards.Terms(begin, begin + 1440)
    return cards.issue(site, credentials.parse(number(card)), terms, None).ref


def import_some(site: Site, file: Path, first: int) -> None:
    """People whose ID numbers and cards go by ``first``."""
    lines = [HEADER]
    lines += [
        f"王伟,{id_number_of(card)},A-101,{number(card)},2026-03-01,2039-08-31"
        for card in range(first, first + ROWS)
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    roster.import_roster(site, file)


def work(site: Site, first: int, rounds: int) -> dict[str, list[str]]:
    """References by what was done."""
    done: dict[str, list[str]] = {"issued": [], "collected": [], "shared": []}
    file = site.path / "roster.csv"
    for turn in range(rounds):
        ref = issue(site, first + turn)
        done["issued"].append(ref)
        try:
            done["shared"].append(issue(site, SHARED + turn))
        except OperatorError as refused:
            if "issued already" not in refused.what:
                raise
        if turn % 2:
            cards.collect(site, ref)
            done["collected"].append(ref)
        if turn % 4 == 0:
            import_some(site, file, first + 1000 + turn * ROWS)
    return done


def bed(turn: int) -> str:
    """The room with one bed that both desks want in this round."""
    return f"1-{turn}"


def move_in(site: Site, guest: int, room: str, card: int) -> str:
    """A stay of a day; returns its reference."""
    holder = Holder("王伟", id_number_of(guest))
    begin = now_s() // 60
    wish = check_in.Request(holder, "H00001", room, begin, begin + 1440,
                            cards=(credentials.parse(number(card)),))  # fmt: skip
    return check_in.check_in(site, wish).ref


def work_with_stays(site: Site, first: int, rounds: int) -> dict[str, list[str]]:
    """References of stays: own, and those where one bed or one card was left for both desks."""
    done: dict[str, list[str]] = {"own": [], "bed": [], "card": [], "left": []}
    for turn in range(rounds):
        guest = first + 3 * turn
        own = move_in(site, guest, "hall", guest)
        done["own"].append(own)
        try:
            done["bed"].append(move_in(site, guest + 1, bed(turn), guest + 1))
        except RuleRefused as refused:
            if refused.refusal.rule != "capacity":
                raise
        try:
            done["card"].append(move_in(site, guest + 2, "hall", SHARED + turn))
        except OperatorError as refused:
            if "issued already" not in refused.what:
                raise
        if turn % 2:
            check_out.check_out(site, own)
            done["left"].append(own)
    return done


WORK = {"cards": work, "stays": work_with_stays}

if __name__ == "__main__":
    kind, folder, operator, begin, count = sys.argv[1:]
    opened = Site.open(folder, PASSPHRASE, operator)
    assert opened.vault
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(WORK[kind](opened, int(begin), int(count))))
    opened.close()
