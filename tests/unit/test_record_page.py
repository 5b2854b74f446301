"""The commissioning record: what was told stands there, and nothing else (host)."""

from __future__ import annotations

import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from controller_tool import messages
from controller_tool.services import record_page, record_pdf

TAPS: list[dict[str, Any]] = [
    {"time": "2026-11-29T23:25:33.808", "card": "K000001", "point": 1, "decision": "granted",
     "reason": "card", "relay": True},
    {"time": "2026-11-29T23:25:42.961", "card": "unknown", "point": 2, "decision": "denied",
     "reason": "unknown_card", "relay": False},
]  # fmt: skip
FACTS: dict[str, Any] = {
    "way": "flash", "chip": "ESP32", "mac": "02:6d:16:16:9a:ec", "flash_bytes": 4 << 20,
    "image_sha256": "ab" * 32, "image_word": "unconfirmed", "image_version": "1.26.1",
    "firmware_sha256": "cd" * 32, "firmware": "cd" * 32, "firmware_version": "0.7.3",
    "at_s": 218_000_000, "tool": "0.1.0",
    "installer": "Li <b>Qiang</b>", "role": "installer", "clock": "synced",
    "self_test": {"relay": True, "journal": True},
    "first_list": {"ok": True, "what": "receipt for version 1", "version": 1},
    "trials": {"wanted": 2, "taps": TAPS, "contacts": [
        {"time": "2026-11-29T23:25:40.000", "event": "request_to_exit", "point": 1}]},
}  # fmt: skip
SITE: Any = SimpleNamespace(name="Number 5 & house", id=bytes(8))
SAID = (
    "Number 5 &amp; house", "02:6d:16:16:9a:ec", "ESP32", "4 MB", "ab" * 32, "cd" * 32, "1.26.1",
    "nobody compared", "K000001", "unknown_card", "2 of 2", "request_to_exit",
    "receipt for version 1", "controller-tool 0.1.0", "0.7.3", "synced", "virtual-door",
)  # fmt: skip
BROWSER = """import sys
[to] = [word for word in sys.argv if word.startswith("--print-to-pdf=")]
assert sys.argv[-1].startswith("file://")
open(to.partition("=")[2], "wb").write(b"%PDF-1.4")
"""
DEVICE: Any = SimpleNamespace(
    name="door-1", kind="door", id="6cbdd67cf25e41e4", board="virtual_door", certificate_der=b"der"
)


def page(**other: Any) -> str:
    return record_page.render(SITE, DEVICE, {**FACTS, **other})


class Whole(HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.links += [name for name, _ in attrs if name in {"src", "href", "action", "onload"}]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_says_all_that_was_told() -> None:
    text = page()
    for value in SAID:
        assert value in text, value
    assert "FAILED" not in text
    assert "not recorded" not in text


def test_it_is_one_file_without_scripts_and_asks_nobody() -> None:
    parser = Whole()
    parser.feed(page())
    assert parser.open == []
    assert parser.links == []
    assert not parser.seen & {"script", "link", "img", "iframe", "object", "form"}
    assert "default-src 'none'" in page()
    assert not re.search(r"https?://|@import|url\(", page())


def test_what_somebody_typed_is_text() -> None:
    assert "Li &lt;b&gt;Qiang&lt;/b&gt;" in page()
    evil = page(mac="<script>alert(1)</script>", chip="<img src=x>", firmware="<i>")
    assert not {"script", "img", "i"} & seen(evil)


def seen(text: str) -> set[str]:
    parser = Whole()
    parser.feed(text)
    return parser.seen


def test_what_is_not_well_is_told_first() -> None:
    text = page(
        self_test={"relay": False, "journal": True},
        first_list={"ok": False, "what": "no room", "version": 0},
        firmware="ef" * 32,
        trials={"wanted": 3, "taps": TAPS, "contacts": []},
    )
    assert "FAILED: relay" in text
    assert "passed: journal" in text
    assert '<span class="bad">no room</span>' in text
    assert f"it says that it runs {'ef' * 32}" in text
    assert '<p class="bad">2 of 3' in text


def test_what_was_never_told_is_not_made_up() -> None:
    text = record_page.render(SITE, DEVICE, {})
    assert text.count("not recorded") >= 8
    assert "Nothing was noted" in text
    by_prompt = page(way="provision", image_sha256=None, image_word=None)
    assert "was on the board already" in by_prompt


def test_it_speaks_chinese() -> None:
    messages.set_language("zh")
    try:
        text = page()
    finally:
        messages.set_language(None)
    assert '<html lang="zh-CN">' in text
    for word in ("调试记录", "放行", "拒绝", "安装员", "已收到版本 1 的回执", "未知卡"):
        assert word in text


# PDF


def converter(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of that name, alone on PATH."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{script}", "utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(record_pdf, "_ELSEWHERE", ())


@pytest.mark.skipif(os.name == "nt", reason="scripts are started otherwise there")
@pytest.mark.parametrize(
    ("name", "script", "made"),
    [
        ("weasyprint", "import sys; open(sys.argv[2], 'wb').write(b'%PDF-1.7')", True),
        ("chromium", BROWSER, True),
        ("wkhtmltopdf", "import sys; open(sys.argv[-1], 'wb').write(b'%PDF-1.4')", True),
        ("weasyprint", "import sys; open(sys.argv[2], 'wb').write(b'oops')", False),
        ("weasyprint", "raise SystemExit(3)", False),
        ("chromium", "", False),
        ("nothing", "", False),
    ],
)  # fmt: skip
def test_a_pdf_where_something_makes_one_and_no_failure_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str, made: bool
) -> None:
    sheet = tmp_path / "door 1.html"
    sheet.write_text(page(), "utf-8")
    tools = tmp_path / "tools"
    tools.mkdir()
    converter(tools, name, script, monkeypatch)
    found = record_pdf.convert(sheet)
    assert found == (sheet.with_suffix(".pdf") if made else None)
    assert sheet.with_suffix(".pdf").exists() == made
