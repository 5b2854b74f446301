"""Who may do what, and who may be the second: in the words of the mission (host)."""

from __future__ import annotations

import pytest

from controller_tool.rules import duty, pairs, words
from controller_tool.rules import secrets as secret_rules
from controller_tool.rules.duty import Who

CLERK = Who("李明")
HEAD = Who("王芳", words.HEAD)


def rule(refusal) -> str | None:
    return None if refusal is None else refusal.rule


def test_named_operators_have_roles_and_a_clerk_does_the_work_of_the_desk() -> None:
    for act in (duty.CHECK_IN, duty.CHECK_OUT, duty.EXTEND, duty.VISIT, duty.ISSUE_MASTER):
        assert duty.refuse(CLERK, act) is None
        assert not duty.guarded(act)


@pytest.mark.parametrize(
    ("act", "may"),
    [
        (duty.CLASSIFY, {words.SUPERVISOR, words.POLICE, words.HEAD}),
        (duty.ADMIT, {words.SUPERVISOR, words.HEAD}),
        (duty.ISSUE_EMERGENCY, {words.SUPERVISOR, words.HEAD}),
        (duty.HOLD, {words.SUPERVISOR, words.POLICE, words.HEAD}),
        (duty.RELEASE_HOLD, {words.POLICE, words.HEAD}),
        (duty.CONFIRM_PAIR, {words.SUPERVISOR, words.POLICE, words.HEAD}),
        (duty.SEE_DOCUMENTS, {words.SUPERVISOR, words.POLICE, words.HEAD}),
        (duty.SEE_AUDIT, {words.SUPERVISOR, words.POLICE, words.AUDITOR, words.HEAD}),
        (duty.RETENTION, {words.HEAD}),
        (duty.OPERATORS, {words.HEAD}),
        (duty.FOLDERS, {words.HEAD}),
    ],
)
def test_what_takes_more_than_a_clerk(act, may) -> None:
    assert {role for role in words.ROLES if duty.refuse(Who("x", role), act) is None} == may
    assert duty.guarded(act)


def test_a_head_may_do_everything_and_an_auditor_only_reads_the_log() -> None:
    assert all(duty.refuse(HEAD, act) is None for act in duty.MAY)
    auditor = Who("周强", words.AUDITOR)
    assert [act for act in duty.MAY if duty.refuse(auditor, act) is None] == [duty.SEE_AUDIT]


def test_a_refusal_names_the_rule_and_the_way_out() -> None:
    refusal = duty.refuse(CLERK, duty.ADMIT)
    assert refusal is not None
    assert refusal.rule == "role"
    assert "李明" in refusal.what
    assert "supervisor, head" in refusal.way_out


def test_who_has_ended_does_nothing() -> None:
    gone = Who("王芳", words.HEAD, ended=True)
    assert {rule(duty.refuse(gone, act)) for act in duty.MAY} == {"ended"}
    assert {rule(duty.second(act, "李明", gone)) for act in words.PAIR_ACTS} == {"ended"}


@pytest.mark.parametrize("act", words.PAIR_ACTS)
def test_the_second_operator_is_another_person(act) -> None:
    assert duty.second(act, "李明", HEAD) is None
    assert rule(duty.second(act, "王芳", HEAD)) == "second"
    assert rule(duty.second(act, " 王 芳", HEAD)) == "second", "the same person, typed otherwise"
    assert rule(duty.second(act, "ＷＡＮＧ Fang", Who("wang fang", words.HEAD))) == "second"


def test_the_second_operator_has_a_role_that_the_act_names() -> None:
    police = Who("赵刚", words.POLICE)
    assert rule(duty.second(words.EVICTION, "王芳", CLERK)) == "role"
    assert duty.second(words.EVICTION, "王芳", police) is None
    assert duty.second(words.LOSS_OF_DEVICE, "王芳", police) is None
    assert rule(duty.second(words.FOUND, "王芳", police)) == "role"
    assert set(duty.SECOND) == set(words.PAIR_ACTS)


def test_nobody_ends_themselves() -> None:
    assert rule(duty.staffing(HEAD, "王芳")) == "own_role"
    assert duty.staffing(HEAD, "李明") is None


def test_what_was_asked_for_lapses_after_a_day() -> None:
    day = 24 * 3600
    assert pairs.state_at(words.ASKED, 1000, 1000 + day - 1) == words.ASKED
    assert pairs.state_at(words.ASKED, 1000, 1000 + day) == words.LAPSED
    for state in (words.DONE, words.REFUSED, words.LAPSED):
        assert pairs.state_at(state, 1000, 1000 + 2 * day) == state
        assert rule(pairs.refuse_decision(7, state)) == "decided"
    assert pairs.refuse_decision(7, words.ASKED) is None


@pytest.mark.parametrize("number", ["", "  ", "x" * 65, "a\nb"])
def test_an_act_of_two_rests_on_a_document_with_a_number(number) -> None:
    assert rule(pairs.refuse_document(number)) == "document"
    assert pairs.refuse_document("杭公新〔2030〕17号") is None


def test_one_question_about_one_subject_at_a_time() -> None:
    assert rule(pairs.refuse_question(3, "K000001")) == "asked_already"
    assert pairs.refuse_question(None, "K000001") is None


@pytest.mark.parametrize("secret", ["", "1234567", "x" * 129, "wangfang1"])
def test_a_secret_is_long_enough_and_no_name(secret) -> None:
    assert rule(secret_rules.refuse_new(secret, "Wang Fang1")) == "short"


def test_five_wrong_secrets_then_pauses_that_grow() -> None:
    assert [secret_rules.pause_s(n) for n in (0, 4, 5, 6, 7, 10, 4000)] == [
        0, 0, 30, 60, 120, 900, 900,
    ]  # fmt: skip
    assert rule(secret_rules.refuse_try(5, 29, "x")) == "pause"
    assert secret_rules.refuse_try(5, 30, "x") is None
    assert rule(secret_rules.refuse_try(5, -1000, "x")) == "pause", "a clock that was set back"
