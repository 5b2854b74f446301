"""A PDF of a page, by whatever this computer has that prints pages; else nothing (host).

A browser prints as it does from its own menu. None of these is needed, and none is installed.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

_PATIENCE_S = 60.0
_BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
    "microsoft-edge",
)  # fmt: skip
# where browsers stand that are not on PATH
_ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
_BEGIN = b"%PDF-"


def convert(page: Path) -> Path | None:
    """The PDF beside the page, of the same name; None where it could not be made."""
    target = page.with_suffix(".pdf")
    with tempfile.TemporaryDirectory(prefix="record-", ignore_cleanup_errors=True) as folder:
        made = Path(folder) / "page.pdf"
        for command in _commands(page.resolve(), made, Path(folder)):
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                subprocess.run(
                    command, timeout=_PATIENCE_S, check=True,
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                if made.read_bytes().startswith(_BEGIN):
                    shutil.move(made, target)
                    return target
    return None


def _commands(page: Path, made: Path, folder: Path) -> list[list[str]]:
    """What to try, in this order."""
    found = []
    if shutil.which("weasyprint"):
        found.append(["weasyprint", str(page), str(made)])
    browsers = [*filter(shutil.which, _BROWSERS), *(p for p in _ELSEWHERE if Path(p).exists())]
    found += [
        [
            browser, "--headless", "--disable-gpu", "--no-pdf-header-footer",
            f"--user-data-dir={folder / 'profile'}",  # else it would talk to one that is open
            f"--print-to-pdf={made}", page.as_uri(),
        ]
        for browser in browsers
    ]  # fmt: skip
    if shutil.which("wkhtmltopdf"):
        found.append(["wkhtmltopdf", "--quiet", "--page-size", "A4", str(page), str(made)])
    return found
