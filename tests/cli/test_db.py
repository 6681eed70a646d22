"""phrasecheck db."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from phrasecheck.cli import cli
from phrasecheck.errors import InputError, StoreError
from phrasecheck.store.audit import Audit
from phrasecheck.store.database import Database, head


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/数据/desk.db"
    monkeypatch.setenv("PHRASECHECK_STORE__DATABASE", url)
    return url


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["db", *args])


def test_upgrade_makes_the_tables_and_says_so(url: str) -> None:
    assert run("upgrade").output == f"表结构：空 → {head()}\n"
    assert run("upgrade").output == f"表结构已是版本 {head()}\n"
    assert run("check").exit_code == 0


def test_check_asks_for_the_upgrade(url: str) -> None:
    assert isinstance(run("check").exception, StoreError)


def test_check_finds_a_changed_audit_trail(url: str) -> None:
    run("upgrade")
    database = Database(url)
    Audit(database).note("小王", "list.export", "list:1")
    assert Audit(database).last_digest() in run("check").output
    with database.write() as session:
        session.execute(text("DROP TRIGGER audit_no_update"))
        session.execute(text("UPDATE audit SET actor = '别人'"))
    ended = run("check")
    assert isinstance(ended.exception, InputError)
    assert "第 1 条" in str(ended.exception)


def test_the_database_may_stand_in_a_settings_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(f"store:\n  database: sqlite:///{tmp_path}/other.db\n", encoding="utf-8")
    assert run("upgrade", "--settings", str(file)).exit_code == 0
    assert (tmp_path / "other.db").exists()
