"""`device config`: what is signed, kept and sent, and what is refused before it is (host)."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.channel.session import refusal
from controller_tool.client import DeviceConfig
from controller_tool.errors import DeviceError, OperatorError
from controller_tool.messages import set_language
from controller_tool.registry.records import AuditEntry
from controller_tool.services import device_config, export, schedules, setting_words
from controller_tool.services.setting_words import HIDDEN, parse
from protocol import cbor, cose, trust
from protocol.codes import (
    ERR_NOT_ON_BOARD,
    ERR_SETTING,
    ERR_VERSION_LOW,
    KEY_TICKET,
    OP_PUT_CONFIG,
)
from protocol.constants import AAD_CONFIG
from protocol.setting_names import NAMES
from protocol.settings import SECRETS

if TYPE_CHECKING:
    from collections.abc import Iterator

NETWORK = {40: "courtyard", 41: "a long password"}


class Controller:
    """What a controller keeps; it checks signature and version as the firmware does."""

    def __init__(self, site: Any) -> None:
        self._keys = trust.verify(site.trust_object()).moduli(KEY_TICKET)
        self.epoch = self.version = 0
        self.settings: dict[int, Any] = {}
        self.refuses: DeviceError | None = None

    def config(self) -> DeviceConfig:
        shown = {n: v for n, v in self.settings.items() if n not in SECRETS}
        return DeviceConfig(
            self.epoch, self.version, True, shown, [n for n in SECRETS if n in self.settings]
        )

    def put_config(self, envelope: bytes) -> int:
        if self.refuses:
            raise self.refuses
        fields: Any = cbor.decode(bytes(cose.verify(envelope, AAD_CONFIG, self._keys)))
        if (fields[2], fields[3]) <= (self.epoch, self.version):
            raise DeviceError("low", code=ERR_VERSION_LOW)
        self.epoch, self.version, self.settings = fields[2:]
        return self.version


@pytest.fixture
def controller(board, monkeypatch) -> Controller:
    """Answers whenever somebody dials."""
    held = Controller(board.site)

    @contextlib.contextmanager
    def dial(*_: object) -> Iterator[Controller]:
        yield held

    monkeypatch.setattr(device_config, "dial", dial)
    return held


def change(site, *words: str, **how: Any) -> device_config.Changed:
    return device_config.change(site, "door-1", parse(words), **how)


def signed(site) -> device_config.Signed | None:
    return device_config.newest(site, site.device("door-1"))


# --- what people write ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "number", "value"),
    [
        ("unlock_time=5", 2, 50),
        ("unlock_time=5.5 s", 2, 55),
        ("unlock-time=5,6,7", 2, [50, 60, 70]),
        ("held_open_time=40s", 3, 40),
        ("lock_type=fail_safe", 1, 1),
        ("lock_type=fail-secure", 1, 0),
        ("relock=on_open", 4, 1),
        ("door_mode=open,closed", 15, [1, 2]),
        ("mode_schedule=open:3", 16, 0x103),
        ("模式时间表=常闭：2，0", 16, [0x202, 0]),
        ("supply_low=11.5 V", 48, 11500),
        ("charge_ceiling=120min", 5, 120),
        ("2=7", 2, 70),
        ("wifi_name=two words", 40, "two words"),
        ("unlock_time=", 2, None),
        ("开锁时间=5 秒", 2, 50),
        ("锁类型＝断电开锁", 1, 1),
        ("电压低=11.5伏", 48, 11500),
        ("unlock_time=5，6", 2, [50, 60]),
    ],
)
def test_settings_are_read_as_people_write_them(word, number, value) -> None:
    assert parse([word]) == {number: value}


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("unlock_time", "unlock_time"),
        ("unlock=5", "unlock"),
        ("99=5", "99"),
        ("unlock_time=soon", "unlock_time"),
        ("unlock_time=0.05", "unlock_time"),
        ("unlock_time=5 V", "unlock_time"),
        ("unlock_time=NaN", "unlock_time"),
        ("unlock_time=1e99", "unlock_time"),
        ("charge_ceiling=5,6", "charge_ceiling"),
        ("lock_type=maybe", "lock_type"),
        ("mode_schedule=open:256", "mode_schedule"),
        ("mode_schedule=ajar:1", "door_mode"),
        ("mode_schedule=open:", "mode_schedule"),
    ],
)
def test_what_is_no_setting_is_refused_by_name(word, named) -> None:
    with pytest.raises(OperatorError, match=named):
        parse([word])


def test_a_setting_stands_once() -> None:
    with pytest.raises(OperatorError, match="twice"):
        parse(["unlock_time=5", "开锁时间=6"])


def test_every_value_reads_back_as_it_is_shown() -> None:
    for number, value in ((2, 55), (1, 1), (48, 11500), (3, 40), (9, 2), (2, [50, 65])):
        shown = setting_words.text(number, value)
        assert parse([f"{number}={shown}"]) == {number: value}, shown
    assert setting_words.text(41, "a password") == HIDDEN


def test_every_setting_has_a_chinese_name_that_is_understood() -> None:
    set_language("zh")
    try:
        names = {number: setting_words.name(number) for number in NAMES}
    finally:
        set_language(None)
    assert all(not name.isascii() or name.startswith("OSDP") for name in names.values())
    assert {number: setting_words.number_of(name) for number, name in names.items()} == {
        number: number for number in names
    }


# --- signed, kept, sent ---------------------------------------------------------------------


def test_a_change_is_signed_kept_and_sent(site, controller) -> None:
    done = change(site, "unlock_time=7")
    assert (done.version, done.sent) == (1, True)
    assert done.changes == (("unlock_time", "default", "7 s"),)
    assert controller.settings == {2: 70}
    kept = signed(site)
    assert kept is not None
    assert (kept.epoch, kept.version, kept.settings) == (1, 1, {2: 70})


def test_the_next_one_keeps_what_it_does_not_change(site, controller) -> None:
    change(site, "unlock_time=7", "held_open_time=40")
    done = change(site, "unlock_time=8", "held_open_time=")
    assert controller.settings == {2: 80}
    assert controller.version == done.version == 2
    assert ("held_open_time", "40 s", "default") in done.changes


def test_a_dry_run_changes_nothing(site, controller) -> None:
    done = change(site, "unlock_time=7", dry_run=True)
    assert (done.version, done.sent, len(done.changes)) == (1, False, 1)
    assert controller.version == 0
    assert signed(site) is None


def test_what_is_so_already_is_not_signed_again(site, controller) -> None:
    change(site, "unlock_time=7")
    for how in ({}, {"later": True}, {"dry_run": True}):
        again = change(site, "unlock_time=7", **how)
        assert (again.version, again.sent, again.changes) == (1, False, ())
    assert [getattr(one, "version", 0) for one in (signed(site), controller)] == [1, 1]


def test_what_the_controller_has_lost_is_sent_again(site, controller) -> None:
    change(site, "unlock_time=7")
    controller.version, controller.settings = 0, {}
    assert change(site, "unlock_time=").sent


@pytest.mark.usefixtures("controller")
def test_hours_with_another_mode_name_a_schedule_that_is_there(site) -> None:
    with pytest.raises(OperatorError, match="no schedule with number 1"):
        change(site, "mode_schedule=open:1")
    schedules.add(site, "work", ["Mon-Fri 08:00-18:00"])
    with pytest.raises(OperatorError, match="no schedule with number 2"):
        change(site, "mode_schedule=closed:2", "unlock_time=7")
    assert change(site, "mode_schedule=open:1").sent


@pytest.mark.usefixtures("controller")
def test_a_folder_that_was_given_no_schedules_takes_any_number(site, tmp_path, open_site) -> None:
    folder = tmp_path / "technician"
    export.export(site, "technician", folder, "for this folder alone")
    technician = open_site(folder, "for this folder alone")
    assert change(technician, "mode_schedule=open:1", later=True).version == 1


@pytest.mark.usefixtures("controller")
def test_a_schedule_that_a_door_goes_by_is_not_removed(site) -> None:
    schedules.add(site, "work", ["Mon-Fri 08:00-18:00"])
    change(site, "mode_schedule=open:1")
    with pytest.raises(OperatorError, match="work: door-1") as refused:
        schedules.remove(site, "work")
    assert "mode_schedule=" in refused.value.next_step
    change(site, "mode_schedule=")
    assert schedules.remove(site, "work").name == "work"


@pytest.mark.usefixtures("board")
def test_a_refusal_says_what_goes_together(site) -> None:
    def why(*words: str) -> str:
        with pytest.raises(OperatorError) as refused:
            change(site, *words, later=True)
        return refused.value.next_step

    assert why("unlock_time=5,6") == "2 values, and this board has fewer doors: 1"
    assert why("wifi_name=courtyard").startswith("it goes together with wifi_name")
    assert why("wifi_password=long enough").startswith("it goes together with wifi_password")
    assert why("unlock_time=4000") == "it may be: 1 s – 3600 s"


def test_numbers_go_on_above_what_another_registry_has_signed(site, controller) -> None:
    controller.epoch, controller.version, controller.settings = 1, 40, {3: 50}
    done = change(site, "unlock_time=7")
    assert done.version == 41
    assert controller.settings == {2: 70, 3: 50}


@pytest.mark.usefixtures("controller")
def test_what_the_controller_would_refuse_is_never_signed(site) -> None:
    for word, why in (
        ("unlock_time=9999", "1 s – 3600 s"),
        ("unlock_time=0", "1 s – 3600 s"),
        ("osdp_address=1", "nothing that it is for"),
        ("charge_ceiling=60", "nothing that it is for"),
        ("unlock_time=5,6", "fewer doors: 1"),
        ("wifi_name=courtyard", "together with wifi_name"),
    ):
        with pytest.raises(OperatorError, match="cannot be set so") as refused:
            change(site, word)
        assert why in refused.value.next_step
    assert signed(site) is None


def test_a_reader_s_key_is_no_word_of_config_set() -> None:
    for word in ("osdp_keys=00112233445566778899aabbccddeeff", "OSDP密钥=1", "34=0"):
        with pytest.raises(OperatorError, match="device reader pair"):
            setting_words.parse((word,))
    assert setting_words.parse(("osdp_keys=",)) == {34: None}


@pytest.mark.usefixtures("controller")
def test_a_password_is_neither_shown_nor_in_the_log_nor_readable_in_the_file(site) -> None:
    done = change(site, "wifi_name=courtyard", "wifi_password=a long password")
    assert ("wifi_password", "default", HIDDEN) in done.changes
    view = device_config.show(site, "door-1")
    assert "a long password" not in repr(view)
    assert view.same
    with site.registry.session() as session:
        entry = session.query(AuditEntry).filter_by(act="device.config").one()
    assert json.loads(entry.details)["settings"]["wifi_password"] == HIDDEN
    for path in site.path.glob("registry.sqlite*"):
        assert b"a long password" not in path.read_bytes()


def test_a_password_that_this_folder_knows_goes_on(site, controller) -> None:
    change(site, "wifi_name=courtyard", "wifi_password=a long password")
    change(site, "unlock_time=7")
    assert controller.settings == {2: 70, **NETWORK}


def test_a_password_that_this_folder_does_not_know_is_not_lost_unasked(site, controller) -> None:
    controller.epoch, controller.version, controller.settings = 1, 3, dict(NETWORK)
    with pytest.raises(OperatorError, match="wifi_password of door-1 is not known"):
        change(site, "unlock_time=7")
    change(site, "unlock_time=7", "wifi_name=", "wifi_password=")
    assert controller.settings == {2: 70}


@pytest.mark.usefixtures("controller")
def test_a_folder_without_the_ticket_key_signs_none(site) -> None:
    site.forget("ticket")
    with pytest.raises(OperatorError, match="ticket"):
        change(site, "unlock_time=7")


@pytest.mark.usefixtures("controller")
def test_the_desk_s_folder_takes_it_over_and_others_do_not(site, tmp_path, open_site) -> None:
    change(site, "wifi_name=courtyard", "wifi_password=a long password")
    for role, has in (("desk", True), ("technician", False), ("installer", False)):
        folder = tmp_path / role
        export.export(site, role, folder, "for this folder alone")
        held = signed(open_site(folder, "for this folder alone"))
        assert (held is not None) == has, role
        assert held is None or held.settings == NETWORK


# --- compared -------------------------------------------------------------------------------


@pytest.mark.usefixtures("controller")
def test_the_view_has_all_that_the_board_can_have_and_nothing_else(site) -> None:
    names = {row.name for row in device_config.show(site, "door-1").settings}
    assert {"lock_type", "unlock_time", "wifi_name"} <= names
    assert not {"charge_ceiling", "osdp_address", "supply_low", "mains_delay"} & names


def test_a_difference_between_controller_and_registry_is_shown(site, controller) -> None:
    change(site, "unlock_time=7")
    assert device_config.show(site, "door-1").same
    controller.settings = {2: 90}
    view = device_config.show(site, "door-1")
    assert not view.same
    [row] = [row for row in view.settings if row.differs]
    assert (row.name, row.device, row.registry, row.default) == ("unlock_time", "9 s", "7 s", "5 s")


# --- with a push ----------------------------------------------------------------------------


def test_what_could_not_be_sent_goes_with_the_next_push(site, controller) -> None:
    change(site, "unlock_time=7", later=True)
    assert controller.version == 0
    device = site.device("door-1")
    client: Any = controller
    assert "configuration 1 sent" in device_config.send_newest(site, device, client)
    assert controller.settings == {2: 70}
    assert device_config.send_newest(site, device, client) == "", "once is enough"


def test_a_controller_that_is_ahead_is_left_alone(site, controller) -> None:
    change(site, "unlock_time=7")
    controller.version = 9
    client: Any = controller
    assert device_config.send_newest(site, site.device("door-1"), client) == ""


def test_a_refused_configuration_does_not_undo_a_push(site, controller) -> None:
    change(site, "unlock_time=7", later=True)
    controller.refuses = refusal("door-1", OP_PUT_CONFIG, ERR_SETTING, 2)
    client: Any = controller
    said = device_config.send_newest(site, site.device("door-1"), client)
    assert "unlock_time: setting_out_of_bounds" in said


def test_a_refusal_names_the_setting() -> None:
    error = refusal("door-1", OP_PUT_CONFIG, ERR_NOT_ON_BOARD, 48)
    assert (error.code, error.setting) == (ERR_NOT_ON_BOARD, 48)
    assert "supply_low" in error.what
    assert "63" in refusal("door-1", OP_PUT_CONFIG, ERR_SETTING, 63).what
    assert refusal("door-1", OP_PUT_CONFIG, ERR_VERSION_LOW).setting is None
