"""A registry on a PostgreSQL server: its address, its schema, what goes wrong with it (host)."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import InternalError

from controller_tool import cli, messages
from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase as passphrases
from controller_tool.registry import database, postgresql
from controller_tool.registry.bulk import insert_rows
from controller_tool.registry.database import Registry
from controller_tool.registry.models import Card, Setting
from controller_tool.registry.records import JournalRecord, KnownContent
from controller_tool.services import export, journal_index, site_file, site_init
from tests.postgresql_server import GUARDED, GUARDED_PASSWORD
from tests.unit.raw_registry import raw
from tests.unit.registry_support import PASSPHRASE, Board
from tests.unit.test_cards import issue

CUT = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
HOST = "postgresql://clerk@db.example/controllers"


@pytest.fixture
def server_site(on_server, open_site, tmp_path):
    """A site on the server, whatever the options of the run say."""
    return open_site(on_server(tmp_path / "served"))


def refused(url: str, **words: Any) -> OperatorError:
    with pytest.raises(OperatorError) as told:
        Registry(url, **words).close()
    assert len(str(told.value).splitlines()) == 1
    assert told.value.next_step
    return told.value


# --- its address ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["x", "", "sqlite:///x", "mysql://u@h/d", "postgresql://u@h", "postgresql://u@h:port/d",
     "postgresql+other://u@h/d"],
)  # fmt: skip
def test_what_is_no_address_of_a_database_is_refused(url) -> None:
    with pytest.raises(OperatorError, match="no address of a PostgreSQL database"):
        postgresql.checked(url)


@pytest.mark.parametrize("url", ["postgresql://u:secret@localhost/d",
                                 "postgresql://u@localhost/d?password=secret"])  # fmt: skip
def test_a_password_never_comes_into_the_folder(url) -> None:
    with pytest.raises(OperatorError, match="password must not stand") as told:
        postgresql.checked(url)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("more", ["", "?host=db.example", "?host=/run/pg&host=db.example"])
def test_a_server_elsewhere_has_to_be_proven_or_said_not_to_be(more, monkeypatch) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    monkeypatch.delenv("PGHOST", raising=False)
    url = f"postgresql:///controllers{more}" if more else HOST
    with pytest.raises(OperatorError, match="how its server is proven"):
        postgresql.checked(url)
    assert postgresql.checked(f"{url}{'&' if more else '?'}sslmode=verify-full")
    monkeypatch.setenv("PGSSLMODE", "require")
    assert postgresql.checked(url)


@pytest.mark.parametrize(
    "url", ["postgresql:///d", "postgresql://u@localhost:5433/d", "postgresql://u@[::1]/d",
            "postgresql:///d?host=/run/postgresql"])  # fmt: skip
def test_a_server_on_this_machine_needs_no_proof(url, monkeypatch) -> None:
    monkeypatch.delenv("PGHOST", raising=False)
    assert postgresql.checked(url).drivername == "postgresql+psycopg"


def test_a_missing_driver_is_told_in_two_lines(monkeypatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("psycopg"):
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    told = refused("postgresql:///d")
    assert told.what == "The driver for PostgreSQL is not installed here"
    assert told.next_step == "Install it: pip install 'controller-tool[postgresql]'"


# --- site init and export -------------------------------------------------------------------------


def test_site_init_takes_an_address_and_keeps_it(postgresql, tmp_path, monkeypatch, capsys) -> None:
    url = postgresql.url(postgresql.database())
    monkeypatch.setenv(passphrases.VARIABLE, PASSPHRASE)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    folder = tmp_path / "office"
    words = ["site", "init", "5号楼", "--site", str(folder), "--registry", url]
    assert cli.run(words) == 0
    assert url in capsys.readouterr().out
    assert site_file.read(folder).registry == url
    assert not list(folder.glob("registry.sqlite*"))
    assert cli.run([*words[:4], str(tmp_path / "again"), *words[5:]]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"The database {make_url(url).database} holds tables already",
        "  Name an empty database, or empty it first",
    ]
    assert not (tmp_path / "again").exists()
    monkeypatch.undo()
    messages.set_language(None)


def test_a_folder_for_a_role_has_a_file_of_its_own(server_site, tmp_path, open_site) -> None:
    issue(server_site)
    made = export.export(server_site, "desk", tmp_path / "desk", "of the exported folder")
    desk = open_site(made.folder, "of the exported folder")
    assert desk.facts.registry == ""
    assert (made.folder / "registry.sqlite").is_file()
    with desk.registry.session() as session:
        assert session.query(Card).count() == 1


def test_two_that_make_a_registry_at_once_make_one(postgresql) -> None:
    url = postgresql.url(postgresql.database())
    first = Registry(url, new=True)
    told = refused(url, new=True)
    first.close()
    assert "holds tables already" in told.what


def test_an_empty_database_is_not_taken_for_nothing_issued(postgresql) -> None:
    told = refused(postgresql.url(postgresql.database()))
    assert "holds no registry" in told.what


# --- what goes wrong with a server ----------------------------------------------------------------


def test_a_server_that_is_down_is_told_in_two_lines(tmp_path) -> None:
    told = refused(f"postgresql://clerk@/d?host={tmp_path}")
    assert told.what.startswith("The registry's server cannot be used")
    with pytest.raises(OperatorError, match="cannot be used"):
        site_init.init(
            tmp_path / "x", site_init.Wish("a", "b", registry=f"postgresql:///d?host={tmp_path}"),
            PASSPHRASE,
        )  # fmt: skip
    assert not (tmp_path / "x").exists()


def test_a_wrong_password_is_told_and_a_right_one_comes_from_outside(
    server_site, monkeypatch, postgresql, tmp_path
) -> None:
    name = str(make_url(server_site.facts.registry).database)
    url = postgresql.url(name, GUARDED)
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    assert "cannot be used" in refused(url).what
    monkeypatch.setenv("PGPASSWORD", "wrong")
    told = refused(url)
    assert "cannot be used" in told.what
    assert "wrong" not in str(told)
    monkeypatch.setenv("PGPASSWORD", GUARDED_PASSWORD)
    Registry(url).close()
    monkeypatch.delenv("PGPASSWORD")
    (tmp_path / "pgpass").write_text(f"*:*:*:{GUARDED}:{GUARDED_PASSWORD}\n")
    (tmp_path / "pgpass").chmod(0o600)
    Registry(url).close()


def test_a_connection_that_is_cut_is_told_and_the_next_one_works(server_site) -> None:

    def half_done() -> None:
        with server_site.registry.writing() as session:
            session.add(Setting(name="half", value="done"))
            session.flush()
            raw(server_site, CUT)
            session.add(Setting(name="other half", value="done"))

    with pytest.raises(OperatorError) as told:
        half_done()
    assert told.value.what == "The connection to the registry's server was lost"
    with server_site.registry.session() as session:
        assert session.get(Setting, "half") is None
    raw(server_site, CUT)
    issue(server_site)


def test_a_full_disk_of_the_server_says_so(server_site) -> None:
    raw(server_site, "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON cards EXECUTE FUNCTION full_disk()")  # fmt: skip
    with pytest.raises(OperatorError, match="No space left for the registry"):
        issue(server_site)


@pytest.mark.parametrize("value", ["nul \0", "x" * 65])
def test_text_that_the_server_does_not_keep_is_refused(server_site, value) -> None:
    with (
        pytest.raises(OperatorError, match="cannot keep what was given"),
        server_site.registry.writing() as session,
    ):
        session.add(Setting(name=value, value="x"))


def test_a_user_without_rights_is_told_so(server_site, postgresql) -> None:
    name = str(make_url(server_site.facts.registry).database)
    postgresql.run("DROP ROLE IF EXISTS reader")
    postgresql.run("CREATE ROLE reader LOGIN")
    postgresql.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", name)
    registry = Registry(postgresql.url(name, "reader"))
    with pytest.raises(OperatorError, match="does not allow this"), registry.writing() as session:
        session.add(Setting(name="a", value="b"))
    registry.close()
    postgresql.run("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM reader", name)
    postgresql.run("DROP ROLE reader", name)


# --- its schema -----------------------------------------------------------------------------------


def test_every_number_has_64_bits_and_every_text_is_sorted_by_its_bytes(server_site) -> None:
    with server_site.registry.session() as session:
        odd = session.execute(
            text("""
            SELECT table_name, column_name, data_type, collation_name
            FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name <> 'alembic_version' AND (
                data_type IN ('integer', 'smallint', 'numeric')
                OR data_type IN ('character varying', 'text') AND collation_name <> 'C'
                OR data_type IN ('character varying', 'text') AND collation_name IS NULL)""")
        ).all()
    assert odd == [], "make the column within alembic's operations, or with columns.text_form"


def test_a_reader_cannot_write(server_site) -> None:
    with server_site.registry.session() as session:
        session.add(Setting(name="a", value="b"))
        with pytest.raises(InternalError, match="read-only transaction"):
            session.flush()


def test_the_lock_is_one_whatever_way_leads_to_the_tables(server_site, monkeypatch) -> None:
    """A schema of the user's own that is looked at first changes nothing."""
    raw(server_site, "CREATE SCHEMA mine")
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 10)
    other = Registry(f"{server_site.facts.registry}&options=-csearch_path%3Dmine,public")
    with server_site.registry.writing() as session:
        assert session.get(Setting, "refresh_h")
        with pytest.raises(OperatorError, match="busy"), other.writing() as waiting:
            waiting.get(Setting, "refresh_h")
    other.close()


