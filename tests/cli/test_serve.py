"""phrasecheck serve as a process of its own: it needs no set-up, says where to go, and stops in good order."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from phrasecheck.cli import cli
from phrasecheck.errors import InputError, StoreError
from phrasecheck.store.database import Database


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHRASECHECK_STORE__DATABASE", f"sqlite:///{tmp_path}/desk.db")
    monkeypatch.setenv("PHRASECHECK_STORE__RECORDINGS", str(tmp_path / "recordings"))


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The process, and what it said first: the address, and the link if there is one."""
    command = [sys.executable, "-c", "from phrasecheck.cli import main; main()", "serve", "--workers", "0", "--port", "0"]
    with (folder / "log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(3)]
    try:
        yield process, said
    finally:
        process.kill()
        process.wait(30)


def test_from_nothing_to_a_page_and_a_good_end(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, said):
        address, link = (re.search(r"http://[\w.:/-]+", said[line]) for line in (0, 2))
        assert address, said
        assert link, said
        assert httpx.get(address.group() + "readyz", timeout=30).json()["status"] == "ok"
        page = httpx.get(link.group(), headers={"accept": "text/html"}, timeout=30)
        assert "创建首位管理员" in page.text
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in {0, -signal.SIGTERM}
    assert '"route": "/welcome/{link}"' in (tmp_path / "log").read_text(encoding="utf-8")
    assert link.group().rpartition("/")[2] not in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = CliRunner().invoke(cli, ["serve", "--workers", "0", "--port", str(taken.getsockname()[1])])
    assert isinstance(ended.exception, InputError)
    assert "--port" in str(ended.exception)


def test_a_database_of_another_version_is_not_touched(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/desk.db")
    database.upgrade()
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    ended = CliRunner().invoke(cli, ["serve", "--workers", "0", "--port", "0"])
    assert isinstance(ended.exception, StoreError)
    assert "phrasecheck db upgrade" in str(ended.exception)
    assert database.revision() == "0001"
