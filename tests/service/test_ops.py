"""Alive, ready, numbers; and that workers begin and end with the application."""

from collections.abc import Mapping
from io import BytesIO

import pytest
from starlette.testclient import TestClient

from phrasecheck.cluster import Progress
from phrasecheck.service.app import create_app
from phrasecheck.settings import Settings
from phrasecheck.store.calls import NewCall
from phrasecheck.store.states import CallState, Permission
from phrasecheck.types import Role
from tests.service.desks import Client, Office


class Workers:
    """An executor that notes what it is told."""

    def __init__(self, alive: int) -> None:
        self.number, self.told = alive, list[str]()

    def start(self) -> None:
        self.told.append("start")

    def submit(self, call_id: str) -> None:
        self.told.append(call_id)

    def alive(self) -> int:
        return self.number

    def progress(self) -> Progress:
        counts: Mapping[CallState, int] = dict.fromkeys(CallState, 0)
        return Progress(calls=counts, workers=self.number)

    def cancel(self, call_id: str, actor: str) -> None:
        self.told.append(f"cancel {call_id}")

    def stop(self, wait_s: float = 30.0) -> None:
        self.told.append("stop")


def metric(text: str, name: str) -> float:
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(line.rpartition(" ")[2])


def test_workers_begin_and_end_with_the_application(office: Office, settings: Settings) -> None:
    workers = Workers(2)
    with TestClient(create_app(settings, office.store, workers)) as client:
        assert workers.told == ["start"]
        assert client.get("/readyz").json()["workers"] == "ok"
    assert workers.told == ["start", "stop"]
    assert office.store.calls.counts()  # a store that was handed in stays open


def test_without_the_workers_that_were_asked_for_it_is_not_ready(office: Office, settings: Settings) -> None:
    answered = TestClient(create_app(settings, office.store, Workers(0))).get("/readyz")
    assert (answered.status_code, answered.json()["workers"]) == (503, "failing")


def test_a_folder_that_cannot_be_written_is_not_ready(anonymous: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem._open", full)
    assert anonymous.get("/readyz").json() == {"status": "failing", "database": "ok", "recordings": "failing", "workers": "none"}


def test_the_numbers(office: Office) -> None:
    program = office.program(office.user(Permission.ADMIN), ["metrics"])
    for number in range(3):
        office.store.calls.accept(BytesIO(str(number).encode()), NewCall(source="a.wav", role=Role.SALES))
    claim = office.store.calls.claim()
    assert claim is not None
    office.store.calls.fail(claim, "坏了", again=False)
    program.get("/no-such-page/x1")
    program.get("/api/v1/me")
    text = program.get("/metrics").text
    assert metric(text, 'phrasecheck_calls{state="queued"}') == 2
    assert metric(text, 'phrasecheck_calls{state="failed"}') == 1
    assert metric(text, 'phrasecheck_requests_total{method="GET",route="-",status="404"}') == 1  # a visitor's own words are no label
    assert metric(text, 'phrasecheck_requests_total{method="GET",route="/api/v1/me",status="403"}') == 1
    assert metric(text, 'phrasecheck_request_seconds_count{route="/api/v1/me"}') == 1
    assert "x1" not in text


def test_the_interface_describes_itself(office: Office) -> None:
    document = office.program(office.user(Permission.AGENT), ["read"]).get("/api/v1/openapi.json").json()
    assert "/api/v1/me" in document["paths"]
    assert "/users" not in document["paths"]  # pages are no interface
