"""Bundles made to harm whoever reads them: each ends in one line (host)."""

from __future__ import annotations

import json
import os
import zipfile

import pytest

from controller_tool.errors import OperatorError
from controller_tool.services import (
    bundle_layout,
    bundle_maker,
    bundle_manifest,
    bundle_ring,
    bundle_verify,
)
from controller_tool.services.bundle_files import Refused, Source
from tests.unit.bundle_support import Journals, bundle, read, signed_anew, write

pytestmark = pytest.mark.usefixtures("journals")


@pytest.fixture
def journals(site, board) -> Journals:
    return Journals(board).write(access=20, alarm=5).pull(site)


def raw_zip(path, entries, **options):
    with zipfile.ZipFile(path, "w", **options) as packed:
        for name, data in entries:
            packed.writestr(name, data)
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("name", "match"),
    [("../outside", "no name of a file"), ("/etc/passwd", "no name of a file"),
     ("a/../../b", "no name of a file"), ("A", "no name of a file"), ("a\\b", "no name of a file"),
     ("a/b/c/d", "no name of a file"), ("manifest.json", "in it twice"),
     ("x" * 300, "no name of a file"), ("é", "no name of a file")],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(site, tmp_path, name, match) -> None:
    good = read(bundle(site, tmp_path / "good"))
    bad = raw_zip(tmp_path / "bad.zip", [*good.items(), (name, b"")])
    with pytest.raises(Refused, match=match):
        bundle_verify.verify(site, bad)


def test_a_zip_bomb_is_refused_unread(site, tmp_path) -> None:
    bomb = raw_zip(
        tmp_path / "bomb.zip", [("a", bytes(50_000_000))], compression=zipfile.ZIP_DEFLATED
    )
    with pytest.raises(Refused, match="too large"):
        bundle_verify.verify(site, bomb)


def test_too_many_files_are_refused_by_their_list_alone(site, tmp_path) -> None:
    many = raw_zip(tmp_path / "many.zip", ((f"f{n}", b"") for n in range(20_001)))
    with pytest.raises(Refused, match="too many"):
        bundle_verify.verify(site, many)


def entry(name: bytes = b"") -> bytes:
    """What a zip's list says of one empty file."""
    return b"PK\x01\x02" + bytes(24) + len(name).to_bytes(2, "little") + bytes(16) + name


def end(directory: bytes, count: int = 1) -> bytes:
    """The end of a zip whose list is ``directory``, and says it names so many files."""
    short = count.to_bytes(2, "little") * 2
    return b"PK\x05\x06" + bytes(4) + short + len(directory).to_bytes(4, "little") + bytes(6)


def zip64(directory: bytes) -> bytes:
    """The other end, and what says where it is."""
    size, at = len(directory).to_bytes(8, "little"), len(directory).to_bytes(8, "little")
    there = b"PK\x06\x06" + (44).to_bytes(8, "little") + bytes(12) + bytes(16) + size + bytes(8)
    return there + b"PK\x06\x07" + bytes(4) + at + (1).to_bytes(4, "little")


@pytest.mark.parametrize("comment", [b"", b"x" * 0xFFFF])
@pytest.mark.parametrize("kind", ["another end", "a list longer than it says", "a huge list"])
def test_a_zip_is_bounded_before_anything_parses_it(site, tmp_path, monkeypatch, kind, comment):
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was parsed"))
    many = entry() * (200_000 if kind == "a huge list" else 20_001)
    said = entry(b"a") if kind == "another end" else many
    hidden = many + zip64(many) if kind == "another end" else b""
    closing = end(said)[:-2] + len(comment).to_bytes(2, "little") + comment
    (tmp_path / "b.zip").write_bytes(hidden + closing if hidden else said + closing)
    with pytest.raises(Refused, match="too"):
        bundle_verify.verify(site, tmp_path / "b.zip")


def test_a_list_of_a_zip_that_is_not_too_long_is_left_to_the_library(site, tmp_path) -> None:
    """Negative control: the same list with one file less is parsed, and refused for its name."""
    many = entry() * 20_000
    (tmp_path / "b.zip").write_bytes(many + end(many))
    with pytest.raises(Refused, match="no name of a file"):
        bundle_verify.verify(site, tmp_path / "b.zip")


