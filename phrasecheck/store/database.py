"""One connection pool to SQLite or PostgreSQL, its two kinds of transaction, and the version of its tables.

In: a database URL. Out: sessions. The one decision: a writing transaction on SQLite takes the write lock when it begins (BEGIN IMMEDIATE), because one
that first reads and then wants to write would be refused half-way; so on SQLite writers stand in line, on PostgreSQL rows and named locks are locked.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, DataError, NoSuchModuleError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from phrasecheck.errors import InputError, StoreError
from phrasecheck.store.tables import Base

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_S = 30  # how long a writer on SQLite stands in line

Clock = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """An engine with a clock. `read` and `write` are the only ways in."""

    def __init__(self, url: str, clock: Clock = _utc_now) -> None:
        """Connects to nothing yet. Raises StoreError when the URL cannot be used."""
        self.url = _parsed(url)
        self.now = clock
        self._engine = _engine(self.url)
        self._writer = self._engine.execution_options(immediate=True)

    @property
    def is_sqlite(self) -> bool:
        """A file beside us, not a server."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing."""
        with _explained(self.url), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """All or nothing: committed at the end, undone when an exception leaves."""
        with _explained(self.url), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def alone(self, session: Session, what: str) -> None:
        """Nobody else is in the part named `what` until this transaction ends. On SQLite a writer is alone anyway."""
        if not self.is_sqlite:
            session.execute(select(text("pg_advisory_xact_lock(hashtext(:what))")), {"what": what})

    def prepare(self) -> None:
        """Make the tables of an empty database, and see that the others are of this version. Raises StoreError."""
        if self.is_empty():  # nothing in it that could be lost
            self.upgrade()
        self.check()

    def is_empty(self) -> bool:
        """No tables in it, ours or others'."""
        with _explained(self.url), self._engine.connect() as connection:
            return not inspect(connection).get_table_names()

    def upgrade(self) -> None:
        """Bring the tables to this version; does nothing when they are. Two at once wait for each other. Raises StoreError."""
        with self.write() as session:
            self.alone(session, "migrations")
            config = Config(attributes={"connection": session.connection()})
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            command.upgrade(config, "head")

    def check(self) -> None:
        """Raises StoreError unless the tables are of this version."""
        found, expected = self.revision(), head()
        if found != expected:
            raise StoreError(
                f"数据库 {_shown(self.url)} 的表结构应为版本 {expected}，现为 {found or '（空）'}：请先备份，再运行 phrasecheck db upgrade"
            )

    def revision(self) -> str | None:
        """The version of the tables; None for an empty database."""
        with _explained(self.url), self._engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def differences(self) -> list[Any]:
        """What the tables there and those of tables.py do not agree on (Alembic's words)."""
        from alembic.autogenerate import compare_metadata

        with self._engine.connect() as connection:
            return list(compare_metadata(MigrationContext.configure(connection, opts={"include_name": _ours}), Base.metadata))

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


def head() -> str:
    """The version of the tables that this software needs."""
    revision = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert revision is not None
    return revision


def _ours(name: str | None, kind: str, _: object) -> bool:
    """Not the index of what was said, which is of another kind on each database."""
    return name is None or not name.startswith("said_sound")


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"store.database 应为 sqlite:///文件 或 postgresql://用户:密码@主机/库名，收到「{url}」") from error
    if parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        return parsed.set(database=str(Path(parsed.database).expanduser()))
    return parsed


def _engine(url: URL) -> Engine:
    try:
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True)  # a server that was restarted is met again, not reported
        if not url.database or url.database == ":memory:":
            raise StoreError("store.database 应指明一个文件，如 sqlite:///数据/phrasecheck.db：内存里的数据库随进程消失")
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_S, "isolation_level": None})
    except (NoSuchModuleError, ImportError, OSError) as error:
        raise StoreError(f"用不了数据库 {_shown(url)}：{error}。应为 sqlite:/// 或 postgresql://，后者要先装 phrasecheck[serve]") from error
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: sqlite3.Connection, _: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Python's own transactions begin too late, and never for reading."""
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)


@contextmanager
def _explained(url: URL) -> Iterator[None]:
    """A database that is not there, or whose tables are not, in the user's words."""
    try:
        yield
    except (OverflowError, DataError) as error:  # a number beyond 64 bits, a zero byte: somebody's input, whichever route let it through
        raise InputError("请求里有数据库放不下的值（过大的数，或空字节）：请检查编号和文字") from error
    except (OperationalError, ProgrammingError) as error:
        raise StoreError(
            f"数据库 {_shown(url)} 出错：{error.orig}。请确认它在运行、磁盘未满，表结构可用 phrasecheck db check 核对"
        ) from error
