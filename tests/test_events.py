"""Events and their JSON form, held to docs/live-events.schema.json."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from phrasecheck.events import (
    KINDS,
    Alert,
    Cause,
    Ended,
    Event,
    Overloaded,
    Partial,
    Problem,
    Resumed,
    Retracted,
    Started,
    Uttered,
    from_json,
    to_json,
)
from phrasecheck.types import Role, Severity, Speaker

SCHEMA = json.loads((Path(__file__).resolve().parent.parent / "docs" / "live-events.schema.json").read_text(encoding="utf-8"))
PLACE: dict[str, Any] = {"call": "c", "seq": 1, "at": 2.5}
HEARD: dict[str, Any] = {"channel": 0, "speaker": Speaker.AGENT, "start": 0.5, "end": 2.0, "text": "您好"}
EVENTS: list[Event] = [
    Started(**PLACE, role=Role.SURVEY, channels=(Speaker.AGENT, Speaker.UNSURE), encoding="ulaw", rate=8000, door="own", agent="1024"),
    Uttered(**PLACE, **HEARD, id="u0-0001", confidence=0.9, alerts=(3, 4)),
    Partial(**PLACE, **HEARD),
    Alert(
        **PLACE,
        utterance="u0-0001",
        channel=0,
        phrase="9.1.01",
        title="t",
        severity=Severity.SEVERE,
        score=0.9,
        quote="q",
        start=0.5,
        end=1.0,
        reason="r",
        instead="i",
        partial=True,
        sure=False,
    ),
    Retracted(**PLACE, alert=3, text="t"),
    Overloaded(**PLACE, delay=2.0),
    Resumed(**PLACE, line=True),
    Problem(**PLACE, cause=Cause.GAP, text="t"),
    Ended(**PLACE, cause=Cause.LOST, raised=2, check=None),
]


def test_every_kind_is_here_and_in_the_schema() -> None:
    assert {event.type for event in EVENTS} == set(KINDS) == {ref["$ref"].rpartition("/")[2] for ref in SCHEMA["oneOf"]}
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_an_event_survives_the_wire_and_is_what_the_schema_says(event: Event) -> None:
    data = json.loads(json.dumps(to_json(event)))
    Draft202012Validator(SCHEMA).validate(data)
    assert from_json(data) == event
    assert set(SCHEMA["$defs"][event.type]["required"]) == {"type", *(field.name for field in fields(event))}
    assert not Draft202012Validator(SCHEMA).is_valid({**data, "more": 1})
    assert not Draft202012Validator(SCHEMA).is_valid({name: value for name, value in data.items() if name != "seq"})


def test_what_a_newer_server_adds_is_read_past() -> None:
    assert from_json({**to_json(EVENTS[0]), "new": 1}) == replace(EVENTS[0])


def test_what_is_no_event_is_an_error() -> None:
    with pytest.raises(KeyError):
        from_json({"type": "dance"})
