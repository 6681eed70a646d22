"""An office for each test, with a database of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from phrasecheck.service.app import create_app
from phrasecheck.service.switchboard import Switchboard
from phrasecheck.settings import Settings, StoreSettings
from phrasecheck.store.store import open_store
from tests.live.fakes import Sayer
from tests.service.desks import Client, Office
from tests.service.lines import Phone, equip, served, token
from tests.stores import Server, server


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server("sqlite", tmp_path_factory.mktemp("sqlite")) as running:
        yield running


@pytest.fixture
def settings(sqlite: Server, tmp_path: Path) -> Settings:
    return Settings(store=StoreSettings(database=sqlite.fresh(), recordings=str(tmp_path / "recordings")))


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    store = open_store(settings.store)
    yield Office(create_app(settings, store), store)
    store.close()


@pytest.fixture
def anonymous(office: Office) -> Client:
    return office.anonymous()


@pytest.fixture
def sayer() -> Sayer:
    return Sayer()


@pytest.fixture
def board(office: Office, sayer: Sayer) -> Switchboard:
    return equip(office, sayer)


@pytest.fixture
def phone(office: Office, board: Switchboard) -> Iterator[Phone]:
    with served(office) as place:
        yield Phone(place, token(office))
