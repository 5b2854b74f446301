"""One of several desks on one registry: issues, collects and imports as told, alone in a process.

    python -m tests.unit.desk_at_work FOLDER OPERATOR FIRST ROUNDS

Cards FIRST, FIRST + 1 … are its own; SHARED are everybody's, and whoever comes first gets one. It
waits for a line of standard input, and at the end prints what it did as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from controller_tool import credentials
from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.id_number import check_digit
from controller_tool.services import cards, roster
from controller_tool.services.site import Site
from tests.unit.registry_support import PASSPHRASE

SHARED = 7_000_000  # and one more each round
HEADER = "姓名,身份证号,房间,卡号,入住日期,到期日期"
ROWS = 3  # of each roster


def number(card: int) -> str:
    """A card number as it is printed."""
    return f"{card:010d}"


def issue(site: Site, card: int) -> str:
    """A card for a day; returns its reference."""
    begin = now_s() // 60
    terms = cards.Terms(begin, begin + 1440)
    return cards.issue(site, credentials.parse(number(card)), terms, None).ref


def import_some(site: Site, file: Path, first: int) -> None:
    """People whose ID numbers and cards go by ``first``."""
    lines = [HEADER]
    for card in range(first, first + ROWS):
        first17 = f"330199{1960 + card // 1000 % 40}0101{card % 1000:03d}"
        lines.append(f"王伟,{first17}{check_digit(first17)},A-101,{number(card)},"
                     "2026-03-01,2039-08-31")  # fmt: skip
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


if __name__ == "__main__":
    folder, operator, begin, count = sys.argv[1:]
    opened = Site.open(folder, PASSPHRASE, operator)
    assert opened.vault
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(work(opened, int(begin), int(count))))
    opened.close()
