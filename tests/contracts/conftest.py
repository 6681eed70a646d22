"""Every test of the store runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from phrasecheck.store.store import Store
from tests.stores import KINDS, Clock, Server, server, store_at


@pytest.fixture(scope="session", params=KINDS)
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(request.param, tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def url(databases: Server) -> str:
    return databases.fresh()


@pytest.fixture
def store(url: str, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = store_at(url, tmp_path, clock, lease_s=60, max_tries=3)
    yield opened
    opened.close()