def test_many_rows_are_inserted_as_they_are(server_site) -> None:
    device_id = Board(server_site, "door-1").device.id
    rows = [(device_id, 0, seq, 1 << 31, bytes((seq % 256, 0, 39)), 5) for seq in range(12_000)]
    columns = ("device_id", "ring", "seq", "boot", "record", "pulled_at_s")
    with server_site.registry.writing() as session:
        insert_rows(session, JournalRecord, columns, rows)
    with server_site.registry.session() as session:
        held = session.query(JournalRecord).order_by(JournalRecord.seq)
        assert [tuple(getattr(row, name) for name in columns) for row in held] == rows
    with (
        pytest.raises(OperatorError, match="cannot keep"),
        server_site.registry.writing() as session,
    ):
        insert_rows(session, Setting, ("name", "value"), [("x" * 65, "y")])


def test_what_was_known_of_a_list_is_forgotten_when_a_card_changes(server_site) -> None:
    board = Board(server_site, "door-1")
    issue(server_site)
    board.update()
    with server_site.registry.session() as session:
        assert session.query(KnownContent).count() == 1
    raw(server_site, "UPDATE cards SET flags = flags")
    with server_site.registry.session() as session:
        assert session.query(KnownContent).count() == 0


def test_an_index_whose_rows_stand_for_others_is_made_anew(server_site) -> None:
    """As many rows as records, of other records: their sums tell."""
    board = Board(server_site, "door-1")
    pen = board.pen(0)
    records = [(board.device.id, 0, seq, 1, pen.write(), 5) for seq in range(8)]
    columns = ("device_id", "ring", "seq", "boot", "record", "pulled_at_s")
    with server_site.registry.writing() as session:
        insert_rows(session, JournalRecord, columns, records)
    journal_index.ensure(server_site, server_site.devices())
    raw(server_site, "DROP TRIGGER journal_records_no_delete",
        "DELETE FROM journal_records WHERE seq = 2",
        "DELETE FROM journal_index WHERE id & 15 = 4")  # fmt: skip
    server_site.registry.close()
    journal_index.ensure(server_site, server_site.devices())
    with server_site.registry.session() as session:
        held = set(session.scalars(text("SELECT id & 15 FROM journal_index")))
        assert 4 in held


def test_the_server_of_the_tests_is_a_real_one(postgresql) -> None:
    [(version,)] = postgresql.run("SELECT version()")
    assert version.startswith("PostgreSQL ")
