"""The whole store in one file, and back.

In: a Store's database and recordings. Out: a tar of `about.json`, `database` (SQLite's own copy, or pg_dump's), and the recordings if they are
wanted. The one decision: restoring never replaces anything: it wants an empty database of the same kind, so neither a running desk nor a slip can
lose what is there. Both databases are copied while they are in use (SQLite's backup API, pg_dump's snapshot); the recordings after the database, so
each of its calls finds its own.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import URL

from phrasecheck import __version__
from phrasecheck.errors import InputError, StoreError
from phrasecheck.store.database import MIGRATIONS, Database, head
from phrasecheck.store.recordings import Recordings

ABOUT, DATABASE, RECORDINGS = "about.json", "database", "recordings/"
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What went over: the version of the tables, and how many recordings."""

    revision: str
    recordings: int


def backup(database: Database, recordings: Recordings | None, file: Path) -> Copied:
    """Writes `file`, whole or not at all; with `recordings` those too. Readable by its owner alone. Raises StoreError."""
    database.check()
    about = {"format": FORMAT, "kind": _kind(database), "revision": database.revision(), "software": __version__, "at": str(database.now())}
    part = file.with_name(f"{file.name}.part")
    try:
        with (
            TemporaryDirectory(prefix="phrasecheck-", dir=file.parent) as folder,
            _private(part) as stream,
            tarfile.open(fileobj=stream, mode="w") as tar,
        ):
            copy = Path(folder) / DATABASE
            (_dump_sqlite if database.is_sqlite else _dump_postgresql)(database.url, copy)
            _add(tar, ABOUT, json.dumps(about, ensure_ascii=False).encode())
            tar.add(copy, DATABASE)
            number = _add_recordings(tar, recordings) if recordings else 0
        part.replace(file)
    except OSError as error:
        raise StoreError(f"写不了备份 {file}：{error}。请检查文件夹、磁盘空间和权限") from error
    finally:
        part.unlink(missing_ok=True)
    return Copied(revision=head(), recordings=number)


def restore(database: Database, recordings: Recordings, file: Path) -> Copied:
    """Into an empty database; older tables are brought to this version. Raises InputError for a file that is no backup of ours or of newer software,
    StoreError for a database with something in it.
    """
    try:
        with tarfile.open(file) as tar:
            about = _about(tar, file)
            _check(about, database)
            with TemporaryDirectory(prefix="phrasecheck-") as folder:
                copy = Path(folder) / DATABASE
                with copy.open("wb") as target:
                    shutil.copyfileobj(_member(tar, DATABASE, file), target)
                number = _put_recordings(tar, recordings)
                (_load_sqlite if database.is_sqlite else _load_postgresql)(database.url, copy)
    except (OSError, tarfile.TarError) as error:
        raise InputError(f"读不了备份 {file}：{error}。应为 phrasecheck db backup 写的文件，请检查它是否完整") from error
    database.upgrade()
    return Copied(revision=head(), recordings=number)


def _kind(database: Database) -> str:
    return "sqlite" if database.is_sqlite else "postgresql"


@contextmanager
def _private(file: Path) -> Iterator[Any]:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, BytesIO(content))


def _about(tar: tarfile.TarFile, file: Path) -> Mapping[str, Any]:
    try:
        about = json.load(_member(tar, ABOUT, file))
    except ValueError as error:
        raise InputError(f"{file} 里的 {ABOUT} 读不懂：请检查备份是否完整") from error
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise InputError(f"{file} 应为第 {FORMAT} 版格式的备份，请用写它的那个版本的软件恢复")
    return about


def _member(tar: tarfile.TarFile, name: str, file: Path) -> Any:
    try:
        found = tar.extractfile(name)
    except KeyError:
        found = None
    if found is None:
        raise InputError(f"{file} 里应有 {name}，没有找到：应为 phrasecheck db backup 写的文件")
    return found


def _check(about: Mapping[str, Any], database: Database) -> None:
    if about["kind"] != _kind(database):
        raise InputError(f"备份来自 {about['kind']}，store.database 是 {_kind(database)}：应为同一种数据库")
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if about["revision"] not in known:
        raise InputError(f"备份的表结构是版本 {about['revision']}，本软件只认得到 {head()}：请用 {about['software']} 或更新的版本恢复")
    if not database.is_empty():
        raise StoreError("恢复只进空的数据库，这个里面已经有表了：请先停止服务，把原来的文件移开（PostgreSQL：另建一个库），再恢复")


# --- recordings ---------------------------------------------------------------------------------------------------------------------


def _add_recordings(tar: tarfile.TarFile, recordings: Recordings) -> int:
    number = 0
    for key in recordings.kept():
        with recordings.local(key) as path:
            tar.add(path, RECORDINGS + key)
        number += 1
    return number


def _put_recordings(tar: tarfile.TarFile, recordings: Recordings) -> int:
    """Each is kept under its own hash again, whatever name it has in the tar."""
    number = 0
    for entry in tar:
        stream = tar.extractfile(entry) if entry.isfile() and entry.name.startswith(RECORDINGS) else None
        if stream is None:
            continue
        if f"{RECORDINGS}{recordings.put(stream, entry.name).key}" != entry.name:
            raise InputError(f"备份里的录音 {entry.name} 与它的校验值不符：备份文件已损坏，请换一份")
        number += 1
    return number


# --- SQLite -------------------------------------------------------------------------------------------------------------------------


def _dump_sqlite(url: URL, file: Path) -> None:
    assert url.database is not None
    with closing(sqlite3.connect(url.database)) as source, closing(sqlite3.connect(file)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it


def _load_sqlite(url: URL, file: Path) -> None:
    assert url.database is not None
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(url.database)) as target:
        try:
            sound = source.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        except sqlite3.DatabaseError:
            sound = False
        if not sound:
            raise InputError("备份里的数据库已损坏：请换一份备份")
        source.backup(target)


# --- PostgreSQL ---------------------------------------------------------------------------------------------------------------------


def _dump_postgresql(url: URL, file: Path) -> None:
    _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={file}", f"--dbname={_shown(url)}")


def _load_postgresql(url: URL, file: Path) -> None:
    _run(
        "pg_restore", url, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", f"--dbname={_shown(url)}", str(file)
    )


def _run(program: str, url: URL, *arguments: str) -> None:
    """The password goes by the environment: a command line can be read by everybody on the machine."""
    secret = {} if url.password is None else {"PGPASSWORD": str(url.password)}
    try:
        subprocess.run([program, *arguments], check=True, capture_output=True, text=True, env={**os.environ, **secret})
    except FileNotFoundError as error:
        raise StoreError(f"找不到 {program}：请安装 PostgreSQL 的客户端（Debian、Ubuntu：apt-get install postgresql-client）") from error
    except subprocess.CalledProcessError as error:
        raise StoreError(f"{program} 没有成功：{error.stderr.strip()}。它的版本不能比数据库的旧，请核对") from error


def _shown(url: URL) -> str:
    return url.set(drivername="postgresql")._replace(password=None).render_as_string()
