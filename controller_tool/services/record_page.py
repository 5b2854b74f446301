"""The commissioning record as one HTML page to print on A4 and sign (host).

No script, no address, nothing from outside: the page shows the same in twenty years. What was
never told stands there as such; nothing is made up.
"""

from __future__ import annotations

import hashlib
import html
from typing import TYPE_CHECKING, Any

from controller_tool import date_forms
from controller_tool.clock import local_text
from controller_tool.messages import language, name_of, t
from controller_tool.services.boards import display_name
from controller_tool.services.images import PERSON, UNCONFIRMED, VENDOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

_STYLE = """
@page { size: A4; margin: 16mm 15mm 18mm }
:root { color-scheme: light }
body { font: 10.5pt/1.45 "Noto Sans", "Segoe UI", Helvetica, Arial, "Noto Sans CJK SC",
  "Microsoft YaHei", "PingFang SC", "Source Han Sans SC", sans-serif;
  color: #111; background: #fff; max-width: 180mm; margin: 0 auto; padding: 4mm }
header { display: flex; justify-content: space-between; align-items: baseline;
  border-bottom: 1.2pt solid #111; padding-bottom: 2mm }
h1 { font-size: 17pt; margin: 0 } header p { margin: 0; font-size: 10pt }
h2 { font-size: 11.5pt; margin: 4mm 0 .5mm; break-after: avoid }
section p { margin: .6mm 0 }
table { width: 100%; border-collapse: collapse; break-inside: avoid }
th, td { text-align: left; vertical-align: top; padding: .6mm 2mm .6mm 0;
  border-bottom: .4pt solid #bbb }
th { font-weight: 600; width: 44mm } thead th { width: auto; border-bottom: .8pt solid #111 }
code { font: 8.6pt/1.35 "DejaVu Sans Mono", Consolas, Menlo, monospace; overflow-wrap: anywhere }
.bad { font-weight: 700 } .bad::before { content: "! " }
.quiet { color: #555 }
.signs { display: flex; gap: 10mm; margin-top: 11mm; break-inside: avoid }
.signs p { flex: 1; border-top: .6pt solid #111; margin: 0; padding-top: 1mm; font-size: 9pt }
footer { margin-top: 4mm; font-size: 8.5pt; color: #555 }
@media print { body { max-width: none; padding: 0 } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


class _Markup(str):
    """Text that is HTML already; all other text is escaped."""

    __slots__ = ()


def render(site: Site, device: Device, facts: dict[str, Any]) -> str:
    """The page for a controller, in the session's language."""
    title = t("Commissioning record")
    parts = [
        f"<header><h1>{_text(title)}</h1><p>{_text(site.name)}</p></header>",
        _section(t("Controller"), _pairs(_controller(site, device, facts))),
        _section(t("Firmware"), _pairs(_firmware(facts))),
        _section(t("Checks"), _pairs(_checks(facts))),
        *_trials(facts.get("trials")),
        _section(t("By whom"), _pairs(_whom(facts))),
        _signs(t("Installer, date, signature"), t("For the house, date, signature")),
        f"<footer>{_text(_footer(facts))}</footer>",
    ]
    body = "\n".join(parts)
    lang = "zh-CN" if language() == "zh" else "en"
    head = _text(f"{title} – {device.name}")
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{head}</title>\n<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _controller(site: Site, device: Device, facts: dict[str, Any]) -> list[tuple[str, str]]:
    size = facts.get("flash_bytes")
    return [
        (t("site"), f"{site.name} ({site.id.hex()})"),
        (t("name"), device.name),
        (t("kind"), name_of("kind", device.kind)),
        (t("id"), _code(device.id)),
        (t("serial number (MAC)"), _code(facts.get("mac"))),
        (t("board"), display_name(device.board)),
        (t("chip and flash"), f"{facts.get('chip')}, {size >> 20} MB" if size else _told(None)),
        (t("certificate (SHA-256)"), _code(hashlib.sha256(device.certificate_der).hexdigest())),
    ]


def _firmware(facts: dict[str, Any]) -> list[tuple[str, str]]:
    words = {
        VENDOR: t("its digest was compared with the vendor's page"),
        UNCONFIRMED: t("has board.toml's digest, which nobody compared with the vendor's page"),
        PERSON: t("somebody vouched for it with --trust-image"),
    }  # fmt: skip
    word = words.get(str(facts.get("image_word")), "")
    if facts.get("way") == "provision":
        word = t("was on the board already; which image it is was not looked at")
    image = " – ".join(filter(None, (facts.get("image_version"), word)))
    return [
        (t("MicroPython"), _told(image)),
        (t("image (SHA-256)"), _code(facts.get("image_sha256"))),
        (t("firmware"), _told(facts.get("firmware_version"))),
        (t("firmware (SHA-256)"), _same(facts.get("firmware"), facts.get("firmware_sha256"))),
    ]


