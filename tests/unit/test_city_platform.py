"""Delivery over HTTPS to a platform that fails, delays, repeats: everything there, once (host)."""

from __future__ import annotations

import base64
import json
from hashlib import sha256

import pytest

from controller_tool.errors import LinkError, OperatorError
from controller_tool.registry.models import Person
from controller_tool.registry.records import AuditEntry
from controller_tool.rules import delivery as rules
from controller_tool.rules import endpoint
from controller_tool.services.city import delivery, http_post, kinds, marks, rejects
from controller_tool.services.city.delivery import Wish
from protocol import cbor, codes, cose, trust
from tests.unit import platform_server
from tests.unit.platform_server import TOKEN, Move
from tests.unit.test_city import house  # noqa: F401 - a fixture
from tests.unit.test_journal import pull

HOUSE = {"device": 1, "house": 1, "person": 1, "binding": 1, "access": 2, "alarm": 1,
         "charge_session": 0, "charge_fault": 0, "heartbeat": 1}  # fmt: skip
EVERYTHING = Wish()
ACCESS = Wish(kinds=("access",))


@pytest.fixture
def platform(tmp_path):
    with platform_server.running(tmp_path) as made:
        yield made


@pytest.fixture
def poster(platform):
    found = endpoint.parse(platform.address)
    assert isinstance(found, endpoint.Endpoint)
    return http_post.Poster(found, TOKEN, platform.context, silence_s=1.0, answer_s=2.0)


@pytest.fixture
def flood(site, board, house):  # noqa: F811
    """Forty exits more, so that there is something to divide."""
    del house
    for _ in range(40):
        board.pens[0].write(codes.EVENT_REX, codes.REASON_REX)
    pull(site, board, board.pens[0])


def send(site, poster, wish: Wish = EVERYTHING, pauses: list[float] | None = None):
    waited = [] if pauses is None else pauses
    return delivery.to_platform(site, poster, wish, pause=waited.append)


@pytest.mark.usefixtures("house")
def test_everything_arrives_once_and_only_what_changed_comes_again(site, poster, platform) -> None:
    assert send(site, poster).records == HOUSE
    assert {kind: len(platform.of(kind)) for kind in HOUSE} == HOUSE
    assert [kind for kind, _, _ in platform.asked] == [k for k in kinds.KINDS if HOUSE[k]]
    assert sum(send(site, poster).records.values()) == 0
    with site.registry.writing() as session:
        session.query(Person).one().name = "张伟明"
    send(site, poster)
    assert [row["name"] for row in platform.of("person")] == ["张伟", "张伟明"]
    send(site, poster, Wish(full=True))
    assert len(platform.stored) == sum(HOUSE.values()) + 1, "the same records, the same ids"


@pytest.mark.usefixtures("house")
def test_a_batch_is_signed_and_has_a_key_of_its_own(site, poster, platform) -> None:
    send(site, poster)
    signers = trust.verify(site.trust_object()).moduli(codes.KEY_CHECKPOINT)
    for (kind, count, headers), body in zip(platform.asked, platform.bodies, strict=True):
        envelope = base64.b64decode(headers["Hzaccess-Signature"])
        payload = cbor.decode(bytes(cose.verify(envelope, b"hzaccess/1", signers)))
        assert payload == ["hzaccess/1", site.id, sha256(body).digest()]
        ids = [json.loads(line)["event_id"] for line in body.splitlines()]
        assert headers["Idempotency-Key"] == sha256("\n".join((kind, *ids)).encode()).hexdigest()
        assert int(headers["Hzaccess-Count"]) == count


@pytest.mark.parametrize(
    "move",
    [
        Move("status", 500), Move("status", 503), Move("status", 429), Move("status", 408),
        Move("takes_and_fails", 500), Move("takes_and_fails", 502),
        Move("drops", True), Move("drops", False), Move("silent", 1.5), Move("drips"),
        Move("half"), Move("well", 1),
        Move("says", b"<html>it works</html>"), Move("says", b'{"acknowledged": 999}'),
        Move("says", b"x" * (rules.ANSWER_MAX_BYTES + 10)), Move("says", b""),
        Move("says", b'{"acknowledged": 0}'),
    ],
    ids=lambda move: f"{move.do}-{str(move.value)[:12]}",
)  # fmt: skip
@pytest.mark.usefixtures("flood")
def test_whatever_goes_wrong_each_record_is_there_once(site, poster, platform, move) -> None:
    platform.moves = [move, Move("well"), move]
    done = send(site, poster, ACCESS)
    assert done.records["access"] == len(platform.of("access")) == 42
    assert delivery.count(site, platform_target(poster)).records["access"] == 0


