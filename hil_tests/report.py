"""One page for print: what was tested, how it went, and a drawing of each figure (host)."""

from __future__ import annotations

import datetime as dt
import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil_tests import strip_plot

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

    from hil_tests.measures import Measure, Measures
    from hil_tests.world import Wish

_STYLE = """
body {font: 14px/1.45 system-ui, sans-serif; color: #1b1f24; max-width: 60rem; margin: 2rem auto;
      padding: 0 1rem}
h1 {font-size: 1.5rem; margin: 0}
h2 {font-size: 1.1rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #c9d1d9}
h3 {font-size: 1rem; margin: .8rem 0 .2rem}
table {border-collapse: collapse; width: 100%}
td, th {text-align: left; padding: .25rem .6rem; vertical-align: top; overflow-wrap: anywhere}
table.told td:first-child {width: 13rem}
th {font-weight: 600; border-bottom: 1px solid #c9d1d9}
tr + tr td {border-top: 1px solid #eaeef2}
td.n {text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap}
.passed {color: #116329}
.failed, .error {color: #a40e26; font-weight: 600}
.skipped {color: #6e5494}
.verdict {font-size: 1.15rem; font-weight: 600; margin: .6rem 0 1.2rem}
.small {color: #57606a; font-size: .9em}
pre {white-space: pre-wrap; font-size: .85em; margin: .2rem 0}
section.figure {break-inside: avoid; margin: 1rem 0}
@media print {body {margin: 0; max-width: none}}
"""
_TOLD = ("board", "name", "version", "firmware", "slot", "protocol", "kind", "site", "device")
_WORST_FIRST = ("failed", "error", "skipped", "passed")
_TWIN = (
    "Virtual boards: the firmware and the jig's program are the real ones, the time is this "
    "computer's. A relay's edge is stamped within a millisecond, more where the computer is busy."
)


@dataclass(frozen=True)
class Row:
    """How one test went."""

    test: str
    outcome: str
    seconds: float
    why: str


class Reporter:
    """A plugin of pytest that writes the page when the run ends, however it ends."""

    def __init__(self, path: Path, wish: Wish, measures: Measures, person: str) -> None:
        self._path = path
        self._wish = wish
        self._measures = measures
        self._person = person
        self._rows: dict[str, Row] = {}
        self._began = dt.datetime.now(dt.UTC)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes note: of the call, and of a set-up or an end that failed or was skipped."""
        if report.when != "call" and report.passed:
            return
        outcome = "error" if report.failed and report.when != "call" else report.outcome
        name = report.nodeid.removeprefix("hil_tests/")
        self._rows[name] = Row(name, outcome, report.duration, _why(report))

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Writes the page."""
        self._path.write_text(self._page(int(exitstatus)), encoding="utf-8")

    def _page(self, status: int) -> str:
        counts = {o: sum(r.outcome == o for r in self._rows.values()) for o in _WORST_FIRST}
        passed = status == 0 and counts["passed"] > 0
        said = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
        verdict = "PASSED" if passed else "FAILED"
        parts = [
            "<h1>Device-level tests</h1>",
            (
                f'<p class="verdict {"passed" if passed else "failed"}">{verdict}: '
                f"{said or 'no test ran'}</p>"
            ),
            self._identity(),
            *self._wires(),
            *self._figures(),
            self._missing(),
            self._results(),
        ]
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Device-level tests</title>'
            f"<style>{_STYLE}</style>{''.join(parts)}</html>\n"
        )

    def _identity(self) -> str:
        wish = self._wish
        rows = [
            ("Date", self._began.isoformat(" ", "minutes").removesuffix("+00:00") + " UTC"),
            ("Person", self._person),
            ("Site folder", str(wish.site) if wish.real else "made for this run"),
            ("Under test", f"real: {wish.name}" if wish.real else "virtual boards and jig"),
        ]
        for board, told in self._measures.told.items():
            said = ", ".join(f"{k} {_text(told[k])}" for k in _TOLD if k in told and k != "board")
            rows.append((f"Controller {board}", said))
            jig = told["jig"]
            assert isinstance(jig, dict)
            rows.append(
                ("Its jig", (f"protocol {jig['protocol']}, MicroPython {jig['image']}, "
                            f"program {jig['digest'][:16]}"))
            )  # fmt: skip
        rows.append(("MicroPython image of the controller", "not told over the channel"))
        note = "" if wish.real else f'<p class="small">{_TWIN}</p>'
        return _table(rows) + note

    def _wires(self) -> Iterable[str]:
        if self._measures.wires:
            yield "<h2>Wires, moved and seen before anything ran</h2>"
            for board, lines in self._measures.wires.items():
                text = html.escape("\n".join(lines))
                yield f"<h3>{html.escape(board)}</h3><pre>{text}</pre>"

    def _figures(self) -> Iterable[str]:
        if self._measures.all:
            yield "<h2>Figures</h2>"
        for measure in self._measures.all.values():
            yield _figure(measure)

    def _missing(self) -> str:
        rows = [(f"{name}, {board}", why) for (board, name), why in self._measures.missing.items()]
        rows += [
            ("microseconds of a real relay and reader", "virtual boards have none"),
            ("brown-out at a real regulator", "a jig's relay cuts the supply and cannot lower it"),
        ] if not self._wish.real else []  # fmt: skip
        return "<h2>Not measured, and why</h2>" + (_table(rows) if rows else "<p>Nothing.</p>")

    def _results(self) -> str:
        ordered = sorted(self._rows.values(), key=lambda row: _WORST_FIRST.index(row.outcome))
        lines = "".join(
            f'<tr><td>{html.escape(row.test)}</td><td class="{row.outcome}">{row.outcome}</td>'
            f'<td class="n">{row.seconds:.1f} s</td><td>{html.escape(row.why)}</td></tr>'
            for row in ordered
        )
        head = "<tr><th>Test</th><th>Result</th><th>Time</th><th>Why</th></tr>"
        return f"<h2>Tests</h2><table>{head}{lines}</table>"


def _figure(measure: Measure) -> str:
    limit = "none" if measure.limit is None else f"{measure.limit:g} {measure.unit}"
    numbers = (
        ("count", f"{len(measure.values)}"),
        ("median", f"{measure.median:.1f}"),
        ("p95", f"{measure.p95:.1f}"),
        ("max", f"{measure.worst:.1f} {measure.unit}"),
        ("limit", limit),
        ("by", measure.by),
    )
    said = " · ".join(f"{name} {html.escape(value)}" for name, value in numbers)
    verdict = "passed" if measure.holds else "failed"
    title = html.escape(f"{measure.name}, {measure.board}")
    is_time = measure.unit == "ms"  # a count needs no drawing
    drawing = strip_plot.draw(measure.values, measure.limit, measure.unit) if is_time else ""
    return (
        f'<section class="figure"><strong class="{verdict}">{title}</strong>'
        f'<div class="small">{said}</div>{drawing}</section>'
    )


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>"
        for name, value in rows
    )
    return f'<table class="told">{lines}</table>'


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _why(report: pytest.TestReport) -> str:
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        return str(crash.message if crash else report.longrepr).splitlines()[0]
    return ""
