"""Reads back what a residence system made of a list: accepted, refused, not answered (host).

A receipt is a .csv or .xlsx file with the list's numbers and a verdict each. All or nothing: what
is wrong in it is named by row and column, and then nothing of it counts.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.stays import DeliveryReject
from controller_tool.rules import duty
from controller_tool.services import audit
from controller_tool.services.city import marks
from controller_tool.services.city.kinds import Once
from controller_tool.services.desk import operators, sheet_xlsx, sheets
from controller_tool.services.desk.residents import KIND, target_of
from controller_tool.services.desk.sheet_cells import Fault
from controller_tool.services.desk.sheet_xlsx import ROWS_MAX

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site

_HEADERS = {
    "number": ("登记编号", "流水号", "number", "id"),
    "result": ("结果", "处理结果", "状态", "result"),
    "reason": ("原因", "失败原因", "备注", "reason"),
}
_GOOD = frozenset(("成功", "通过", "已接收", "ok", "accepted"))
_BAD = frozenset(("失败", "退回", "不通过", "refused", "rejected"))
_ANSWERED = "answered"


class ReceiptRefused(OperatorError):
    """The receipt was not taken. ``faults`` names every wrong field."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(
            t("{n} fields of the receipt are wrong; nothing was taken", n=len(faults)),
            t("Ask for the receipt again, or correct the file"),
        )
        self.faults = faults


@dataclass(frozen=True)
class Reconciled:
    """unanswered: rows of all lists so far that no receipt has told anything of."""

    system: str
    accepted: int
    refused: int
    unanswered: int


def reconcile(site: Site, system: str, path: Path, dry_run: bool = False) -> Reconciled:
    """Take a receipt; what it refuses goes on the work list. Raises OperatorError."""
    site.require_cards()
    operators.require(site, duty.EXPORT)
    target = target_of(system)
    lines = _lines(path)
    with site.registry.session() as session:
        listed = {marks.event_id(one) for one in marks.known(session, target, KIND).values()}
        answered = marks.once(session, target, _ANSWERED)
    good, bad, faults = _judged(lines, listed)
    if faults:
        raise ReceiptRefused(faults)
    done = answered | good | {number for number, _ in bad}
    made = Reconciled(system, len(good), len(bad), len(listed - done))
    if dry_run:
        return made
    marks.advance(site, target, _ANSWERED, [Once(one) for one in sorted(done & listed)], 0)
    marks.advance(site, target, KIND, [], 0, bad)
    with site.registry.writing() as session:
        _settle(session, target, good)
        audit.append(
            session, site.operator, "export.receipt", target=target, accepted=len(good),
            refused=len(bad),
        )  # fmt: skip
    return made


def _settle(session: Session, target: str, good: set[str]) -> None:
    """What was refused before and is accepted now waits no more."""
    query = select(DeliveryReject).where(
        DeliveryReject.target == target, DeliveryReject.resolved_at_s.is_(None)
    )
    for row in session.scalars(query):
        if row.event_id in good:
            row.resolved_at_s = now_s()


def _judged(
    lines: list[list[str]], listed: set[str]
) -> tuple[set[str], list[tuple[str, str]], list[Fault]]:
    """Accepted numbers, refused ones with their reasons, and what is wrong."""
    header = [cell.strip().lower() for cell in lines[0]] if lines else []
    places = {
        field: next((header.index(name) for name in names if name in header), None)
        for field, names in _HEADERS.items()
    }
    faults = [
        Fault(1, _HEADERS[field][0], t("column missing"))
        for field in ("number", "result")
        if places[field] is None
    ]
    good: set[str] = set()
    bad: dict[str, str] = {}
    for row, cells in enumerate(lines[1:] if not faults else [], 2):
        if not any(cell.strip() for cell in cells):
            continue
        number, result, reason = (
            cells[place].strip() if place is not None and place < len(cells) else ""
            for place in (places["number"], places["result"], places["reason"])
        )
        if number not in listed:
            faults.append(Fault(row, _HEADERS["number"][0], t("not a number of this list")))
        elif number in good or number in bad:
            faults.append(Fault(row, _HEADERS["number"][0], t("twice in this file")))
        elif result.lower() in _GOOD:
            good.add(number)
        elif result.lower() in _BAD:
            bad[number] = reason or result
        else:
            faults.append(Fault(row, _HEADERS["result"][0], t("neither accepted nor refused")))
    return good, sorted(bad.items()), faults


def _lines(path: Path) -> list[list[str]]:
    """All cells as text."""
    raw = sheets.read_bytes(path)
    if path.suffix.lower() != ".xlsx":
        try:
            return list(csv.reader(io.StringIO(sheets.text(raw, path.name), newline="")))
        except csv.Error:
            raise OperatorError(
                t("{path} is no CSV file", path=path.name), t("Save it as .xlsx or .csv")
            ) from None
    rows = dict(next(iter(sheet_xlsx.read(raw, path.name).values()), []))
    if max(rows, default=0) > ROWS_MAX:
        raise OperatorError(
            t("{path} has more than {n} rows", path=path.name, n=ROWS_MAX), t("Split it")
        )
    numbers = range(1, max(rows, default=0) + 1)
    return [[cell.text for cell in rows.get(number, [])] for number in numbers]
