"""The registry file: sealed columns, append-only tables, named operators, its schema (host)."""

# ruff: noqa: S608 - somebody with a database tool writes such statements

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from controller_tool.errors import OperatorError
from controller_tool.registry import database, migrate, records
from controller_tool.registry.models import Base, Card, Operator, Profile
from controller_tool.registry.records import AuditEntry
from controller_tool.registry.sealing import Vault, new_key, unwrap_key, wrap_key
from controller_tool.services import audit, cards, export, people, site_init
from controller_tool.services.site_view import view
from tests.unit.raw_registry import REFUSED, raw
from tests.unit.test_cards import CARD, issue

pytestmark = pytest.mark.both_registries
THREADS = 16  # as many as speak to controllers at once


def act(site, name: str = "act", **details: object) -> None:
    with site.registry.writing() as session:
        audit.append(session, site.operator, name, **details)


def downgrade(site, revision: str) -> None:
    config = migrate.configuration()
    with site.registry._writing_engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def entries(site) -> list[AuditEntry]:
    with site.registry.session() as session:
        return list(session.query(AuditEntry).order_by(AuditEntry.id))


# --- who did it -----------------------------------------------------------------------------


def test_every_change_names_its_operator(site, open_site) -> None:
    issue(site)
    other = open_site(site.path, operator="李明")
    cards.collect(other, CARD)
    acts = [(entry.operator, entry.act) for entry in entries(site)[-4:]]
    assert acts == [
        ("王芳", "site.init"),
        ("王芳", "card.issue"),
        ("李明", "operator.first_seen"),
        ("李明", "card.collect"),
    ]
    with site.registry.session() as session:
        assert {row.name for row in session.query(Operator)} == {"王芳", "李明"}


def test_an_operator_whose_name_a_server_would_not_keep_changes_nothing(site, open_site) -> None:
    """In a file neither: what it took, a server could never take over."""
    other = open_site(site.path, operator="明" * 65)
    with pytest.raises(OperatorError, match="longer than 64"):
        issue(other)
    assert [entry.act for entry in entries(site)] == ["site.init"]
    with pytest.raises(OperatorError, match="longer than 64"):
        site_init.init(site.path / "new", site_init.Wish("5号楼", "明" * 65), "x" * 20)


def test_an_act_that_fails_is_not_written_down(site) -> None:
    before = len(entries(site))
    issue(site)
    with pytest.raises(OperatorError):
        issue(site)
    assert len(entries(site)) == before + 1


@pytest.mark.parametrize("table", records.APPEND_ONLY)
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET id = id", "DELETE FROM {}", "REPLACE INTO {} VALUES (row)"]
)
def test_what_happened_cannot_be_changed_by_mistake(
    site, board, table, change, registry_kind
) -> None:
    if registry_kind == "postgresql":  # which puts in place of a row by an UPDATE, and empties so:
        change = change.replace("REPLACE INTO {} VALUES (row)", "TRUNCATE {} CASCADE")
    values = {
        "audit": "99, 1, 'x', 'x', '{}', x'', x''",
        "receipts": "1, '{id}', 1, x'', true, x'', 1",
        "journal_records": "'{id}', 0, 0, 0, x'', 0",
        "journal_conflicts": "1, '{id}', 0, 0, x'', 0",
        "journal_heads": "1, '{id}', 0, x'', 0, x'', 0, 0, x'', x'', 0",
        "journal_sectors": "1, '{id}', 0, 0, x'', 0",
        "journal_checkpoints": "1, '{id}', 0, 0, x'', 0",
        "audit_pins": "'{id}', 0, x'', true, 0",
        "device_configs": "'x', '{id}', 1, 1, x'', 0",
        "energy_slots": "'{id}', 0, 1, 0, x'', 0",
    }
    row = values[table].replace("{id}", board.device.id)
    raw(site, f"INSERT INTO {table} VALUES ({row})")
    column = {"journal_records": "seq", "energy_slots": "seq", "audit_pins": "ring"}.get(
        table, "id"
    )
    with pytest.raises(REFUSED, match="append-only"):
        raw(
            site,
            change.format(table).replace("row", row).replace("id = id", f"{column} = {column}"),
        )


