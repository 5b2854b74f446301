"""`tenant` and `desk`: what a clerk types and reads, with doors that answer or do not (host)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from controller_tool import cli, messages
from controller_tool.cli import asking
from controller_tool.clock import now_s
from controller_tool.registry.houses import House
from controller_tool.registry.stays import Lease, PairAct
from controller_tool.rules import words
from controller_tool.services import cards
from controller_tool.services.desk import check_in, front_desk, slip
from tests.unit.fake_whitelist import FakeWhitelist, connect
from tests.unit.house_support import add_areas, add_house, day
from tests.unit.registry_support import Board
from tests.unit.test_stays import DAY, LI, WANG, request

UNTIL, LATER = day(60), day(90)
TYPED = ("--house", "H00001", "--room", "101", "--name", "王伟", "--until", UNTIL)


class Desk:
    """Command lines on one site with two doors, and what they show. reach: doors that answer."""

    def __init__(self, site: Any, capsys: Any, monkeypatch: Any) -> None:
        self.site, self._capsys, self._patch = site, capsys, monkeypatch
        self.doors = {name: FakeWhitelist(Board(site, name)) for name in ("door-1", "door-2")}
        self.reach("door-1", "door-2")
        self.err = ""

    def reach(self, *names: str) -> None:
        connect(self._patch, *(self.doors[name] for name in names))

    def run(self, *words_: str, code: int = 0) -> str:
        assert cli.run([*words_, "--site", str(self.site.path)]) == code
        shown = self._capsys.readouterr()
        self.err = shown.err
        assert "Traceback" not in shown.err
        return str(shown.out)

    def json(self, *words_: str, code: int = 0) -> Any:
        return json.loads(self.run(*words_, "--json", code=code))


@pytest.fixture
def desk(site, capsys, monkeypatch, at_the_desk):
    del at_the_desk
    monkeypatch.setenv("CONTROLLER_TOOL_ID_NUMBER", WANG.id_number)
    made = Desk(site, capsys, monkeypatch)
    add_areas(site)
    add_house(site, doors=(("door-1", 0), ("door-2", 0)))
    return made


def test_a_stay_from_check_in_to_check_out_in_one_command_each(desk, tmp_path) -> None:
    desk.reach("door-1")
    said = desk.run("tenant", "check-in", *TYPED, "--card", "0012345678", code=1)
    assert "works at 1 of 2 doors; pending: door-2" in said
    assert "door-1: receipt for version 1" in desk.err
    assert "door-2" in desk.err
    assert "0012345678" not in said + desk.err
    desk.reach("door-1", "door-2")
    said = desk.run("tenant", "extend", "L000001", "--until", LATER)
    assert "works at 2 of 2 doors" in said
    desk.reach("door-2")
    out = desk.json("tenant", "check-out", "0012345678", code=1)
    assert (out["deregistered"], out["words"]) == (False, ["pending 1/2; pending: door-1"])
    desk.reach("door-1", "door-2")
    said = desk.run("tenant", "check-out", "L000001", "--slip", str(tmp_path))
    assert "deregistered" in said
    assert "deregistered" in (tmp_path / "L000001.html").read_text(encoding="utf-8")
    assert not desk.doors["door-1"].live()


def test_slips_go_into_a_folder_that_is_not_there_yet(desk, tmp_path) -> None:
    desk.run("tenant", "check-in", *TYPED, "--card", "0012345678")
    folder = tmp_path / "slips"
    desk.run("tenant", "slip", "L000001", "--output", f"{folder}/")
    assert [path.name for path in folder.iterdir()] == ["L000001.html"]


def test_what_is_proven_is_shown_where_no_slip_can_be_written(desk, tmp_path) -> None:
    desk.run("tenant", "check-in", *TYPED, "--card", "0012345678")
    desk.reach("door-1")
    (tmp_path / "slips").write_text("a file")
    said = desk.run("tenant", "check-out", "L000001", "--slip", str(tmp_path / "slips"), code=1)
    assert "pending 1/2" in said
    assert "cannot be written" in desk.err


def test_a_list_names_the_same_last_day_as_the_stay(desk) -> None:
    desk.run("tenant", "check-in", *TYPED, "--card", "0012345678")
    assert UNTIL in desk.run("tenant", "list")
    assert UNTIL in desk.run("tenant", "show", "L000001")


def test_without_push_nothing_is_claimed(desk) -> None:
    out = desk.json("tenant", "check-in", *TYPED, "--card", "0012345678", "--no-push")
    assert out["words"] == ["works at 0 of 2 doors; pending: door-1, door-2"]
    out = desk.json("tenant", "check-out", "L000001", "--no-push")
    assert (out["deregistered"], out["words"]) == (True, ["deregistered"]), "it was sent to no door"


def test_a_dry_run_shows_the_stay_and_changes_nothing(desk) -> None:
    said = desk.run("tenant", "check-in", *TYPED, "--card", "0012345678", "--dry-run")
    assert "nothing was changed" in said
    assert desk.json("tenant", "list") == []


def test_what_is_missing_is_named_where_nobody_can_be_asked(desk) -> None:
    desk.run("tenant", "check-in", "--house", "H00001", code=2)
    assert "Give --room, --name, --until" in desk.err


def test_what_is_missing_is_asked_for_at_a_terminal(desk, monkeypatch) -> None:
    answers = iter(["1", "", "", "", "104", "101", UNTIL, "0012345678", "", "maybe", "yes"])
    asked: list[str] = []

    def prompt(text: str, **_: Any) -> str:
        asked.append(text)
        return next(answers)

    monkeypatch.setattr(asking, "possible", lambda _app: True)
    monkeypatch.setattr("click.prompt", prompt)
    answers = iter(["", "104", "101", "", "", "", UNTIL, "0012345678", "", "maybe", "yes"])
    said = desk.run("tenant", "check-in", "--house", "H00001", "--name", "王伟")
    assert "works at 2 of 2 doors" in said
    assert "has no room 104" in desk.err
    assert "neither yes nor no" in desk.err
    assert asked[0] == "Kind of stay (Enter: tenant)"


def test_a_visit_is_where_the_host_stays_and_a_move_takes_the_card_along(desk) -> None:
    check_in.check_in(desk.site, request())
    out = desk.json("tenant", "visit", "L000001", "--hours", "3", "--name", "李娜",
                    "--id-number", LI.id_number, "--card", "0012345679")  # fmt: skip
    assert (out["stay"]["room"], out["stay"]["kind"]) == ("101", "visitor")
    desk.run("push")
    out = desk.json("tenant", "move", "L000001", "--room", "102")
    assert (out["stay"]["ref"], out["words"]) == ("L000003", ["works at 2 of 2 doors"])
    out = desk.json("tenant", "check-out", "L000003", "--lost")
    assert (out["visitors"], out["deregistered"]) == (["L000002"], True)
    assert {card["state"] for card in out["stay"]["cards"]} == {"lost"}


def test_a_lost_card_is_replaced_in_one_command(desk) -> None:
    desk.run("tenant", "check-in", *TYPED, "--card", "0012345678")
    out = desk.json("tenant", "card", "L000001", "--card", "0012345679", "--replaces", "K000001")
    assert [card["state"] for card in out["stay"]["cards"]] == ["lost", "issued"]
    assert out["words"] == ["works at 2 of 2 doors"]
    desk.run("tenant", "card", "L000001", "--card", "0012345671", "--reader", code=2)
    desk.run("tenant", "card", "L000001", "--card", "0012345671", "--replaces", "K000009", code=1)


def test_who_should_have_left_and_who_leaves_soon(desk) -> None:
    check_in.check_in(desk.site, request(days=3))
    check_in.check_in(desk.site, request(LI, room="102", cards=()))
    with desk.site.registry.writing() as session:
        over = session.scalars(select(Lease).where(Lease.ref == "L000002")).one()
        over.until_min = now_s() // 60 - DAY
        session.add(PairAct(act=words.FOUND, subject="K000001", document="1", facts="{}",
                            state=words.ASKED, asked_by="王芳", asked_at_s=now_s()))  # fmt: skip
    refs = {
        option: [line["ref"] for line in desk.json("tenant", "list", *option)]
        for option in ((), ("--over",), ("--ending", "7"), ("--room", "101"))
    }
    assert refs == {
        (): ["L000001", "L000002"], ("--over",): ["L000002"], ("--ending", "7"): ["L000001"],
        ("--room", "101"): ["L000001"],
    }  # fmt: skip
    out = desk.json("desk", "pending")
    assert [one["ref"] for one in out["over"]] == ["L000002"]
    assert [one["ref"] for one in out["ending"]] == ["L000001"]
    assert [one["subject"] for one in out["pairs"]] == ["K000001"]
    assert [owing["device"] for owing in out["unlisted"][0]["owing"]] == ["door-1", "door-2"]
    assert "王伟" in desk.run("tenant", "show", "L000001")
    shown = json.dumps(desk.json("tenant", "show", "L000001"))
    assert WANG.id_number not in shown


def test_pending_names_who_owes_a_receipt_until_the_watch_has_it(desk, monkeypatch) -> None:
    desk.run("tenant", "check-in", *TYPED, "--card", "0012345678")
    desk.reach("door-1")
    desk.run("tenant", "check-out", "L000001", code=1)
    [ended] = desk.json("desk", "pending")["ended"]
    assert ((ended["n"], ended["m"]), [one["device"] for one in ended["owing"]]) == (
        (1, 2), ["door-2"],
    )  # fmt: skip
    assert ended["since_s"] > 0
    from controller_tool.services import watching  # noqa: PLC0415

    keep_on = watching.watch

    def few_rounds(site: Any, names: Any, report: Any, way: Any) -> None:
        keep_on(site, names, report, way, pause=lambda _s: desk.reach("door-1", "door-2"),
                clock=iter(range(0, 10**6, 400)).__next__, rounds=2)  # fmt: skip

    monkeypatch.setattr(watching, "watch", few_rounds)
    said = desk.run("desk", "pending", "--watch")
    assert said.index("door-2") < said.index("Nothing is open")


def test_a_slip_has_no_number_and_nothing_of_a_name_is_markup(desk) -> None:
    holder = type(WANG)("<b>王&伟", WANG.id_number)
    check_in.check_in(desk.site, request(holder))
    made = slip.of_stay(desk.site, "L000001")
    assert "<b>王" not in made.page()
    assert "&lt;b&gt;王&amp;伟" in made.page()
    for text in (made.page(), made.text()):
        assert not any(secret in text for secret in ("0012345678", "bc614e", WANG.id_number))
        assert "works at 0 of 2 doors; pending: door-1, door-2" in text
        assert "K000001" in text
    messages.set_language("zh")
    assert "年" in slip.of_stay(desk.site, "L000001").text()


def test_a_dormitory_shift_across_midnight_is_given_at_check_in(desk) -> None:
    desk.run("schedule", "add", "NIGHTS", "Mon-Sun 22:00-06:00")
    desk.run("profile", "add", "NIGHT SHIFT", "--points", "1", "--schedule", "NIGHTS")
    desk.run("tenant", "check-in", *TYPED, "--kind", "worker", "--profile", "NIGHT SHIFT",
             "--card", "0012345678")  # fmt: skip
    told = [
        desk.json("card", "explain", "0012345678", "door-1", "--at", f"{day(2)}T{time}")
        for time in ("23:30", "05:30", "12:00")
    ]
    assert [door["now"]["granted"] for one in told for door in one] == [True, True, False], told


def test_no_admission_no_card_also_where_a_card_is_issued_by_itself(desk) -> None:
    issue = ("card", "issue", "0012345678", "--name", "张强")
    desk.run(*issue, "--until", day(500), code=1)
    assert "within 365 days" in desk.err
    with desk.site.registry.writing() as session:
        session.scalars(select(House)).one().state = words.SUSPENDED
    desk.run(*issue, "--until", UNTIL, code=1)
    assert "H00001 is not admitted" in desk.err
    desk.run(*issue, "--emergency")
    assert cards.card_status(desk.site, "0012345678").state == "issued"


def test_a_card_of_a_stay_goes_on_as_the_stay_s(desk) -> None:
    stay = check_in.check_in(desk.site, request())
    desk.run("card", "change", "K000001", "--until", day(90), code=1)
    assert "tenant extend" in desk.err
    desk.run("card", "change", "K000001", "--until", day(30))
    assert front_desk.find(desk.site, "0012345678").ref == stay.ref
