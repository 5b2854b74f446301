"""Rosters as tests make them: rows of values, as CSV or as a workbook (host)."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

from openpyxl import Workbook

from tests.unit.house_support import number

HEADER = ("姓名", "身份证号", "房间", "卡号", "入住日期", "到期日期")
LAST = date.today() + timedelta(days=90)  # noqa: DTZ011 - a local day
FIRST = date.today()  # noqa: DTZ011


def person(place: int, room: str = "101", **other: Any) -> list[Any]:
    """A good row: invented people of county 330199, which does not exist."""
    row = {
        "姓名": f"工人{'甲乙丙丁戊己庚辛壬癸'[place % 10]}{place // 10 or ''}",
        "身份证号": number(f"3301991990{place % 12 + 1:02d}01{place % 1000:03d}"),
        "房间": room, "卡号": f"{12_345_000 + place:010d}",
        "入住日期": FIRST.isoformat(), "到期日期": LAST.isoformat(),
    }  # fmt: skip
    return list({**row, **other}.values())


def csv_bytes(*rows: list[Any], header: tuple[str, ...] = HEADER, encoding: str = "utf-8",
              separator: str = ",") -> bytes:  # fmt: skip
    """The rows under their header."""
    lines = (separator.join(map(str, row)) for row in (header, *rows))
    return "\r\n".join(lines).encode(encoding)


def xlsx_bytes(*rows: list[Any], header: tuple[str, ...] = HEADER, edit: Any = None) -> bytes:
    """The same as a workbook; ``edit`` gets its sheet last."""
    book = Workbook()
    sheet = book.active
    for row in (header, *rows):
        sheet.append(row)
    if edit is not None:
        edit(sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