@pytest.mark.parametrize(
    "change",
    ["operator = 'x'", "act = 'x'", "details = '{}'", "at_s = 1", "hash = x'00'",
     "previous_hash = x'00'"],
)  # fmt: skip
def test_an_altered_operators_log_is_found(site, change) -> None:
    for number in range(5):
        act(site, number=number)
    third = entries(site)[2].id
    with site.registry.session() as session:
        assert audit.first_broken(session) is None
    raw(site, "DROP TRIGGER audit_no_update", f"UPDATE audit SET {change} WHERE id = {third}")
    with site.registry.session() as session:
        assert audit.first_broken(session) == third


def test_a_shortened_operators_log_is_found(site) -> None:
    for number in range(5):
        act(site, number=number)
    gone, following = entries(site)[2:4]
    raw(site, "DROP TRIGGER audit_no_delete", f"DELETE FROM audit WHERE id = {gone.id}")
    with site.registry.session() as session:
        assert audit.first_broken(session) == following.id


def test_an_operators_log_that_was_cut_off_at_its_end_is_found(site, board) -> None:
    """Signed lists carry its head."""
    issue(site)
    board.update()
    assert view(site).audit_ok
    last = entries(site)[-2].id  # board.update's own entries are younger than its manifest
    raw(site, "DROP TRIGGER audit_no_delete", f"DELETE FROM audit WHERE id >= {last - 1}")
    with site.registry.session() as session:
        assert audit.first_broken(session) is None, "the chain alone does not show it"
    assert not view(site).audit_ok


def test_a_hubs_log_is_its_own(site, board, tmp_path, open_site) -> None:
    issue(site)
    board.update()
    for role in ("hub", "desk"):
        export.export(site, role, tmp_path / role, "of the exported folder")
        assert view(open_site(tmp_path / role, "of the exported folder")).audit_ok


# --- sealed columns --------------------------------------------------------------------------


@pytest.mark.sqlite_only  # reads the file
def test_no_card_number_and_no_id_number_lies_open_in_the_file(site) -> None:
    issue(site, holder=people.Holder("王伟", "330199199001010011", phone="13800000000"))
    with site.registry.session() as session:
        session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    content = (site.path / "registry.sqlite").read_bytes()
    assert "王伟".encode() in content, "names are not sealed"
    for secret in (b"330199199001010011", b"13800000000", bytes.fromhex("0000bc614e")):
        assert secret not in content


@pytest.mark.parametrize("place", [("cards", "1", "x"), ("cards", "2", "y"), ("x", "1", "y")])
def test_a_sealed_value_opens_in_its_own_place_only(place: tuple[str, str, str]) -> None:
    vault = Vault(new_key())
    sealed = vault.seal("cards", "1", "y", b"value")
    assert vault.open("cards", "1", "y", sealed) == b"value"
    with pytest.raises(OperatorError, match="was altered"):
        vault.open(*place, sealed)
    with pytest.raises(OperatorError):
        vault.open("cards", "1", "y", sealed[:-1] + bytes((sealed[-1] ^ 1,)))
    with pytest.raises(OperatorError):
        Vault(new_key()).open("cards", "1", "y", sealed)
    for length in (0, 5, 12, 20):
        with pytest.raises(OperatorError, match="was altered"):
            vault.open("cards", "1", "y", sealed[:length])


def test_indexes_tell_columns_and_keys_apart() -> None:
    vault = Vault(new_key())
    assert vault.index("a", b"1") == vault.index("a", b"1")
    others = [vault.index("b", b"1"), vault.index("a", b"2"), Vault(new_key()).index("a", b"1")]
    assert vault.index("a", b"1") not in others


@pytest.mark.parametrize("content", [b"", b"CTRK1", b"OTHER" + bytes(76)])
def test_a_damaged_registry_key_is_refused(content) -> None:
    with pytest.raises(OperatorError, match="does not open this site folder"):
        unwrap_key(content, "passphrase")


def test_the_registry_key_opens_with_its_passphrase_only() -> None:
    key = new_key()
    wrapped = wrap_key(key, "passphrase")
    assert unwrap_key(wrapped, "passphrase") == key
    with pytest.raises(OperatorError):
        unwrap_key(wrapped, "Passphrase")
    with pytest.raises(OperatorError):
        unwrap_key(b"XXXXX" + wrapped[5:], "passphrase")


# --- schema ----------------------------------------------------------------------------------


def test_the_newest_migration_is_the_one_that_registries_are_opened_at() -> None:
    scripts = ScriptDirectory.from_config(migrate.configuration())
    assert scripts.get_current_head() == database.HEAD_REVISION


def test_migrations_make_what_the_models_say(site) -> None:
    with site.registry.session() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, Base.metadata) == []


