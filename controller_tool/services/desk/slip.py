"""A slip for the hand: check-in or check-out on 80 mm paper, as a page and as text (host).

No number of a card or document is on it. Of a check-out it says *deregistered* only where the
receipts do; else how many of how many controllers have proved it.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool import disk
from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.keys.files import write_private_file
from controller_tool.messages import language, name_of, t
from controller_tool.registry.models import STATE_ISSUED
from controller_tool.services import endings, moments, site_time
from controller_tool.services.desk import proving

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.desk.check_in import Stay
    from controller_tool.services.desk.proving import Proof
    from controller_tool.services.site import Site

_STYLE = """
@page { size: 80mm auto; margin: 4mm }
:root { color-scheme: light }
body { font: 10pt/1.4 "Noto Sans", "Segoe UI", Helvetica, Arial, "Noto Sans CJK SC",
  "Microsoft YaHei", "PingFang SC", "Source Han Sans SC", sans-serif;
  color: #111; background: #fff; width: 72mm; margin: 0 auto }
h1 { font-size: 13pt; margin: 0 0 1mm; text-align: center }
.site { text-align: center; margin: 0 0 2mm }
table { width: 100%; border-collapse: collapse; border-block: .6pt solid #111 }
th, td { text-align: left; vertical-align: top; padding: .4mm 1mm .4mm 0; font-weight: normal }
th { color: #444; width: 22mm } td { overflow-wrap: anywhere }
.proof { font-weight: 700; margin: 2mm 0; text-align: center }
ul { margin: 2mm 0; padding-left: 4mm } footer { font-size: 8pt; color: #444 }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Slip:
    """What is on it: title, pairs of name and value, what is proven, rules, last line."""

    site: str
    title: str
    rows: tuple[tuple[str, str], ...]
    proof: tuple[str, ...]
    rules: tuple[str, ...]
    footer: str

    def text(self) -> str:
        """Plain lines."""
        lines = [
            self.site,
            self.title,
            "-" * 32,
            *(f"{name}: {value}" for name, value in self.rows),
        ]
        lines += ["-" * 32, *self.proof, *(f"- {rule}" for rule in self.rules), self.footer]
        return "\n".join(lines) + "\n"

    def page(self) -> str:
        """One HTML page that needs nothing from outside."""
        rows = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
            for name, value in self.rows
        )
        proof = "".join(f'<p class="proof">{html.escape(line)}</p>' for line in self.proof)
        rules = "".join(f"<li>{html.escape(rule)}</li>" for rule in self.rules)
        lang = "zh-CN" if language() == "zh" else "en"
        return (
            f'<!DOCTYPE html>\n<html lang="{lang}"><head><meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            f"<title>{html.escape(self.title)}</title>\n<style>{_STYLE}</style></head>\n<body>\n"
            f'<h1>{html.escape(self.title)}</h1><p class="site">{html.escape(self.site)}</p>\n'
            f"<table>{rows}</table>\n{proof}\n"
            + (f"<ul>{rules}</ul>\n" if rules else "")
            + f"<footer>{html.escape(self.footer)}</footer>\n</body></html>\n"
        )


def of_stay(site: Site, text: str) -> Slip:
    """The slip of a stay by its reference or a card of it: of its end where it has ended."""
    return of_proof(site, proving.proof(site, [text]))


def of_proof(site: Site, shown: Proof) -> Slip:
    """The slip of the first stay of a proof; what is proven is said of all of them."""
    stay = shown.stays[0]
    left = stay.ended_at_s is not None
    return Slip(
        site.name,
        t("Check-out slip") if left else t("Check-in slip"),
        tuple(_rows(site, stay)),
        shown.words(),
        () if left else _rules(),
        t("Issued by {name}, {time}", name=site.operator, time=_time(site, now_s())),
    )


def write(made: Slip, ref: str, target: Path) -> Path:
    """The page in a file, or the folder, that is named; OperatorError where it cannot be.

    A name in .html is a page, one in .txt plain text. One without an ending is a folder, made
    where there is none: as a file, one slip would overwrite the other.
    """
    folder = target.is_dir() or not target.suffix
    path = target / f"{ref}.html" if folder else target
    endings.require(path, ".html", ".txt")
    body = made.text() if path.suffix == ".txt" else made.page()
    try:
        if folder:
            target.mkdir(parents=True, exist_ok=True)
        write_private_file(path, body.encode())  # a name and a room stand on it
    except OSError as error:
        raise OperatorError(
            t("{path} cannot be written ({error})", path=path, error=error.strerror or error),
            disk.next_step(error),
        ) from error
    return path


def _rows(site: Site, stay: Stay) -> list[tuple[str, str]]:
    rows = [
        (t("stay"), stay.ref), (name_of("person", "name"), stay.name),
        (t("kind of stay"), name_of("stay", stay.kind)),
        (t("house"), f"{stay.house} {stay.address}"), (t("room"), stay.room),
        (t("from"), _time(site, stay.from_min * 60)),
    ]  # fmt: skip
    if stay.bed:
        rows.insert(len(rows) - 1, (t("bed"), stay.bed))
    if stay.ended_at_s is None:
        rows.append((t("until"), moments.last(site_time.of(site), stay.until_min)))
        refs = [card.ref for card in stay.cards if card.state == STATE_ISSUED]
    else:
        rows.append((t("left"), _time(site, stay.ended_at_s)))
        refs = [card.ref for card in stay.cards]
    return [*rows, (t("cards"), ", ".join(refs) or t("none"))]


def _rules() -> tuple[str, ...]:
    return (
        t("The card is for its holder alone: lend it to nobody."),
        t("Report a lost card to the desk at once."),
        t("In a fire leave by the stairs. Doors open from inside without a card."),
        t("Charge e-bikes at the charging posts only, never in a room or corridor."),
    )


def _time(site: Site, time_s: int) -> str:
    return moments.told(site_time.of(site), time_s // 60)
