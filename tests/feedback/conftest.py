"""The made-up month in a store, once for all tests."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from phrasecheck.feedback.make import Maker
from phrasecheck.feedback.period import Period
from phrasecheck.handout import maker
from phrasecheck.settings import Settings, StoreSettings
from phrasecheck.store.store import Store, open_store
from tests import month

OCTOBER = Period(first=date(2026, 10, 1), last=date(2026, 10, 31))


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("month")
    opened = open_store(StoreSettings(database=f"sqlite:///{folder}/month.db", recordings=str(folder / "recordings")))
    month.pour(opened, month.plan())
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def with_(store: Store) -> Maker:
    return maker(store.moments, month.lexicon(), Settings())


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same month as a folder of result files, without anybody's verdicts."""
    import json

    from phrasecheck.report.json import to_json

    folder = tmp_path_factory.mktemp("results")
    for call in month.plan():
        (folder / f"call-{call.number:03d}.json").write_text(json.dumps(to_json(month.result(call)), ensure_ascii=False), encoding="utf-8")
    return folder