def test_lists_of_the_first_schema_are_full_ones_of_the_second(site, board, open_site) -> None:
    issue(site)
    signed = board.update()
    raw(site, "DROP TRIGGER audit_pins_no_delete")  # the first schema had none
    raw(site, "DELETE FROM audit_pins")
    downgrade(site, "0002")
    for column in ("kind", "base_version", "base_digest", '"update"'):
        raw(site, f"ALTER TABLE list_versions DROP COLUMN {column}")
    raw(site, "UPDATE alembic_version SET version_num = '0001'")
    with open_site(site.path).registry.session() as session:
        [row] = session.query(records.ListVersion)
    assert (row.kind, row.base_version, row.base_digest, row.update) == (0, None, None, None)
    assert (row.payload, row.envelope) == (signed.payload, signed.envelope)


def test_profiles_of_before_the_seventh_schema_have_no_limit_of_a_day(
    site, board, open_site
) -> None:
    issue(site)
    board.update()
    downgrade(site, "0006")
    with open_site(site.path).registry.session() as session:
        [row] = session.query(Profile)
        assert (row.name, row.day_wh, row.day_min) == ("resident", 0, 0)
        assert session.query(records.KnownContent).count() == 0, "every list is longer now"


def test_limits_of_a_day_are_not_thrown_away(site) -> None:
    raw(site, "UPDATE profiles SET day_wh = 500")
    with pytest.raises(NotImplementedError):
        downgrade(site, "0006")
    raw(site, "UPDATE profiles SET day_wh = 0")
    downgrade(site, "0006")


def test_a_registry_of_a_newer_tool_is_left_alone(site, open_site) -> None:
    raw(site, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(OperatorError, match="newer tool"):
        open_site(site.path)


def test_what_was_taken_back_leaves_no_gap_in_the_numbers(site) -> None:
    """A dry run takes its rows back, and so do both kinds of registry their numbers."""
    with site.registry.writing() as session:
        last = session.scalar(select(func.max(AuditEntry.id)))
        for _ in range(2):
            with session.begin_nested() as trial:
                audit.append(session, "王芳", "dry.run")
                trial.rollback()
        for _ in range(2):
            audit.append(session, "王芳", "site.note")
        numbers = session.scalars(select(AuditEntry.id).order_by(AuditEntry.id))
        assert list(numbers)[-2:] == [last + 1, last + 2]


def test_a_file_that_is_no_registry_is_told_in_one_line(made_site, tmp_path, open_site) -> None:
    folder = shutil.copytree(made_site, tmp_path / "broken")
    (folder / "registry.sqlite").write_bytes(b"no database, whatever its name says" * 99)
    with pytest.raises(OperatorError, match="cannot be read"):
        open_site(folder)


def test_one_credential_is_live_once_whatever_the_code_does(site) -> None:
    issue(site)
    columns = [column.name for column in Card.__table__.columns]
    chosen = ", ".join({"id": "'x'", "ref": "'y'"}.get(name, name) for name in columns)
    copy = f"INSERT INTO cards ({', '.join(columns)}) SELECT {chosen} FROM cards"
    with pytest.raises(REFUSED, match="credential_index"):
        raw(site, copy)


def test_writers_wait_for_each_other(site, open_site) -> None:
    """Two tools at once: the second waits for the lock, nobody loses a change."""
    other = open_site(site.path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: act((site, other)[n % 2], n=n), range(20)))
    assert len([entry for entry in entries(site) if entry.act == "act"]) == 20
    with site.registry.session() as session:
        assert audit.first_broken(session) is None


def test_each_of_many_threads_gets_a_connection_and_a_second_one(site, board) -> None:
    """Whoever holds the lock may need another one, while all others hold theirs and wait."""
    all_there = Barrier(THREADS)

    def look(_: int) -> str:
        with site.registry.session() as session:
            assert session.query(Operator).count() == 1
            all_there.wait(60)
            found: str = site.device(board.device.name).name
        return found

    with ThreadPoolExecutor(THREADS) as pool:
        assert set(pool.map(look, range(THREADS))) == {"door-1"}


def test_a_registry_that_stays_locked_is_told_in_one_line(site, open_site, monkeypatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 10)
    other = open_site(site.path)
    with site.registry.writing() as session:
        audit.append(session, "x", "a long act")
        with pytest.raises(OperatorError, match="busy"):
            act(other)


def test_references_must_exist(site) -> None:
    with pytest.raises(IntegrityError), site.registry.writing() as session:
        session.execute(text("INSERT INTO grants (card_id, device_id) VALUES ('x', 'y')"))
