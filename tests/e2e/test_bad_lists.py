"""Lists that a controller must refuse: each with its code, journalled, the old list in force.

Every list here is made from the controller's own newest one by one change (host).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from controller_tool.clock import now_s
from controller_tool.errors import DeviceError
from controller_tool.keys.files import new_rsa_keys
from controller_tool.keys.signing import Signer
from controller_tool.services import lists, push
from protocol import card_digest, cards, codes, cose, manifest
from protocol.constants import AAD_MANIFEST, AAD_TICKET, CARD_RECORD_BYTES, RING_ALARM
from tests.e2e.callers import events

if TYPE_CHECKING:
    from controller_tool.client import Client
    from controller_tool.services.virtual_house import VirtualHouse
    from tests.e2e.callers import Callers

DOOR = "door-1"
COUNT = 40
Change = Callable[[manifest.Manifest], None]


class Draft:
    """A good list for the door, one version above what it holds, to be spoilt in one thing."""

    def __init__(self, house: VirtualHouse, version: int) -> None:
        self.house = house
        device = house.site.device(DOOR)
        signed = lists.next_for(house.site, device, force=True)
        assert signed is not None
        self.manifest = manifest.parse(bytes(cose.open_envelope(signed.envelope).payload))
        self.manifest.version = version
        keys = sorted(os.urandom(8) for _ in range(COUNT))
        profile = self.manifest.profiles[0][0]
        end_min = now_s() // 60 + 1000
        self.payload = b"".join(cards.pack(key, 0, end_min, profile, 0) for key in keys)
        self.describe()

    def describe(self) -> None:
        """Makes the manifest say what the payload is."""
        self.manifest.count = len(self.payload) // CARD_RECORD_BYTES
        self.manifest.payload_bytes = len(self.payload)
        self.manifest.payload_sha256 = sha256(self.payload).digest()
        self.manifest.result_digest = card_digest.digest(self.payload)

    def envelope(self, signer: Signer | None = None, aad: bytes = AAD_MANIFEST) -> bytes:
        """The manifest, signed."""
        signer = signer or self.house.site.signer("whitelist")
        return signer.envelope(aad, manifest.encode(self.manifest))


@pytest.fixture(scope="module")
def client(house: VirtualHouse, callers: Callers):
    """One session for all refusals: a refusal ends none."""
    assert all(result.ok for result in push.push(house.site, [DOOR]))
    with callers.call(DOOR) as opened:
        yield opened


@pytest.fixture
def draft(house: VirtualHouse, client: Client) -> Draft:
    return Draft(house, client.state().version + 1)


def refused(client: Client, code: int, attempt: Callable[[], object]) -> None:
    """The attempt is refused with this code, journalled with it, and changes nothing."""
    before = client.state()
    first = client.head(RING_ALARM).next_seq
    with pytest.raises(DeviceError) as caught:
        attempt()
    assert caught.value.code == code
    after = client.state()
    assert (after.version, after.digest, after.count) == (
        before.version, before.digest, before.count,
    )  # fmt: skip
    written = [(r.event, r.reason) for r in events(client, RING_ALARM, first)]
    assert (codes.EVENT_LIST_REFUSED, code) in written


def test_the_unspoilt_draft_is_taken(client: Client, draft: Draft) -> None:
    # else every refusal below might have another reason than the one that it is made for
    client.put_list(draft.envelope(), draft.payload)
    assert client.state().count == COUNT


CHANGES: list[tuple[str, int, Change]] = [
    ("another site", codes.ERR_OTHER_SITE, lambda m: setattr(m, "site", os.urandom(8))),
    ("another device", codes.ERR_OTHER_DEVICE, lambda m: setattr(m, "device", os.urandom(8))),
    ("another epoch", codes.ERR_EPOCH, lambda m: setattr(m, "epoch", m.epoch + 1)),
    ("the same version", codes.ERR_VERSION_LOW, lambda m: setattr(m, "version", m.version - 1)),
    ("a far version", codes.ERR_VERSION_JUMP, lambda m: setattr(m, "version", m.version + 70000)),
    ("a date to come", codes.ERR_DATE, lambda m: setattr(m, "issued_at_s", now_s() + 2 * 86400)),
    ("too many cards", codes.ERR_CAPACITY, lambda m: setattr(m, "count", 60000)),
]


@pytest.mark.parametrize(("code", "change"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_a_manifest_that_does_not_belong_here(
    client: Client, draft: Draft, code: int, change: Change
) -> None:
    change(draft.manifest)
    if code == codes.ERR_CAPACITY:
        draft.manifest.payload_bytes = draft.manifest.count * CARD_RECORD_BYTES
    if code == codes.ERR_DATE:
        draft.manifest.refresh_by_s = draft.manifest.issued_at_s + 3600
    refused(client, code, lambda: client.begin_list(draft.envelope()))


def test_a_list_of_another_key(client: Client, draft: Draft) -> None:
    stranger = Signer.of(new_rsa_keys(1)[0])
    refused(client, codes.ERR_KEY_UNKNOWN, lambda: client.begin_list(draft.envelope(stranger)))


def test_a_list_of_this_site_s_other_key(house: VirtualHouse, client: Client, draft: Draft) -> None:
    ticket = house.site.signer("ticket")
    refused(client, codes.ERR_KEY_UNKNOWN, lambda: client.begin_list(draft.envelope(ticket)))


def test_a_signature_for_another_purpose(client: Client, draft: Draft) -> None:
    envelope = draft.envelope(aad=AAD_TICKET)
    refused(client, codes.ERR_SIGNATURE, lambda: client.begin_list(envelope))


@pytest.mark.parametrize("where", ["payload", "signature"])
def test_one_bit_of_the_envelope_is_flipped(client: Client, draft: Draft, where: str) -> None:
    envelope = bytearray(draft.envelope())
    at = len(envelope) // 3 if where == "payload" else len(envelope) - 100
    envelope[at] ^= 0x10
    refused(client, codes.ERR_SIGNATURE, lambda: client.begin_list(bytes(envelope)))


def test_an_envelope_that_is_cut_short(client: Client, draft: Draft) -> None:
    refused(client, codes.ERR_MALFORMED, lambda: client.begin_list(draft.envelope()[:-1]))


def test_one_bit_of_the_records_is_flipped(client: Client, draft: Draft) -> None:
    payload = bytearray(draft.payload)
    payload[len(payload) // 2] ^= 1
    refused(client, codes.ERR_DIGEST, lambda: client.put_list(draft.envelope(), bytes(payload)))


def test_a_list_that_is_cut_short(client: Client, draft: Draft) -> None:
    short = draft.payload[:-CARD_RECORD_BYTES]
    refused(client, codes.ERR_STATE, lambda: client.put_list(draft.envelope(), short))


def test_records_out_of_order(client: Client, draft: Draft) -> None:
    first, second = draft.payload[:16], draft.payload[16:32]
    digest = draft.manifest.result_digest
    draft.payload = second + first + draft.payload[32:]
    draft.manifest.payload_sha256 = sha256(draft.payload).digest()
    draft.manifest.result_digest = digest
    refused(client, codes.ERR_ORDER, lambda: client.put_list(draft.envelope(), draft.payload))


def test_a_card_twice(client: Client, draft: Draft) -> None:
    draft.payload = draft.payload[:16] + draft.payload
    draft.manifest.count += 1
    draft.manifest.payload_bytes = len(draft.payload)
    draft.manifest.payload_sha256 = sha256(draft.payload).digest()
    refused(client, codes.ERR_ORDER, lambda: client.put_list(draft.envelope(), draft.payload))


def test_a_profile_that_the_manifest_lacks(client: Client, draft: Draft) -> None:
    record = bytearray(draft.payload[-16:])
    record[14] ^= 0x55
    draft.payload = draft.payload[:-16] + bytes(record)
    draft.describe()
    refused(client, codes.ERR_PROFILE, lambda: client.put_list(draft.envelope(), draft.payload))


def test_a_digest_that_the_records_do_not_have(client: Client, draft: Draft) -> None:
    draft.manifest.result_digest = os.urandom(32)
    refused(client, codes.ERR_DIGEST, lambda: client.put_list(draft.envelope(), draft.payload))


def test_a_chunk_without_a_list(client: Client) -> None:
    with pytest.raises(DeviceError) as caught:
        client.put_list(b"", bytes(32), offset=16)
    assert caught.value.code == codes.ERR_STATE


def test_after_all_that_a_good_list_is_taken(house: VirtualHouse, client: Client) -> None:
    """A draft that was taken above is in no registry: it is replaced only on a person's word."""
    client.close()
    [refused] = push.push(house.site, [DOOR])
    assert "did not sign" in refused.what
    [taken] = push.push(house.site, [DOOR], accept_fork=True)
    assert taken.ok, taken
    [again] = push.push(house.site, [DOOR])
    assert again.ok, again


def trial(hub: Client) -> int | None:
    """Sets the clock to what it is; the wire error, when that is refused."""
    try:
        hub.set_time(hub.time().time_s)
    except DeviceError as error:
        return error.code
    return None


def test_a_guest_cannot_push_the_evidence_out_of_the_ring(callers: Callers) -> None:
    with callers.call(DOOR, "hub") as hub:
        first = hub.head(RING_ALARM).next_seq
        for _ in range(60):
            with pytest.raises(DeviceError):
                hub.begin_list(b"no list")
        for _ in range(11):
            refusal = trial(hub)
        assert refusal == codes.ERR_BUSY
        assert hub.head(RING_ALARM).next_seq < first + 24
