"""phrasecheck audit verify, phrasecheck db backup|restore."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from phrasecheck.cli import cli
from phrasecheck.errors import InputError, StoreError
from phrasecheck.store.audit import Audit
from phrasecheck.store.database import Database


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("PHRASECHECK_STORE__RECORDINGS", str(tmp_path / "recordings"))
    return opened(tmp_path / "desk.db", monkeypatch)


def opened(file: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("PHRASECHECK_STORE__DATABASE", f"sqlite:///{file}")
    return Database(f"sqlite:///{file}")


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, list(args))


def test_verify_says_how_far_the_trail_goes(database: Database) -> None:
    database.prepare()
    assert "共到第 0 条" in run("audit", "verify").output
    Audit(database).note("小王", "list.export", "list:1")
    digest = Audit(database).last_digest()
    Audit(database).note("小王", "list.export", "list:2")
    told = run("audit", "verify", "--noted", digest)
    assert "共到第 2 条" in told.output
    assert Audit(database).last_digest() in told.output


def test_verify_finds_what_was_cut_off_and_what_was_changed(database: Database) -> None:
    database.prepare()
    for number in range(3):
        Audit(database).note("小王", "list.export", f"list:{number}")
    digest = Audit(database).last_digest()
    with database.write() as session:
        for name in session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(text("DELETE FROM audit WHERE id = 3"))
    assert run("audit", "verify").exit_code == 0  # not to be seen from inside
    assert "截掉" in str(run("audit", "verify", "--noted", digest).exception)
    with database.write() as session:
        session.execute(text("UPDATE audit SET subject = 'list:9' WHERE id = 2"))
    broken = run("audit", "verify").exception
    assert isinstance(broken, InputError)
    assert "第 2 条" in str(broken)


def test_backup_and_restore(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database.prepare()
    Audit(database).note("小王", "list.export", "list:1")
    file = tmp_path / "备份.tar"
    assert "备份写好了" in run("db", "backup", str(file)).output
    assert isinstance(run("db", "backup", str(file)).exception, InputError)  # never over an old one
    assert isinstance(run("db", "restore", str(file)).exception, StoreError)  # nor into what is in use
    other = opened(tmp_path / "other.db", monkeypatch)
    assert "恢复好了" in run("db", "restore", str(file)).output
    assert Audit(other).last_digest() == Audit(database).last_digest()