def platform_target(poster) -> str:
    return str(poster.endpoint.target)


@pytest.mark.usefixtures("flood")
def test_pauses_are_honoured(site, poster, platform) -> None:
    later = (("Retry-After", "40"),)
    platform.moves = [Move("status", 503), Move("status", 429, later),
                      Move("status", 503, (("Retry-After", "99999"),))]  # fmt: skip
    pauses: list[float] = []
    assert send(site, poster, ACCESS, pauses).retries == 3
    assert 1 <= pauses[0] <= 2
    assert pauses[1:] == [40, 300]


@pytest.mark.usefixtures("flood")
def test_a_platform_that_stays_away_ends_the_command_and_moves_no_mark(
    site, poster, platform
) -> None:
    platform.moves = [Move("well", 30)] + [Move("status", 500)] * delivery.TRIES
    pauses: list[float] = []
    with pytest.raises(LinkError, match="30 records were delivered before"):
        send(site, poster, ACCESS, pauses)
    assert len(pauses) == delivery.TRIES - 1
    assert delivery.count(site, platform_target(poster)).records["access"] == 12
    assert send(site, poster, ACCESS).records["access"] == 12
    assert set(platform.arrivals.values()) == {1}


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404])
@pytest.mark.usefixtures("flood")
def test_what_a_person_must_mend_is_told_at_once(site, poster, platform, status) -> None:
    elsewhere = (("Location", "https://127.0.0.1:1/elsewhere"),)
    platform.moves = [Move("status", status, elsewhere)]
    with pytest.raises(OperatorError, match=str(status)):
        send(site, poster, ACCESS)
    assert (len(platform.asked), platform.stored) == (1, {})


@pytest.mark.usefixtures("flood")
def test_batches_become_as_small_as_the_platform_wants(site, poster, platform) -> None:
    platform.most = 5
    send(site, poster, ACCESS)
    assert len(platform.of("access")) == 42
    assert set(platform.arrivals.values()) == {1}


@pytest.mark.usefixtures("flood")
def test_batches_are_bounded(site, poster, platform, monkeypatch) -> None:
    monkeypatch.setattr(rules, "RECORDS_MAX", 10)
    send(site, poster, ACCESS)
    assert [count for _, count, _ in platform.asked] == [10, 10, 10, 10, 2]
    monkeypatch.setattr(rules, "BYTES_MAX", 2000)
    send(site, poster, Wish(full=True, kinds=("access",)))
    assert max(len(body) for body in platform.bodies[5:]) <= 2000


# --- rejects ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("flood")
def test_a_refused_record_waits_on_the_work_list_and_blocks_nothing(site, poster, platform) -> None:
    platform.refuses = lambda kind, row: kind == "person" or row["event_id"].endswith("-0-7")
    done = send(site, poster)
    assert (done.rejected, len(platform.of("access"))) == (2, 41)
    waiting = rejects.list_rejects(site)
    assert [(one.kind, one.reason) for one in waiting] == [
        ("person", "not to our liking"), ("access", "not to our liking")
    ]  # fmt: skip
    assert sum(send(site, poster).records.values()) == 0, "it is not sent again by itself"


@pytest.mark.usefixtures("house")
def test_a_mended_thing_leaves_the_work_list_by_itself(site, poster, platform) -> None:
    platform.refuses = lambda kind, row: kind == "person" and row["name"] == "张伟"
    send(site, poster)
    with site.registry.writing() as session:
        session.query(Person).one().name = "张伟明"
    assert send(site, poster).records["person"] == 1
    assert rejects.list_rejects(site) == []
    assert len(rejects.list_rejects(site, settled=True)) == 1


