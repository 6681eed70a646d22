"""The result file, its schema and the core values hold together."""

import copy
import json
from collections.abc import Iterator
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from phrasecheck import types
from phrasecheck.errors import InputError
from phrasecheck.report.json import from_json, to_json
from tests.report.samples import call_result

SCHEMA: dict[str, Any] = json.loads(Path("docs/result.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_a_result_is_valid_and_comes_back_the_same() -> None:
    stored = json.loads(json.dumps(to_json(call_result()), ensure_ascii=False))
    VALIDATOR.validate(stored)
    assert from_json(stored) == call_result()
    assert to_json(from_json(stored)) == stored


def test_design_section_4_is_all_there() -> None:
    stored = to_json(call_result())
    assert {"schema_version", "call", "models", "lexicon", "utterances", "hits", "scorecards"} <= stored.keys()
    assert {"id", "start", "end", "channel", "speaker", "role", "text", "words", "confidence"} <= stored["utterances"][0].keys()
    hit_keys = {"utterance_id", "phrase_id", "score", "state", "start", "end", "start_s", "end_s", "quote", "methods", "reason"}
    assert hit_keys <= stored["hits"][0].keys()
    assert stored["hits"][4]["state"] == "doubtful"
    assert stored["scorecards"][0]["points"] == 60
    assert stored["warnings"] == ["右声道音量偏低"]


def test_numbers_are_short() -> None:
    result = call_result(seconds=79.99999713)
    assert to_json(result)["call"]["seconds"] == 80.0


@pytest.mark.parametrize("name", ["utterance", "word", "hit", "match", "finding", "scorecard"])
def test_the_schema_has_the_fields_of_the_types(name: str) -> None:
    own = {field.name for field in fields(getattr(types, name.capitalize()))}
    assert SCHEMA["$defs"][name]["properties"].keys() == own


@pytest.mark.parametrize("enum", [types.Role, types.Speaker, types.Severity, types.Method])
def test_the_schema_has_the_values_of_the_enums(enum: type[StrEnum]) -> None:
    assert SCHEMA["$defs"][enum.__name__.lower()]["enum"] == list(enum)


def test_the_schema_is_itself_valid_strict_and_described() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    closed = 0
    for node in _objects(SCHEMA):
        assert "additionalProperties" in node, node
        if "properties" in node:
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
            undescribed = [name for name, inner in node["properties"].items() if "description" not in inner and "$ref" not in inner]
            assert undescribed == []
            closed += 1
    assert closed == 10
    assert all("description" in definition for definition in SCHEMA["$defs"].values())


@pytest.mark.parametrize("path", ["", "call", "speakers", "lexicon", "utterances 0", "utterances 0 words 0", "hits 0", "scorecards 0"])
def test_unknown_and_missing_keys_are_refused(path: str) -> None:
    more, less = copy.deepcopy(to_json(call_result())), copy.deepcopy(to_json(call_result()))
    _at(more, path)["extra"] = 1
    node = _at(less, path)
    del node[next(iter(node))]
    assert not VALIDATOR.is_valid(more)
    assert not VALIDATOR.is_valid(less)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("schema_version", "0.1", "应为 1.0，收到 '0.1'"),
        ("hits", [{"utterance_id": "u0"}], "0.phrase_id"),
        ("utterances", [{"id": "u0", "start": "?"}], "0.start"),
        ("lexicon", 3, "docs/result.schema.json"),
        ("speakers", None, "docs/result.schema.json"),
    ],
)
def test_what_is_not_a_result_is_said(key: str, value: object, named: str) -> None:
    with pytest.raises(InputError, match=named):
        from_json({**to_json(call_result()), key: value})


def test_a_missing_part_is_named() -> None:
    stored = to_json(call_result())
    del stored["speakers"]
    with pytest.raises(InputError, match="缺少 'speakers'"):
        from_json(stored)


def _objects(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield node
        for inner in node.values():
            yield from _objects(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _objects(inner)


def _at(node: Any, path: str) -> dict[str, Any]:
    for step in path.split():
        node = node[int(step) if step.isdigit() else step]
    assert isinstance(node, dict)
    return node
