"""A controller's configuration: shown, compared, signed, sent (host).

Each is complete: what it does not name has its default. Rules of ``change``, in this order:

- what it starts from is what the controller keeps; with a password that only the registry knows,
  if that is what this registry signed, else the password has to be given anew
- bounds, and what the board has, are judged here as the controller judges them
- hours with another mode name a schedule of this folder
- what the controller keeps and this registry signed already is not signed again
- its version is above all that this registry signed and the controller has, in this epoch
- it is signed by the ticket key, kept (append-only, sealed, with an audit entry), then sent. What
  could not be sent goes with the next ``push``, as to a controller that lacks it
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from controller_tool.channel.dial import Notice, Way, dial
from controller_tool.clock import now_s
from controller_tool.errors import DeviceError, OperatorError
from controller_tool.messages import t
from controller_tool.registry.records import DeviceConfig
from controller_tool.services import audit, boards, mode_hours, restored, setting_words
from protocol import cbor, cose
from protocol.constants import AAD_CONFIG, CONFIG_VERSION_MAX
from protocol.setting_names import NAMES
from protocol.settings import SECRETS, SETTINGS, first_problem

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from controller_tool.client import Client
    from controller_tool.client import DeviceConfig as Told
    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

_KEY = "ticket"
_TABLE, _COLUMN = "device_configs", "envelope"
_ROLES = ("desk", "technician", "installer")  # a desk waits least


@dataclass(frozen=True)
class Signed:
    """What this registry signed last for a controller."""

    epoch: int
    version: int
    envelope: bytes
    settings: dict[int, Any]
    signed_at_s: int = 0


@dataclass(frozen=True)
class Row:
    """One setting: by its number, and as text what each has; "" where it says nothing of it."""

    number: int
    name: str
    device: str
    registry: str
    default: str
    bounds: str
    differs: bool


@dataclass(frozen=True)
class View:
    """A controller's configuration. signed_version: the registry's; 0 stands for none."""

    device: str
    version: int
    signed_version: int
    in_force: bool
    settings: tuple[Row, ...]

    @property
    def same(self) -> bool:
        """Whether the controller has what this registry signed last, if it signed anything."""
        return not self.signed_version or (
            self.version == self.signed_version
            and all(row.device == row.registry for row in self.settings)
        )


@dataclass(frozen=True)
class Changed:
    """What a change comes to. sent: the controller keeps it; before, after: as text, by name."""

    device: str
    version: int
    sent: bool
    changes: tuple[tuple[str, str, str], ...]


def role(site: Site) -> str | None:
    """The role of this folder that configures."""
    return next((name for name in _ROLES if name in site.peers()), None)


def show(site: Site, name: str, way: Way | None = None, notice: Notice | None = None) -> View:
    """What the controller keeps beside what this registry signed, for all that its board has."""
    device = site.device(name)
    with dial(site, device, way, role(site), notice) as client:
        told = client.config()
    return view(device, told, newest(site, device))


def view(device: Device, told: Told, signed: Signed | None) -> View:
    """The same, of what was told already."""
    board = boards.show(device.board)
    held = {**told.settings, **dict.fromkeys(told.secrets, setting_words.HIDDEN)}
    ours = signed.settings if signed else {}
    numbers = sorted(
        {*held, *ours} | {n for n in SETTINGS if SETTINGS[n][3] in board.capabilities_and_kind}
    )
    rows = tuple(_row(number, held, ours, signed is not None) for number in numbers)
    return View(device.name, told.version, signed.version if signed else 0, told.in_force, rows)


def _row(number: int, held: dict[int, Any], ours: dict[int, Any], compared: bool) -> Row:
    default = NAMES[number][3] if number in NAMES else None
    there, here = (setting_words.text(number, values.get(number)) for values in (held, ours))
    by_default = setting_words.text(number, default)
    differs = (compared and there != here) or bool(there and there != by_default)
    bounds = setting_words.bounds(number) if number in SETTINGS else ""
    return Row(number, setting_words.name(number), there, here, by_default, bounds, differs)


def change(
    site: Site,
    name: str,
    changes: setting_words.Changes,
    *,
    dry_run: bool = False,
    later: bool = False,
    way: Way | None = None,
    notice: Notice | None = None,
) -> Changed:
    """Sign and send a configuration with these changes; later: signed here, sent by a push.

    Raises OperatorError that names the setting, DeviceError or LinkError.
    """
    site.require(_KEY)
    device = site.device(name)
    if later:
        return _change(site, device, None, changes, dry_run)
    with dial(site, device, way, role(site), notice) as client:
        return _change(site, device, client, changes, dry_run)


def _change(
    site: Site,
    device: Device,
    client: Client | None,
    changes: setting_words.Changes,
    dry_run: bool,
) -> Changed:
    signed = newest(site, device)
    told = client.config() if client else None
    before = _base(device, told, signed, changes)
    after = {n: v for n, v in {**before, **changes}.items() if v is not None}
    _require_fit(device, after)
    mode_hours.require_schedules(site, changes)
    version = _next_version(site, told, signed)
    shown = tuple(
        (setting_words.name(n), setting_words.text(n, before.get(n)) or t("default"),
         setting_words.text(n, after.get(n)) or t("default"))
        for n in sorted({*before, *after})
        if before.get(n) != after.get(n)
    )  # fmt: skip
    if not shown and _in_step(told, signed):
        return Changed(device.name, signed.version if signed else 0, False, shown)
    if dry_run:
        return Changed(device.name, version, False, shown)
    envelope = sign(site, device, version, after)
    if client is not None:
        client.put_config(envelope)
    return Changed(device.name, version, client is not None, shown)


def _base(
    device: Device, told: Told | None, signed: Signed | None, changes: setting_words.Changes
) -> dict[int, Any]:
    """The settings that the change starts from, secrets included."""
    if told is None:
        return dict(signed.settings) if signed else {}
    if signed and (signed.epoch, signed.version) == (told.epoch, told.version):
        known = {n: v for n, v in signed.settings.items() if n not in SECRETS}
        if known == told.settings:
            return dict(signed.settings)
    unknown = [n for n in told.secrets if n not in changes]
    if unknown:
        raise OperatorError(
            t("{name} of {device} is not known in this folder",
              name=setting_words.name(unknown[0]), device=device.name),
            t("Give it anew in the same command, or do this where it was signed"),
        )  # fmt: skip
    return dict(told.settings)


def _in_step(told: Told | None, signed: Signed | None) -> bool:
    """Whether a controller that was asked keeps what was signed here last, or none was signed."""
    theirs = (told.epoch, told.version) if told and told.version else None
    ours = (signed.epoch, signed.version) if signed else None
    return told is None or theirs == ours


def _require_fit(device: Device, settings: dict[int, Any]) -> None:
    board = boards.show(device.board)
    code, number = first_problem(settings, device.kind, board.capabilities)
    if code:
        refused = setting_words.refusal(code, number)
        why = setting_words.together(number, settings, board) or refused.why
        raise OperatorError(
            t("{name} cannot be set so on {device}", name=refused.name, device=device.name), why
        )


def _next_version(site: Site, told: Told | None, signed: Signed | None) -> int:
    held = [one.version for one in (told, signed) if one is not None and one.epoch == site.epoch]
    version = max(held, default=0) + 1
    if told is None:  # after a restore it may have had more than is known here
        with site.registry.session() as session:
            version += restored.config_jump(session, signed.signed_at_s if signed else 0)
    if version > CONFIG_VERSION_MAX:
        raise OperatorError(
            t("This epoch has no more numbers for configurations"), t("See: site new-epoch")
        )
    return version


# --- what was signed ------------------------------------------------------------------------


def sign(site: Site, device: Device, version: int, settings: dict[int, Any]) -> bytes:
    """Sign it and keep it; the envelope."""
    payload = cbor.encode([site.id, device.id_bytes, site.epoch, version, settings])
    envelope = site.sign(_KEY, AAD_CONFIG, payload)
    row_id = f"{device.id}.{site.epoch}.{version}"
    with site.registry.writing() as session:
        session.add(
            DeviceConfig(
                id=row_id, device_id=device.id, epoch=site.epoch, version=version,
                envelope_sealed=site.vault.seal(_TABLE, row_id, _COLUMN, envelope),
                signed_at_s=now_s(),
            )
        )  # fmt: skip
        told = {n: setting_words.HIDDEN if n in SECRETS else v for n, v in settings.items()}
        audit.append(
            session, site.operator, "device.config", device=device.name, version=version,
            settings={NAMES[n][0] if n in NAMES else str(n): told[n] for n in sorted(told)},
        )  # fmt: skip
    return envelope


def newest(site: Site, device: Device) -> Signed | None:
    """What was signed last here; None when nothing was."""
    with site.registry.session() as session:
        row = _newest_row(session, device.id)
    if row is None:
        return None
    envelope = site.vault.open(_TABLE, row.id, _COLUMN, row.envelope_sealed)
    fields: Any = cbor.decode(bytes(cose.open_envelope(envelope).payload))
    return Signed(row.epoch, row.version, envelope, fields[4], row.signed_at_s)


def unlock(site: Site) -> None:
    """Before `newest` is asked with the registry locked: what was signed is sealed."""
    with site.registry.session() as session:
        held = session.scalar(select(DeviceConfig.id).limit(1))
    if held is not None:
        site.unlock()


def _newest_row(session: Session, device_id: str) -> DeviceConfig | None:
    query = select(DeviceConfig).where(DeviceConfig.device_id == device_id)
    order = (DeviceConfig.epoch.desc(), DeviceConfig.version.desc())
    return session.scalar(query.order_by(*order).limit(1))


def send_newest(site: Site, device: Device, client: Client) -> str:
    """Bring a controller that lacks it what was signed last; what to say of it, often nothing.

    A list that has its receipt stays delivered, whatever becomes of the configuration.
    """
    with site.registry.session() as session:
        if role(site) is None or _newest_row(session, device.id) is None:
            return ""
    try:
        signed, told = newest(site, device), client.config()
        if signed is None or (told.epoch, told.version) >= (signed.epoch, signed.version):
            return ""
        envelope, version = signed.envelope, signed.version
        if signed.epoch != site.epoch:
            if not site.holds(_KEY):
                return ""
            version = _next_version(site, told, None)
            envelope = sign(site, device, version, signed.settings)
        client.put_config(envelope)
    except DeviceError as error:
        return t("; its configuration was not taken: {error}", error=error.what)
    return t("; configuration {version} sent", version=version)


def version_for(site: Site, device: Device) -> int:
    """The number that the next configuration of this controller gets here."""
    return _next_version(site, None, newest(site, device))


def fitting(device: Device, settings: dict[int, Any]) -> dict[int, Any]:
    """Those that the board of this controller takes, one by one and together."""
    board = boards.show(device.board)
    fit = dict(settings)
    while fit:
        code, number = first_problem(fit, device.kind, board.capabilities)
        if not code:
            break
        if fit.pop(number, None) is None:  # what it should have come with is not there
            return {}
    return fit


def unfit(device: Device, settings: dict[int, Any]) -> list[str]:
    """Names of the others."""
    fit = fitting(device, settings)
    return [setting_words.name(n) for n in sorted(settings) if n not in fit]
