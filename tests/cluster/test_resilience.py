"""Nothing is lost and nothing is done twice: workers are killed, the database restarts, the object store refuses, all under load and with real processes."""

import os
import random
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import func, select

from phrasecheck.cluster.local import LocalExecutor
from phrasecheck.errors import StoreError
from phrasecheck.settings import Settings
from phrasecheck.store.states import CallState
from phrasecheck.store.store import Store, open_store
from phrasecheck.store.tables import ResultRow
from phrasecheck.worker import Load
from tests.cluster.object_store import object_store
from tests.stores import KINDS, Server, server
from tests.workers import SAID, load_fake, load_pausing, results, settings_at, settle, upload

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module", params=KINDS)
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(request.param, tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def url(databases: Server) -> str:
    return databases.fresh()


class Uploads(Thread):
    """Recordings that come in for as long as the test makes trouble; a store that is away is tried again, as a browser would."""

    def __init__(self, settings: Settings, number: int, pause_s: float) -> None:
        super().__init__()
        self.store, self._number, self._pause_s = open_store(settings.store), number, pause_s
        self.accepted: list[str] = []

    def run(self) -> None:
        for number in range(self._number):
            self.accepted.append(self._one(f"{number} {SAID}"))
            time.sleep(self._pause_s)

    def _one(self, words: str) -> str:
        while True:
            try:
                return upload(self.store, words, idempotency_key=words)
            except StoreError:
                time.sleep(0.2)


def running(settings: Settings, load: Load) -> LocalExecutor:
    executor = LocalExecutor(settings, load)
    executor.start()
    return executor


def exactly_one_each(store: Store, accepted: list[str]) -> bool:
    """A result for every upload, none besides, and an audit trail that holds."""
    with store.database.read() as session:
        stored = session.scalar(select(func.count()).select_from(ResultRow))
    assert len(set(accepted)) == len(accepted) == stored
    return results(store, accepted) == dict.fromkeys(accepted, 1) and store.audit.first_broken() is None


def test_thirty_kills_while_two_hundred_uploads_come_in(url: str, tmp_path: Path) -> None:
    settings = settings_at(url, tmp_path / "recordings", lease_s=1.5, max_tries=40)  # the kills are not the calls' fault
    executor, uploads = running(settings, partial(load_pausing, 0.12)), Uploads(settings, 200, 0.06)
    dice = random.Random(5)
    uploads.start()
    killed = 0
    while killed < 30:
        time.sleep(dice.uniform(0.05, 0.9))
        if pids := executor.pids:
            os.kill(dice.choice(pids), signal.SIGKILL)
            killed += 1
    uploads.join()
    counts = settle(uploads.store, 180)
    executor.stop(5)
    assert (counts[CallState.DONE], counts[CallState.FAILED]) == (200, 0)
    assert exactly_one_each(uploads.store, uploads.accepted)


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_the_database_restarts_under_load(url: str, databases: Server, tmp_path: Path) -> None:
    settings = settings_at(url, tmp_path / "recordings", lease_s=3)
    executor, uploads = running(settings, partial(load_pausing, 0.05)), Uploads(settings, 150, 0.03)
    uploads.start()
    for hard in (False, True):
        time.sleep(3)
        databases.restart(hard=hard)
    uploads.join()
    counts = settle(uploads.store, 180)
    executor.stop(5)
    assert (counts[CallState.DONE], counts[CallState.FAILED]) == (150, 0)
    assert exactly_one_each(uploads.store, uploads.accepted)


def test_the_object_store_refuses_every_tenth_request(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with object_store(monkeypatch, nth=10) as refusing:
        settings = settings_at(url, "s3://calls/recordings", lease_s=10)
        executor, uploads = running(settings, load_fake), Uploads(settings, 40, 0.0)
        uploads.start()
        uploads.join()
        counts = settle(uploads.store, 180)
        executor.stop(5)
        assert refusing.refused > 20
    assert (counts[CallState.DONE], counts[CallState.FAILED]) == (40, 0)
    assert exactly_one_each(uploads.store, uploads.accepted)