@pytest.mark.parametrize("kind", ["in front", "behind", "a comment", "between", "a zip in front"])
def test_a_zip_that_is_more_than_its_files_is_refused(site, tmp_path, kind) -> None:
    good = bundle(site, tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "b.zip") as packed:
        begin = packed.start_dir
    other = raw_zip(tmp_path / "other.zip", [("a", b"another truth")]).read_bytes()
    between = bytearray(good[:begin] + b"more" + good[begin:])
    between[-6:-2] = (begin + 4).to_bytes(4, "little")
    made = {
        "in front": b"more" + good, "behind": good + b"more", "between": bytes(between),
        "a comment": good[:-2] + b"\x04\0more", "a zip in front": other + good,
    }  # fmt: skip
    (tmp_path / "b.zip").write_bytes(made[kind])
    with pytest.raises(Refused, match="more in it than its files"):
        bundle_verify.verify(site, tmp_path / "b.zip")


@pytest.mark.parametrize("streamed", [False, True])
def test_a_bundle_that_was_packed_anew_is_still_sound(site, tmp_path, streamed) -> None:
    good = read(bundle(site, tmp_path / "good"))
    again = raw_zip(tmp_path / "a.zip", good.items(), compression=zipfile.ZIP_DEFLATED)
    if streamed:  # sizes stand behind the data where nobody can go back
        with (tmp_path / "a.zip").open("wb") as file:
            file.seekable = lambda: False
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
                for name, data in good.items():
                    packed.writestr(name, data)
    with Source(again) as source:
        assert {name: source.read(name) for name in source.sizes} == good


@pytest.mark.parametrize("bound", ["TOTAL_MAX_BYTES", "FILES_MAX", "MANIFEST_MAX_BYTES"])
def test_what_nobody_would_read_is_not_made(site, tmp_path, monkeypatch, bound) -> None:
    monkeypatch.setattr(bundle_layout, bound, 10)
    with pytest.raises(OperatorError, match="too much for one bundle"):
        bundle(site, tmp_path / "b")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"x" * 100, b"PK\x03\x04" + bytes(40)])
def test_what_is_no_zip_is_refused(site, tmp_path, content) -> None:
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(Refused, match="neither"):
        bundle_verify.verify(site, tmp_path / "b.zip")


def test_a_zip_that_lies_about_a_size_is_refused(site, tmp_path) -> None:
    data = bytearray(bundle(site, tmp_path / "b.zip").read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (5).to_bytes(4, "little")
    (tmp_path / "b.zip").write_bytes(data)
    with pytest.raises(Refused):
        bundle_verify.verify(site, tmp_path / "b.zip")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("kind", ["link", "pipe", "folder link"])
def test_links_and_pipes_in_a_folder_are_refused(site, tmp_path, kind) -> None:
    made = bundle(site, tmp_path / "b")
    if kind == "pipe":
        os.mkfifo(made / "pipe")
    else:
        (made / "link").symlink_to(made if kind == "folder link" else made / "manifest.json")
    with pytest.raises(Refused, match="no plain file"):
        bundle_verify.verify(site, made)


@pytest.mark.parametrize(
    "manifest",
    [b"", b"{}", b"[]", b"[" * 100_000, b'{"format":1}', b"\xff", b"null", b'"' + b"x" * 100],
)
def test_a_manifest_that_is_none_is_refused(site, tmp_path, manifest) -> None:
    files = read(bundle(site, tmp_path / "b"))
    files["manifest.json"] = manifest
    with pytest.raises(Refused):
        bundle_verify.verify(site, write(tmp_path / "bad", files))


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["controllers"][0].update(id="../../etc"),
        lambda m: m["controllers"][0].update(board="../../x"),
        lambda m: m["controllers"][0].update(name="\x1b[2J"),
        lambda m: m["controllers"].append(m["controllers"][0]),
        lambda m: m.update(
            controllers=[dict(m["controllers"][0], id=f"{n:016x}") for n in range(2001)]
        ),
        lambda m: m["controllers"][0]["rings"]["access"].update(ranges=[[0, 1 << 40]]),
        lambda m: m["controllers"][0]["rings"]["access"].update(ranges=[[5, 2]]),
        lambda m: m["controllers"][0]["rings"]["access"].update(ranges=[[0, 9], [3, 4]]),
        lambda m: m["controllers"][0]["rings"]["access"].update(ranges=7),
        lambda m: m["controllers"][0]["rings"].pop("alarm"),
        lambda m: m["files"].update({"../x": {"sha256": "0" * 64, "size": 1}}),
        lambda m: m.update(made_at_s=-1),
        lambda m: m.update(made_at_s=True),
        lambda m: m.update(site="x"),
        lambda m: m.update(maker=None),
    ],
)
def test_a_manifest_that_says_the_impossible_is_refused(site, tmp_path, change) -> None:
    files = read(bundle(site, tmp_path / "b"))
    said = json.loads(files["manifest.json"])
    change(said)
    files["manifest.json"] = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(Refused, match=r"manifest\.json cannot be read"):
        bundle_verify.verify(site, write(tmp_path / "bad", files))