@pytest.mark.usefixtures("flood")
def test_a_refused_record_is_sent_again_when_somebody_says_so(site, poster, platform) -> None:
    platform.refuses = lambda kind, row: kind == "person" or row["event_id"].endswith("-0-7")
    send(site, poster)
    platform.refuses = None
    for one in rejects.list_rejects(site):
        assert rejects.resolve(site, one.id, again=True, dry_run=True) == one
        rejects.resolve(site, one.id, again=True)
    done = send(site, poster)
    assert {kind: n for kind, n in done.records.items() if n} == {"person": 1, "access": 1}
    assert len(platform.of("access")) == 42
    with pytest.raises(OperatorError, match="No refused record 1 waits"):
        rejects.resolve(site, 1)


@pytest.mark.usefixtures("house")
def test_a_single_record_that_is_too_much_is_refused(site, poster, platform) -> None:
    platform.most = 0
    assert send(site, poster, ACCESS).rejected == 2
    assert {one.reason for one in rejects.list_rejects(site)} == {"it answered 413"}


# --- killed -------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.usefixtures("flood")
def test_who_is_killed_sends_again_and_doubles_nothing(
    site, poster, platform, monkeypatch, after
) -> None:
    """Before or after each batch's mark is written."""
    monkeypatch.setattr(rules, "RECORDS_MAX", 10)
    write = marks.advance
    runs = 0

    def killing(*args, **facts) -> None:
        if after:
            write(*args, **facts)
        raise Killed

    while delivery.count(site, platform_target(poster), ACCESS).records["access"] and runs < 10:
        runs += 1
        monkeypatch.setattr(marks, "advance", killing)
        with pytest.raises(Killed):
            send(site, poster, ACCESS)
        if not after:
            monkeypatch.setattr(marks, "advance", write)
            send(site, poster, ACCESS)
    assert (runs, len(platform.of("access"))) == (5 if after else 1, 42)
    assert max(platform.arrivals.values()) == (1 if after else 2)


@pytest.mark.usefixtures("house")
def test_a_mark_and_its_rejects_are_written_together(site, poster, platform, monkeypatch) -> None:
    platform.refuses = lambda kind, row: bool(kind and row)

    def broken(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(marks, "_reject", broken)
    with pytest.raises(Killed):
        send(site, poster, ACCESS)
    monkeypatch.undo()
    assert rejects.list_rejects(site) == []
    assert delivery.count(site, platform_target(poster), ACCESS).records["access"] == 2


# --- secrets and trust ----------------------------------------------------------------------------


@pytest.mark.usefixtures("house")
def test_a_platform_that_nobody_vouches_for_hears_nothing(site, poster, platform) -> None:
    stranger = http_post.Poster(poster.endpoint, TOKEN, None, 1.0, 2.0)
    with pytest.raises(OperatorError, match="does not prove who it is"):
        send(site, stranger, ACCESS)
    assert platform.asked == []


@pytest.mark.usefixtures("house")
def test_the_token_is_kept_and_shown_nowhere(site, poster, monkeypatch) -> None:
    monkeypatch.setenv(http_post.TOKEN_VARIABLE, TOKEN)
    assert http_post.find_token("127.0.0.1") == TOKEN
    assert TOKEN not in repr(poster)
    send(site, poster)
    with site.registry.session() as session:
        acts = [entry.act for entry in session.query(AuditEntry)]
    assert "export.delivered" in acts
    for path in site.path.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()


@pytest.mark.parametrize("bad", ["a b", "a\r\nX: y", "ü", "x" * 5000])
def test_what_is_no_token_is_refused(monkeypatch, bad) -> None:
    monkeypatch.setenv(http_post.TOKEN_VARIABLE, bad)
    with pytest.raises(OperatorError, match="no token has"):
        http_post.find_token("city.example")


def test_without_a_token_nothing_is_sent(monkeypatch) -> None:
    monkeypatch.delenv(http_post.TOKEN_VARIABLE, raising=False)
    monkeypatch.setattr("controller_tool.keys.passphrase.from_keyring", lambda _: None)
    with pytest.raises(OperatorError, match=r"No token for city\.example"):
        http_post.find_token("city.example")


def test_an_authority_file_that_is_none_is_refused(tmp_path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(OperatorError, match="no certificate of an authority"):
            http_post.trusting(tmp_path / name)
