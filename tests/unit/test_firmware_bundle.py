"""What root signs of a firmware, and the file that carries it (host)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller_tool.errors import OperatorError
from controller_tool.keys.files import new_rsa_keys
from controller_tool.keys.signing import Signer
from controller_tool.services import firmware_bundle, trust_change
from protocol import cbor, cose
from protocol.constants import AAD_FIRMWARE_ROOT
from protocol.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.firmware_bundle import Bundle
    from controller_tool.services.site import Site

BOARD = "virtual-door"
LOW = VERSION - 1


def endorsed(site: Site, bundle: Bundle, over: int | None = None) -> Bundle:
    return firmware_bundle.endorse(site, bundle, trust_change.root_signers(site), over)


def over(bundle: Bundle) -> object:
    return firmware_bundle._over(bundle)


def reads(site: Site, path: Path, bundle: Bundle) -> Bundle:
    firmware_bundle.write(path, bundle)
    return firmware_bundle.read(site, path)


def test_root_says_up_to_which_version_it_may_take_the_place_of_others(
    site: Site, tmp_path: Path
) -> None:
    bundle = firmware_bundle.make(site, BOARD, LOW)
    assert over(bundle) is None
    for wanted, said in ((None, VERSION), (VERSION + 7, VERSION + 7)):
        made = endorsed(site, bundle, wanted)
        assert over(made) == said
        assert reads(site, tmp_path / "old.fw", made) == made
    higher = firmware_bundle.make(site, BOARD, VERSION + 3)
    assert over(endorsed(site, higher)) == VERSION + 3


def test_root_keys_that_sign_one_after_another_say_the_same(site: Site) -> None:
    made = endorsed(site, firmware_bundle.make(site, BOARD, LOW), VERSION + 7)
    with pytest.raises(OperatorError, match="signed already"):
        endorsed(site, made, VERSION + 8)
    with pytest.raises(OperatorError, match="no root key"):  # and none is asked for another one
        endorsed(site, made)


def test_an_endorsement_of_something_else_makes_a_file_that_is_not_read(
    site: Site, tmp_path: Path
) -> None:
    bundle = firmware_bundle.make(site, BOARD, LOW)
    [root] = trust_change.root_signers(site)[:1]
    manifest = bytes(cose.open_envelope(bundle.envelope).payload)
    good = endorsed(site, bundle).endorsements[0]
    wrong = (
        root.envelope(AAD_FIRMWARE_ROOT, manifest),
        root.envelope(AAD_FIRMWARE_ROOT, cbor.encode([bytes(32), VERSION])),
        root.envelope(AAD_FIRMWARE_ROOT, cbor.encode([bytes(32)])),
        _stranger().envelope(AAD_FIRMWARE_ROOT, bytes(cose.open_envelope(good).payload)),
    )
    for rows in (*((one,) for one in wrong), (good, good), (good, wrong[1])):
        with pytest.raises(OperatorError, match="no firmware that this site"):
            reads(site, tmp_path / "old.fw", replace(bundle, endorsements=rows))


def _stranger() -> Signer:
    return Signer.of(new_rsa_keys(1)[0])