def test_a_bundle_of_another_site_is_told(site, tmp_path) -> None:
    files = read(bundle(site, tmp_path / "b"))
    said = files["manifest.json"].replace(site.id.hex().encode(), b"0123456789abcdef")
    files["manifest.json"] = said
    with pytest.raises(OperatorError, match="another site"):
        bundle_verify.verify(site, write(tmp_path / "bad", files))


def test_any_cut_of_a_packed_bundle_is_refused_in_one_line(site, tmp_path) -> None:
    data = bundle(site, tmp_path / "b.zip").read_bytes()
    for kept in range(0, len(data), len(data) // 40):
        (tmp_path / "cut.zip").write_bytes(data[:kept])
        with pytest.raises(Refused):
            bundle_verify.verify(site, tmp_path / "cut.zip")


def test_a_source_reads_no_more_than_it_is_asked_for(tmp_path) -> None:
    path = write(tmp_path / "b", {"a": bytes(100)})
    with Source(path) as source, pytest.raises(Refused, match="too large"):
        source.read("a", 99)


def with_version(der: bytes, version: int) -> bytes:
    """The certificate with another version of X.509 (2 stands for the third)."""
    at = der.index(b"\xa0\x03\x02\x01\x02")
    return der[: at + 4] + bytes((version,)) + der[at + 5 :]


def spoiled(der: bytes):
    """A certificate of no known version, cut at many places, with each byte flipped."""
    yield with_version(der, 5)
    yield from (der[:kept] for kept in range(0, len(der), 7))
    for at in range(len(der)):
        yield der[:at] + bytes((der[at] ^ (1 << at % 8),)) + der[at + 1 :]
        yield der[:at] + bytes((der[at] ^ 0xFF,)) + der[at + 1 :]


@pytest.mark.parametrize("name", ["maker.der", "peer-ca.der", "device.der"])
def test_a_certificate_of_any_bytes_is_judged_and_no_fault_of_the_tool(site, tmp_path, name):
    files = read(bundle(site, tmp_path / "b"))
    full = next(n for n in files if n.endswith(name))
    manifest = bundle_manifest.decode(files["manifest.json"])
    for der in spoiled(files[full]):
        if name == "device.der":
            bundle_ring._is_named(der, f"{full[:16]}.controller")
        else:
            signed = files["manifest.json"], files["manifest.cose"]
            bundle_maker.is_signed(manifest, *signed, der)
            bundle_maker.is_issued(files["maker.der"], der)
            bundle_maker.is_issued(der, files["peer-ca.der"])


@pytest.mark.parametrize("name", ["maker.der", "device.der"])
def test_a_certificate_of_no_known_version_is_a_flaw(site, tmp_path, name) -> None:
    files = read(bundle(site, tmp_path / "b"))
    full = next(n for n in files if n.endswith(name))
    files[full] = with_version(files[full], 5)
    done = bundle_verify.verify(site, write(tmp_path / "bad", signed_anew(site, files)))
    kind = "signature" if name == "maker.der" else "certificate"
    assert [flaw.kind for flaw in done.flaws] == [kind]
