"""The interface as its OpenAPI document describes it, asked what nobody would ask: no answer is a server error (Schemathesis).

Random requests of a seed that is always the same, few of each operation, by a program of the QA lead; there is one call with a result, so that ids
exist.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests  # comes with Schemathesis
import schemathesis
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

from phrasecheck.store.states import Permission
from tests.service.desks import Client, Office
from tests.service.senders import PARTS, post, sound
from tests.workers import result_of

EXAMPLES = 12  # of each operation
STREAMS = re.compile(r"/events$")  # these go on until the reader hangs up


@schemathesis.serializer(PARTS)
def as_it_is(context: Any, value: Any) -> bytes:
    """Parts of uploads are bytes."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture
def lead(office: Office) -> Iterator[Client]:
    """A program of the QA lead with every scope, and a call that is done."""
    user = office.user(Permission.LEAD)
    program = office.program(user, ["read", "upload", "review", "live"])
    post(program, "a.wav", sound(1))
    claim = office.store.calls.claim()
    assert claim is not None
    office.store.results.finish(claim, result_of("你问我我问谁"))
    yield program


def operations(office: Office) -> list[Any]:
    document = schemathesis.openapi.from_dict(office.app.openapi())
    found: list[Any] = [result.ok() for result in document.get_all_operations()]  # type: ignore[union-attr]  # the document is our own
    return [operation for operation in found if not STREAMS.search(operation.path)]


def test_the_document_is_whole_and_names_no_page(office: Office) -> None:
    names = {operation.path for operation in operations(office)}
    assert "/api/v1/calls" in names
    assert {name for name in names if not name.startswith("/api/v1/")} <= {"/healthz", "/readyz", "/metrics"}


def test_no_request_is_a_server_error(office: Office, lead: Client) -> None:
    (call,) = lead.get("/api/v1/calls").json()["calls"]
    seen = {operation.label: statuses(lead, operation, call["id"]) for operation in operations(office)}
    assert {label: found for label, found in seen.items() if max(found, default=0) >= 500 and label != "GET /readyz"} == {}
    assert {label for label, found in seen.items() if found & {401, 403}} <= {"GET /metrics"}  # the others were let in
    assert 200 in seen["GET /api/v1/calls/{call_id}/result"]


def statuses(client: Client, operation: Any, call_id: str) -> set[int]:
    """What an operation answers to EXAMPLES requests that fit its description."""
    seen: set[int] = set()

    @seed(20261102)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(), known=st.booleans())
    def ask(case: Any, known: bool) -> None:
        if known and "call_id" in (case.path_parameters or {}):
            case.path_parameters["call_id"] = call_id
        answer = send(client, case.as_transport_kwargs(base_url="http://testserver"))
        seen.add(answer.status_code)
        note(f"{case.method} {case.path}: {answer.text[:300]}")

    ask()
    return seen


def send(client: Client, sent: dict[str, Any]) -> Any:
    """What Schemathesis would send by requests, by the test client and with its own token."""
    parts = {
        name: sent[name]
        for name in ("method", "url", "headers", "params", "json", "data", "files", "cookies")
        if sent.get(name) is not None
    }
    made = requests.Request(**parts).prepare()
    headers = {name: value for name, value in made.headers.items() if name.lower() not in {"authorization", "host", "content-length"}}
    return client.request(str(made.method), made.url, headers=headers, content=made.body)
