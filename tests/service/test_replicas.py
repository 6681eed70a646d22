"""The service as two replicas of Ray Serve, in processes of their own: pages from any, a line that dropped back at its own."""

import json
import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from phrasecheck.live.client import SESSION
from phrasecheck.service.access import Scope
from phrasecheck.settings import ClusterSettings, LiveSettings, ServiceSettings, Settings, StoreSettings
from phrasecheck.store.accounts import NewUser
from phrasecheck.store.states import Permission
from phrasecheck.store.store import open_store
from phrasecheck.store.tables import TokenKind
from tests.cluster.rays import ray_cluster

pytestmark = [pytest.mark.processes, pytest.mark.model]

SECOND = bytes(2 * 16_000)


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """Two replicas over one database: host and port, and a token."""
    from phrasecheck.cluster.replicas import replicas
    from phrasecheck.service.app import create_app

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = StoreSettings(database=f"sqlite:///{folder}/desk.db", recordings=f"{folder}/recordings")
    store = open_store(kept)
    owner = store.accounts.invite(NewUser(name="bench", permission=Permission.ADMIN), "bench")[0]
    token = store.accounts.issue(TokenKind.API, owner.id, timedelta(days=1), "bench", [Scope.LIVE, Scope.METRICS])
    store.close()
    with ray_cluster(3) as cluster:
        settings = Settings(
            store=kept,
            service=ServiceSettings(port=port),
            live=LiveSettings(spool=folder / "spool", return_s=300),
            cluster=ClusterSettings(address=cluster.address),
        )
        with replicas(settings, 2, create_app):
            yield f"127.0.0.1:{port}", token


def get(place: str, path: str, **headers: str) -> str:
    with urlopen(Request(f"http://{place}{path}", headers=headers)) as answer:
        text: str = answer.read().decode()
        return text


def test_a_line_that_dropped_comes_back_to_its_replica(tmp_path: Path) -> None:
    with served(tmp_path) as (place, token):
        assert 'name="password"' in get(place, "/sign-in")
        bearer = {"Authorization": f"Bearer {token}"}
        calls = [f"call-{number}" for number in range(6)]
        events = {call: spoken(place, bearer, call) for call in calls}
        assert all(told[0]["type"] == "started" for told in events.values())
        held = {call: lines(get(place, "/metrics", **bearer, **{SESSION: call})) for call in calls}
        back = {call: spoken(place, bearer, call, after=told[-1]["seq"]) for call, told in events.items()}
        assert all("resumed" in [event["type"] for event in told] for told in back.values())
        # each call was asked where its line is: so many of them are there as that replica holds
        assert all(number % each == 0 for each, number in Counter(held.values()).items())
        assert sum(number // each for each, number in Counter(held.values()).items()) == 2


def lines(metrics: str) -> int:
    """Calls that a replica holds."""
    found = re.search(r"^phrasecheck_live_lines (\S+)", metrics, re.MULTILINE)
    assert found
    return int(float(found[1]))


def spoken(place: str, bearer: dict[str, str], call: str, after: int | None = None) -> list[dict[str, Any]]:
    """A second of a call, then the line drops: what was told till then."""
    from websockets.sync.client import connect

    told = []
    with connect(f"ws://{place}/api/v1/live", additional_headers={**bearer, SESSION: call}, open_timeout=120) as line:
        line.send(json.dumps({"type": "start", "call": call, "rate": 16_000, "channels": ["agent"], **({"after": after} if after else {})}))
        told.append(json.loads(line.recv(timeout=120)))
        assert told[0]["type"] != "error", told
        line.send(SECOND)
        while after and told[-1]["type"] != "resumed":
            told.append(json.loads(line.recv(timeout=60)))
    return told