def _same(runs: object, sent: object) -> str:
    """The firmware that the controller says it runs; which was sent, where that is another."""
    if not runs or not sent or runs == sent:
        return _code(runs or sent)
    other = html.escape(t("it says that it runs {digest}", digest=runs))
    return _Markup(f'{_code(sent)}<br><span class="bad">{other}</span>')


def _checks(facts: dict[str, Any]) -> list[tuple[str, str]]:
    clock = facts.get("clock")
    return [
        (t("self-test"), _self_test(facts.get("self_test") or {})),
        (t("clock when done"), _told(name_of("clock", clock) if clock else None)),
        (t("first list"), _first_list(facts)),
    ]


def _self_test(tests: dict[str, bool]) -> str:
    """What passed in one line, and before it what did not."""
    if not tests:
        return _told(None)
    names = {ok: [name_of("check", n) for n in sorted(tests) if tests[n] == ok] for ok in (0, 1)}
    good = f"{t('passed')}: {', '.join(names[1])}" if names[1] else ""
    if not names[0]:
        return good
    bad = html.escape(f"{t('FAILED')}: {', '.join(names[0])}")
    return _Markup(f'<span class="bad">{bad}</span><br>{html.escape(good)}')


def _first_list(facts: dict[str, Any]) -> str:
    if "first_list" not in facts:
        return _told(None)
    first = facts["first_list"]
    if first is None:
        return t("none")
    if not first["ok"]:
        return _Markup(f'<span class="bad">{html.escape(first["what"])}</span>')
    return t("receipt for version {version}", version=first["version"])


def _trials(trials: dict[str, Any] | None) -> Iterable[str]:
    if trials is None:
        yield _section(t("Cards tried"), f'<p class="quiet">{_text(t("none"))}</p>')
        return
    taps = trials["taps"]
    head = [t("time"), t("card"), t("door or port"), t("decision"), t("reason"), t("relay acted")]
    rows = [_tap(tap) for tap in taps]
    said = t("{count} of {wanted}, as its journal has them", count=len(taps),
             wanted=trials["wanted"])  # fmt: skip
    mark = "quiet" if len(taps) >= trials["wanted"] else "bad"
    yield _section(t("Cards tried"), f'<p class="{mark}">{_text(said)}</p>' + _table(head, rows))
    if trials["contacts"]:
        seen = [
            (one["time"][11:23], name_of("event", one["event"]), str(one["point"]))
            for one in trials["contacts"]
        ]
        yield _section(
            t("Contacts seen meanwhile"),
            _table([t("time"), t("event"), t("door or port")], seen),
        )


def _tap(tap: dict[str, Any]) -> tuple[str, ...]:
    return (
        tap["time"][11:23],
        name_of("card", tap["card"]),
        str(tap["point"]),
        name_of("event", tap["decision"]),
        name_of("reason", tap["reason"]),
        t("yes") if tap["relay"] else t("no"),
    )


def _whom(facts: dict[str, Any]) -> list[tuple[str, str]]:
    at = facts.get("at_s")
    role = facts.get("role")
    by = facts.get("installer")
    return [
        (t("installer"), f"{by} ({name_of('role', str(role))})" if by else _told(None)),
        (t("time"), date_forms.shown(local_text(at)) if isinstance(at, int) else _told(None)),
        (t("tool"), f"controller-tool {facts['tool']}" if facts.get("tool") else _told(None)),
    ]


def _footer(facts: dict[str, Any]) -> str:
    if not facts:
        return t("Nothing was noted when this controller was commissioned.")
    return t(
        "Made by controller-tool from what the controller, its chip and its journal told. The"
        " operators' log of the site holds this page's SHA-256."
    )


def _signs(*lines: str) -> str:
    made = "".join(f"<p>{_text(line)}</p>" for line in lines)
    return f'<div class="signs">{made}</div>'


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{_text(title)}</h2>{inside}</section>"


def _pairs(rows: Iterable[tuple[str, str]]) -> str:
    made = "".join(
        f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in rows
    )
    return f"<table><tbody>{made}</tbody></table>"


def _table(head: list[str], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    names = "".join(f"<th>{_text(name)}</th>" for name in head)
    cells = "".join(
        "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{names}</tr></thead><tbody>{cells}</tbody></table>"


def _text(value: str) -> str:
    return value if isinstance(value, _Markup) else html.escape(value)


def _code(value: object) -> str:
    return _Markup(f"<code>{html.escape(str(value))}</code>") if value else _told(None)


def _told(value: object) -> str:
    return str(value) if value else _Markup(
        f'<span class="quiet">{html.escape(t("not recorded"))}</span>'
    )  # fmt: skip
