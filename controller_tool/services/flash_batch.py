"""Several boards at once on a hub: each commissioned by itself, side by side (host).

- the whole batch is read and checked before any board is touched
- one that fails stops no other
- one that was finished is skipped, so that the same command goes on where it stopped
"""

from __future__ import annotations

import csv
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller_tool.channel.address import is_network
from controller_tool.errors import OperatorError, ToolError, own_fault
from controller_tool.messages import t
from controller_tool.services import boards, commission, install, provision, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.services.images import Image
    from controller_tool.services.site import Site

DONE, SKIPPED, FAILED = "done", "skipped", "failed"
_FIELDS = {"name", "port", "board", "kind", "tcp", "ssid", "wifi_password"}
_AT_ONCE = 16
_ROWS_MAX = 200


@dataclass(frozen=True)
class Outcome:
    """How it went with one board; what, next_step: of one that failed; done: None else.

    sheet: file of its commissioning record.
    """

    device: str
    port: str
    state: str
    what: str = ""
    next_step: str = ""
    done: commission.Commissioned | None = None
    sheet: Path | None = None

    @property
    def ok(self) -> bool:
        """Whether it is in service."""
        return self.state != FAILED


def read(path: Path, base: provision.Request) -> list[provision.Request]:
    """The rows of a .csv or .toml file; what a row leaves out is as in `base`.

    TOML: one [[board]] a controller. Raises OperatorError that names the row.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = (
            _toml(text)
            if path.suffix.lower() == ".toml"
            else list(csv.DictReader(text.splitlines()))
        )
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OperatorError(
            t("Cannot read {path} ({detail})", path=str(path), detail=reason),
            t("Give a .csv or .toml file with name, port and board of each controller"),
        ) from error
    if not 0 < len(rows) <= _ROWS_MAX:
        raise OperatorError(
            t("{path} has {count} controllers", path=str(path), count=len(rows)),
            t("Write 1 to {most}", most=_ROWS_MAX),
        )
    requests = [_request(number, row, base) for number, row in enumerate(rows, 1)]
    check(requests)
    return requests


def check(requests: list[provision.Request]) -> None:
    """Refuses a batch in which a name or port stands twice; raises OperatorError."""
    for what, values in (
        (t("name"), [request.name for request in requests]),
        (t("at port"), [request.port for request in requests]),
    ):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise OperatorError(
                t("{what} {value} stands there twice", what=what, value=", ".join(twice)),
                t("Each controller has a name and a port of its own"),
            )


def run(
    site: Site,
    requests: list[provision.Request],
    image_of: Callable[[boards.Board], Image],
    say: Callable[[str], provision.Narrator],
    baud: int,
) -> list[Outcome]:
    """All of them, in the order of the requests. say: a narrator for the controller of that name.

    Raises OperatorError before any board is touched: for an unknown board or a missing image.
    """
    _ = site.vault  # a wrong passphrase is one failure, not one of each board
    kinds = {request.board: boards.show(request.board) for request in requests}
    images = {name: image_of(board) for name, board in kinds.items()}
    firmware = {name: install.firmware_files(board.folder) for name, board in kinds.items()}

    def one(request: provision.Request) -> Outcome:
        if _finished(site, request.name):
            return Outcome(request.name, request.port, SKIPPED)
        try:
            done = commission.commission(
                site, request, images[request.board], say(request.name), baud,
                firmware[request.board],
            )  # fmt: skip
            sheet = record.write(site, request.name, pdf=False).path
        except ToolError as error:
            return _failed(request, error)
        except Exception as error:  # noqa: BLE001 - whatever one board does, the others go on
            return _failed(request, own_fault(error))
        if done.ok:
            return Outcome(request.name, request.port, DONE, "", "", done, sheet)
        return Outcome(
            request.name, request.port, FAILED,
            t("{name} is enrolled, and not all of its checks passed", name=request.name),
            t("Look at its record, mend what it names, and run `device selftest {name}`",
              name=request.name),
            done, sheet,
        )  # fmt: skip

    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(requests))) as pool:
        return list(pool.map(one, requests))


def _finished(site: Site, name: str) -> bool:
    found = [device for device in site.devices(enrolled=True) if device.name == name]
    return bool(found) and record.finished(site, found[0])


def _failed(request: provision.Request, error: ToolError) -> Outcome:
    return Outcome(request.name, request.port, FAILED, error.what, error.next_step)


def _toml(text: str) -> list[dict[str, Any]]:
    rows = tomllib.loads(text).get("board")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise tomllib.TOMLDecodeError(t("it has no [[board]]"))
    return rows


def _request(number: int, row: dict[Any, Any], base: provision.Request) -> provision.Request:
    there = {str(key).strip() for key in row}
    if not {"name", "port"} <= there:  # what stands there instead may be a password
        raise _wrong(number, t("lacks {names}", names=", ".join(sorted({"name", "port"} - there))))
    given = {
        str(key).strip(): str(value).strip()
        for key, value in row.items()
        if key is not None and value is not None and str(value).strip()
    }
    unknown = sorted(given.keys() - _FIELDS) or (["?"] if None in row else [])
    if unknown:
        raise _wrong(number, t("knows no column {names}", names=", ".join(unknown)))
    wifi = base.wifi
    if "ssid" in given:
        wifi = given["ssid"], given.get("wifi_password", wifi[1] if wifi else "")
    request = replace(
        base,
        name=given.get("name", ""),
        port=given.get("port", ""),
        board=given.get("board", base.board),
        kind=given.get("kind", base.kind),
        tcp=given.get("tcp"),
        wifi=wifi,
    )
    if request.tcp is not None and not is_network(request.tcp):
        raise _wrong(number, t("has no network address: {text}", text=request.tcp))
    missing = [key for key in ("name", "port", "board") if not getattr(request, key)]
    if missing:
        raise _wrong(number, t("lacks {names}", names=", ".join(missing)))
    return request


def _wrong(number: int, what: str) -> OperatorError:
    return OperatorError(
        t("Row {number} {what}", number=number, what=what),
        t("Columns: name, port, board, kind, tcp, ssid, wifi_password; the first two are needed"),
    )
