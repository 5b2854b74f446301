"""The acceptance bundle: everything of a site, signed, and judged offline (host)."""

from __future__ import annotations

import json
import zipfile

import pytest

from controller_tool.errors import OperatorError
from controller_tool.services import acceptance, acceptance_verify, bundle_layout, record
from controller_tool.services import export as site_export
from controller_tool.services.bundle_files import Refused
from tests.unit.test_city import NUMBER, house  # noqa: F401 - a fixture


@pytest.fixture
def bundle(site, board, house, tmp_path):  # noqa: F811
    del house
    noted = {"installer": "王芳", "mac": "aa:bb", "firmware_version": "0.1.0", "wifi": "secret"}
    record.note(site, board.device, noted, finished=True)
    made = acceptance.make(site, tmp_path / "a.zip", lambda _: {"rate": [3, 4]})
    assert (made.houses, made.devices, made.missing) == (1, 1, ())
    return made.path


def content(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(path, files: dict[str, bytes]):
    with zipfile.ZipFile(path, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


def test_it_holds_what_was_built_proven_and_measured(site, board, bundle) -> None:
    files = content(bundle)
    plan = json.loads(files[acceptance.PLAN])
    [house_] = plan["houses"]
    assert [room["number"] for room in house_["rooms"]] == ["101", "102"]
    [point] = house_["points"]
    assert (point["device"], point["point"], point["use"]) == (board.device.id, 0, "entrance")
    [device] = json.loads(files[acceptance.DEVICES])
    assert (device["firmware"], len(device["certificate_sha256"])) == ("0.1.0", 64)
    journals = json.loads(files[acceptance.JOURNALS])[board.device.id]
    assert (journals["access"]["records"], journals["access"]["head"]["next_seq"]) == (3, 3)
    assert json.loads(files[acceptance.KPIS]) == {"rate": [3, 4]}
    noted = json.loads(files[acceptance.RECORDS])[board.device.id]
    assert noted["installer"] == "王芳"
    everything = b"".join(files.values())
    for secret in ("张伟", NUMBER, "13800000001", "secret", "K000001"):
        assert secret.encode() not in everything
    assert acceptance_verify.verify(site, bundle).ok


def test_an_auditor_judges_it_without_the_office(site, bundle, tmp_path, open_site) -> None:
    site_export.export(site, "auditor", tmp_path / "auditor", "of the auditor")
    auditor = open_site(tmp_path / "auditor", "of the auditor")
    judged = acceptance_verify.verify(auditor, bundle)
    assert (judged.ok, judged.name, judged.houses) == (True, "5号楼", 1)
    with pytest.raises(OperatorError):
        acceptance.make(auditor, tmp_path / "b.zip")


@pytest.mark.parametrize("name", [acceptance.PLAN, acceptance.CHECKPOINTS, acceptance.KPIS])
def test_a_changed_file_is_found(site, bundle, tmp_path, name) -> None:
    files = content(bundle)
    bad = packed(tmp_path / "bad.zip", {**files, name: files[name] + b" "})
    assert not acceptance_verify.verify(site, bad).ok
    del files[name]
    judged = acceptance_verify.verify(site, packed(tmp_path / "less.zip", files))
    assert f"{name} is missing" in judged.flaws


def test_a_file_besides_and_a_forged_manifest_are_found(site, bundle, tmp_path) -> None:
    files = content(bundle)
    judged = acceptance_verify.verify(site, packed(tmp_path / "a2.zip", {**files, "x.json": b""}))
    assert judged.flaws == ("x.json is not in the manifest",)
    manifest = files[bundle_layout.MANIFEST].replace("5号楼".encode(), "6号楼".encode())
    forged = packed(tmp_path / "a3.zip", {**files, bundle_layout.MANIFEST: manifest})
    assert acceptance_verify.verify(site, forged).flaws == ("its signature is wrong",)


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b"{}", b'{"format":1}', b"[" * 5000, b"\xff", b"nul"]
)
def test_a_manifest_that_is_none_is_refused(site, bundle, tmp_path, manifest) -> None:
    files = {**content(bundle), bundle_layout.MANIFEST: manifest}
    with pytest.raises(Refused):
        acceptance_verify.verify(site, packed(tmp_path / "bad.zip", files))


def test_hostile_zips_are_refused(site, bundle, tmp_path) -> None:
    files = content(bundle)
    for name in ("../evil.json", "/etc/x", "A.json", "a/b/c/d"):
        bad = packed(tmp_path / f"{abs(hash(name))}.zip", {**files, name: b"x"})
        with pytest.raises(Refused):
            acceptance_verify.verify(site, bad)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
        made.writestr("zeros.bin", bytes(1 << 24))
    with pytest.raises(Refused, match="too large"):
        acceptance_verify.verify(site, bomb)
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(Refused):
        acceptance_verify.verify(site, tmp_path / "text.zip")


def test_another_controller_under_a_known_id_is_found(site, board, bundle) -> None:
    from controller_tool.registry.models import Device  # noqa: PLC0415

    with site.registry.writing() as session:
        session.get_one(Device, board.device.id).certificate_der = b"another"
    judged = acceptance_verify.verify(site, bundle)
    assert judged.flaws == ("door-1 has another certificate than here",)


@pytest.mark.usefixtures("house")
def test_the_rates_of_the_site_are_in_it_without_a_name(site, tmp_path) -> None:
    made = acceptance.make(site, tmp_path / "a.zip", acceptance.figures)
    text = content(made.path)[acceptance.KPIS]
    said = json.loads(text)["rates"]
    assert said
    assert all(set(rate) == {"numerator", "denominator", "uncounted"} for rate in said.values())
    assert "张伟".encode() not in text


def test_what_is_not_in_it_is_told(site, board, tmp_path) -> None:
    del board
    made = acceptance.make(site, tmp_path / "a.zip")
    assert made.missing == (
        "no house is registered", "door-1: no commissioning record", "no key figures"
    )  # fmt: skip
    assert acceptance_verify.verify(site, made.path).missing == made.missing
