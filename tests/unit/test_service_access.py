"""Who is given a grant of service access, and which grants a folder uses (host)."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.services import peers, service_access
from protocol import cbor, cose
from protocol.constants import AAD_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.services.site import Site

pytestmark = pytest.mark.usefixtures("board")


def mine(site: Site, role: str = "installer") -> str:
    return site.peer(role).id.hex()


def made(site: Site, path: Path, /, **wrong: Any) -> Path:
    """A grant for this folder's installer, right but for what is given."""
    fields: dict[str, Any] = {
        "site": site.id, "device": site.device("door-1").id_bytes,
        "peer": site.peer("installer").id, "until": now_s() + 60, "minutes": 5,
    }  # fmt: skip
    fields.update(wrong)
    path.write_bytes(site.sign("firmware", AAD_SERVICE, cbor.encode(list(fields.values()))))
    return path


def test_a_grant_says_who_where_how_long_and_until_when(site, tmp_path) -> None:
    before = now_s()
    said, data = service_access.grant(site, "door-1", mine(site), 30, 2)
    assert before <= said.until_s - 2 * 86400 <= now_s()
    payload = cbor.decode(bytes(cose.open_envelope(data).payload))
    assert payload == [
        site.id, site.device("door-1").id_bytes, bytes.fromhex(mine(site)), said.until_s, 30
    ]  # fmt: skip
    path = tmp_path / "grant"
    path.write_bytes(data)
    assert service_access.read(site, "door-1", path) == (said, data)


def test_a_dry_run_signs_nothing(site) -> None:
    assert service_access.grant(site, "door-1", mine(site), 30, 1, dry_run=True)[1] == b""


def test_only_a_technician_or_an_installer_is_given_one(site) -> None:
    with pytest.raises(OperatorError, match="no technician or installer"):
        service_access.grant(site, "door-1", mine(site, "desk"), 30, 1)


def test_a_revoked_peer_is_given_none(site, monkeypatch) -> None:
    found = peers.find(site, mine(site))
    monkeypatch.setattr(peers, "find", lambda *_: type(found)(**{**vars(found), "revoked": True}))
    with pytest.raises(OperatorError, match="who is let in"):
        service_access.grant(site, "door-1", mine(site), 30, 1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"site": bytes(8)}, "for another controller"),
        ({"device": bytes(8)}, "for another controller"),
        ({"peer": bytes(8)}, "not for this folder"),
        ({"peer": b""}, "for another controller"),
        ({"until": 1000}, "is over"),
        ({"minutes": "x"}, "holds no grant"),
    ],
)
def test_a_grant_that_is_of_no_use_is_said_so_before_anybody_is_called(
    site, tmp_path, wrong, said
) -> None:
    with pytest.raises(OperatorError, match=said) as refused:
        service_access.read(site, "door-1", made(site, tmp_path / "grant", **wrong))
    assert "device service grant door-1" in refused.value.next_step


@pytest.mark.parametrize("data", [b"", b"\x80", b"no grant at all", bytes(600)])
def test_what_is_no_grant_is_said_so(site, tmp_path, data) -> None:
    path = tmp_path / "grant"
    path.write_bytes(data)
    with pytest.raises(OperatorError, match="holds no grant"):
        service_access.read(site, "door-1", path)
    with pytest.raises(OperatorError, match="holds no grant"):
        service_access.read(site, "door-1", tmp_path / "nothing")


@pytest.mark.parametrize("port", [None, "tcp://10.0.0.7"])
def test_it_goes_over_the_cable_alone(site, tmp_path, monkeypatch, port) -> None:
    monkeypatch.setattr(service_access, "dial", lambda *_: pytest.fail("somebody was called"))
    with pytest.raises(OperatorError, match="over the cable alone"):
        service_access.opened(site, "door-1", made(site, tmp_path / "grant"), port)
    with pytest.raises(OperatorError, match="over the cable alone"):
        service_access.close(site, "door-1", port)


def test_the_clock_is_set_before_the_grant_is_judged_by_it(site, tmp_path, monkeypatch) -> None:
    asked: list[Any] = []

    class Client:
        def open_service(self, data: bytes) -> None:
            asked.append(data)

    @contextlib.contextmanager
    def dial(_site: Any, _device: Any, way: Any, role: str, _notice: Any) -> Iterator[Client]:
        asked.append((way.via, way.port, role))
        yield Client()

    monkeypatch.setattr(service_access, "dial", dial)
    monkeypatch.setattr(service_access, "sync_clock", lambda *_: asked.append("clock"))
    monkeypatch.setattr(service_access, "_await_prompt", asked.append)
    path = made(site, tmp_path / "grant")
    _, place = service_access.opened(site, "door-1", path, "/dev/ttyUSB0")
    assert place == "/dev/ttyUSB0"
    assert asked == [("serial", place, "installer"), "clock", path.read_bytes(), place]
