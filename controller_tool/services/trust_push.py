"""Brings a controller's trust object up to the newest, around the push of its list (host).

Version by version, in this order:

- before the list: every object that still knows the key which signed the list in force there
- then the list, signed by the key that is in force now
- then the objects that no longer know the older key
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller_tool.errors import DeviceError, OperatorError
from controller_tool.messages import t
from controller_tool.registry.records import ListVersion
from controller_tool.services import devices, trust_store
from protocol import cose, trust
from protocol.codes import ERR_REFUSED, ERR_STATE, KEY_WHITELIST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.client import Client
    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

_SIGNING_KEY = "whitelist"


@contextmanager
def in_step(site: Site, device: Device, client: Client) -> Iterator[None]:
    """What is done within is the push of the list; raises a ToolError as that does."""
    trust_store.newest(site)  # site.toml may be behind it
    known = trust_store.objects(site)
    at = _climb(site, device, client, known, client.state().trust_version)
    _require_trusted_key(site, device, known.get(at))
    yield
    at = _climb(site, device, client, known, at)
    devices.note_trust(site, device, at)


def kid_of_receipted(site: Site, device: Device) -> bytes | None:
    """Id of the key that signed the list which the controller proved last; None without one."""
    return _kid_of(site, device, device.list_version_receipted)


def signed_by_now(site: Site, envelope: bytes) -> bool:
    """Whether the key that signs lists now has signed this one; a folder without it cannot tell."""
    if not site.holds(_SIGNING_KEY):
        return True
    return cose.open_envelope(envelope).kid == site.signer(_SIGNING_KEY).kid


def _climb(site: Site, device: Device, client: Client, known: dict[int, bytes], at: int) -> int:
    """The version that the controller has at the end."""
    coming = [version for version in known if version > at]
    if not coming:
        return at
    kid = _kid_of(site, device, client.state().version)
    for version in coming:
        knows = kid is None or trust.parse(known[version]).find_key(KEY_WHITELIST, kid)
        if not knows or not _put(client, known[version]):
            break  # a list of the key that is in force now goes first
        at = version
    return at


def _put(client: Client, data: bytes) -> bool:
    """Whether the controller took it; False: not before it has another list.

    A controller whose heap is in pieces may find no room for the work: it tries again.
    """
    for tries_left in (2, 1, 0):
        try:
            client.put_trust(data)
        except DeviceError as error:
            if error.code == ERR_STATE:
                return False
            if error.code != ERR_REFUSED or not tries_left:
                raise
        else:
            break
    return True


def _kid_of(site: Site, device: Device, version: int) -> bytes | None:
    """None when this registry has not signed such a list: then the controller has to judge."""
    with site.registry.session() as session:
        found = session.get(ListVersion, (device.id, version))
    return None if found is None else cose.open_envelope(found.envelope).kid


def _require_trusted_key(site: Site, device: Device, held: bytes | None) -> None:
    """OperatorError, in one line, when the list would be signed by a key that was retired."""
    if held is None or not site.holds(_SIGNING_KEY):
        return  # the controller is ahead of this folder, or the list is signed already
    if trust.parse(held).find_key(KEY_WHITELIST, site.signer(_SIGNING_KEY).kid) is None:
        raise OperatorError(
            t("{device} does not trust the whitelist key of this folder", device=device.name),
            t("Export this folder again from the office: the key was replaced"),
        )
