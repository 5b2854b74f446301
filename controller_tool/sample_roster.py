"""Makes controller_tool/data/roster.csv: 300 workers of a dormitory, all invented (host).

    python -m controller_tool.sample_roster > controller_tool/data/roster.csv

The same seed gives the same file; a test holds the file to this. Nobody real can be meant: the
ID numbers have good check digits, but county 330199 does not exist. Leases end late, so that the
demonstration works for years.
"""

import csv
import io
import random
import sys
from datetime import date, timedelta

from controller_tool.id_number import check_digit

COUNT = 300
BEDS = 6
_SEED = 20180122
_COUNTY = "330199"
_NOTE = "虚构人员"
_HEADER = ("姓名", "身份证号", "房间", "卡号", "入住日期", "到期日期", "备注")
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志红梅文斌浩宇轩梓涵雨欣晨曦"
_FIRST_LEASE = date(2025, 2, 17)
_LAST_LEASE = date(2040, 1, 31)


def make() -> str:
    """The file as text."""
    chance = random.Random(_SEED)  # noqa: S311 - the same people each time, and no secret
    numbers = chance.sample(range(10_000_000, 16_000_000), COUNT)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADER)
    for place, card in enumerate(numbers):
        begin = _FIRST_LEASE + timedelta(days=chance.randrange(300))
        end = _LAST_LEASE + timedelta(days=chance.randrange(365))
        writer.writerow((
            _name(chance), _id_number(chance, place), _room(place),
            f"{card:010d}", begin.isoformat(), end.isoformat(), _NOTE,
        ))  # fmt: skip
    return out.getvalue()


def _name(chance: random.Random) -> str:
    return chance.choice(_SURNAMES) + "".join(chance.sample(_GIVEN, chance.choice((1, 2, 2))))


def _id_number(chance: random.Random, place: int) -> str:
    born = date(1966, 1, 1) + timedelta(days=chance.randrange(40 * 365))
    first17 = f"{_COUNTY}{born:%Y%m%d}{place:03d}"
    return first17 + check_digit(first17)


def _room(place: int) -> str:
    room = place // BEDS
    return f"{'AB'[room // 25]}-{room % 25 // 5 + 1}{room % 5 + 1:02d}"


if __name__ == "__main__":
    sys.stdout.write(make())
