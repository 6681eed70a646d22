"""phrasecheck match and explain: the contract of DESIGN section 4, on the shipped weights."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from phrasecheck.cli import cli
from phrasecheck.cli.match import Fault, parse_line
from phrasecheck.cli.options import METHODS, ROLES
from phrasecheck.types import Method, Role

LINES: list[dict[str, Any]] = [
    {"id": "a", "text": "你问我，我问谁去啊", "speaker": "agent", "role": "reception"},
    {"id": 7, "text": "你问我，我问谁去啊", "speaker": "customer", "role": "reception"},
    {"id": "c", "text": "您稍等，我帮您查一下", "speaker": "agent", "role": "claims_report"},
    {"id": "d", "text": "", "speaker": "agent"},
]


def run(*args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, list(args), input=stdin)


def test_options_name_every_role_and_method() -> None:
    assert set(ROLES) == set(Role)
    assert set(METHODS) == set(Method)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("{nonsense", "JSON"),
        ("[1]", "text"),
        ('{"id":"x"}', "text"),
        ('{"id":"x","text":"好","role":"cook"}', "role"),
        ('{"id":"x","text":"好","speaker":"cat"}', "speaker"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(raw: str, says: str) -> None:
    fault = parse_line(3, raw)
    assert isinstance(fault, Fault)
    assert fault.line == 3
    assert says in fault.reason


@pytest.mark.model
@pytest.mark.parametrize("stdin", [False, True])
def test_the_same_ids_in_the_same_order(tmp_path: Path, stdin: bool) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in LINES)
    (tmp_path / "in.jsonl").write_text(text, encoding="utf-8")
    answer = run("match", "-" if stdin else str(tmp_path / "in.jsonl"), "--all-scores", stdin=text if stdin else None)
    assert answer.exit_code == 0, answer.output
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [row["id"] for row in rows] == ["a", 7, "c", "d"]
    assert [bool(row["hits"]) for row in rows] == [True, False, False, False]
    best = rows[0]["hits"][0]
    assert best["phrase_id"] == "9.1.14"
    assert LINES[0]["text"][best["start"] : best["end"]] == best["quote"]
    assert set(best) >= {"phrase_id", "score", "start", "end", "quote", "methods", "reason"}
    assert len(rows[0]["phrases"]) == 5
    assert 0 <= rows[2]["violation"] < 0.5 < rows[0]["violation"] <= 1


@pytest.mark.model
def test_a_bad_line_keeps_its_place_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id":"a","text":"好的"}\n{bad\n{"id":"c","text":"你爱找谁找谁，随便告"}\n', encoding="utf-8")
    answer = run("match", str(tmp_path / "in.jsonl"))
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.exit_code == 1
    assert [row.get("id") for row in rows] == ["a", None, "c"]
    assert "JSON" in rows[1]["error"]
    assert rows[2]["hits"]


@pytest.mark.model
def test_a_line_alone_scores_as_it_does_in_a_batch(tmp_path: Path) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in LINES)
    together = json.loads(run("match", "-", "--all-scores", stdin=text).stdout.splitlines()[0])
    alone = json.loads(run("match", "-", "--all-scores", stdin=json.dumps(LINES[0])).stdout)
    assert alone == together


@pytest.mark.model
def test_explain_shows_methods_neighbours_and_near_misses() -> None:
    answer = run("explain", "条款上不是写着吗，自己看", "--json")
    told = json.loads(answer.stdout)
    assert told["hits"][0]["phrase_id"] == "9.1.06"
    assert {m["method"] for m in told["methods"]} >= {"exact", "fuzzy", "phonetic"}
    assert told["nearest"]["violating"] and told["nearest"]["fine"]
    assert told["words"]
    assert "命中" in run("explain", "条款上不是写着吗，自己看").stdout


@pytest.mark.model
def test_a_method_can_be_switched_off() -> None:
    hits = json.loads(run("match", "-", "--without", "exact", "--without", "fuzzy", stdin=json.dumps(LINES[0])).stdout)["hits"]
    assert not {"exact", "fuzzy"} & set(hits[0]["methods"])


def test_a_missing_file_is_a_clear_error() -> None:
    answer = run("explain", "  ")
    assert answer.exit_code == 1
