"""The shipped lexicon, company files over it, and exemplar files."""

import json
from pathlib import Path
from typing import Any

import pytest

from phrasecheck.errors import LexiconError
from phrasecheck.lexicon import Lexicon, load_exemplars, load_lexicon, read_exemplars
from phrasecheck.lexiconcheck import exemplar_problems
from phrasecheck.marks import SLOT
from phrasecheck.normalize import normalize
from phrasecheck.types import Role, Severity
from tests.matching.lexicons import lexicon as small
from tests.matching.lexicons import phrase

HEAD = 'schema_version: 1\nid: acme\nversion: "3"\ntitle: 公司\n'
OVER = HEAD + "extends: zhejiang-motor-2010\n"
NEW = """phrases:
  - id: acme-1
    section: "9.2"
    text: "爱买不买,随{便}。"
    severity: 严重
    severity_reason: 轻蔑
    fatal: true
    alone: ["爱买不买"]
    why: 赶客
    instead: 您可以再考虑一下
    spellings: ["爱买买不买走"]
    examples: ["你到底买不买啊不买别耽误我"]
    fine: ["您再考虑一下，不着急"]
"""


@pytest.fixture(scope="module")
def shipped() -> Lexicon:
    return load_lexicon()


def overlay(tmp_path: Path, text: str, name: str = "acme.yaml") -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_all_98_phrases_in_nine_sections(shipped: Lexicon) -> None:
    assert len(shipped.phrases) == 98
    assert list(shipped.sections) == [f"9.{n}" for n in range(1, 10)]
    assert {phrase.section for phrase in shipped.phrases.values()} == set(shipped.sections)
    assert all(phrase_id.startswith(phrase.section + ".") for phrase_id, phrase in shipped.phrases.items())
    assert shipped.name == "zhejiang-motor-2010 1.0.0"


def test_section_one_binds_every_role_and_the_others_one(shipped: Lexicon) -> None:
    assert set(shipped.sections["9.1"].roles) == set(Role)
    others = [section.roles for number, section in shipped.sections.items() if number != "9.1"]
    assert all(len(roles) == 1 for roles in others)
    assert {roles[0] for roles in others} == set(Role) - {Role.RECEPTION}


def test_every_phrase_says_why_and_what_to_say_instead(shipped: Lexicon) -> None:
    for entry in shipped.phrases.values():
        assert all((entry.why, entry.instead, entry.severity_reason)), entry.id
        assert entry.instead != entry.text
        assert not entry.fatal or entry.severity is Severity.SEVERE, entry.id
        assert len(entry.clauses) > 1 or entry.clauses[0].alone


def test_slots_are_understood(shipped: Lexicon) -> None:
    slotted = {entry.id: entry for entry in shipped.phrases.values() if any(SLOT in v for c in entry.clauses for v in c.variants)}
    assert {entry.text for entry in slotted.values()} == {
        entry.text for entry in shipped.phrases.values() if "xxx" in entry.text or "×××" in entry.text
    }
    assert len(slotted) == 6
    assert slotted["9.1.05"].wordings[0] == ("眼睛有问题", "看清楚了是人寿财险", f"不是{SLOT}公司")
    assert not any("x" in variant for entry in slotted.values() for clause in entry.clauses for variant in clause.variants)


def test_alternatives_are_understood(shipped: Lexicon) -> None:
    (loud,) = [entry for entry in shipped.phrases.values() if "大(小)" in entry.text]
    assert loud.wordings[:2] == (("你声音大一点儿",), ("你声音小一点儿",))


def test_the_note_of_9_3_12_is_no_part_of_the_phrase(shipped: Lexicon) -> None:
    entry = shipped.phrases["9.3.12"]
    assert entry.text == "计算机计费不会错的!(言下之意是“肯定是你错了!”)"
    assert entry.note == "言下之意是“肯定是你错了!”"
    assert entry.wordings[0] == ("计算机计费不会错的",)


def test_clauses_that_violate_by_themselves(shipped: Lexicon) -> None:
    assert {c.text: c.alone for c in shipped.phrases["9.1.10"].clauses} == {"有意见": False, "告去": True}
    assert {c.text: c.alone for c in shipped.phrases["9.1.01"].clauses} == {"不知道": False, "不清楚": False}


def test_wordings_are_whole_alone_and_spelled() -> None:
    entry = small(phrase("9.1.01", "你(我)走,别{事}来。", alone=["你(我)走"], spellings=["快走！", "去{地方}吧"])).phrases["9.1.01"]
    assert entry.wordings == (("你走", f"别{SLOT}来"), ("我走", f"别{SLOT}来"), ("你走",), ("我走",), ("快走",), (f"去{SLOT}吧",))


def test_a_phrase_of_one_clause_is_alone_without_saying_so() -> None:
    entry = small(phrase("9.1.01", "快走。")).phrases["9.1.01"]
    assert [clause.alone for clause in entry.clauses] == [True]
    assert entry.wordings == (("快走",),)


def test_a_company_adds_a_phrase(tmp_path: Path) -> None:
    lexicon = load_lexicon([overlay(tmp_path, OVER + NEW)])
    entry = lexicon.phrases["acme-1"]
    assert len(lexicon.phrases) == 99
    assert (entry.severity, entry.fatal, entry.roles) == (Severity.SEVERE, True, (Role.SALES,))
    assert entry.wordings == (("爱买不买", f"随{SLOT}"), ("爱买不买",), ("爱买买不买走",))
    assert (entry.examples, entry.fine) == (("你到底买不买啊不买别耽误我",), ("您再考虑一下，不着急",))
    assert lexicon.name == "zhejiang-motor-2010+acme 1.0.0+3"


def test_a_company_changes_only_what_it_names(tmp_path: Path, shipped: Lexicon) -> None:
    file = overlay(tmp_path, OVER + 'phrases:\n  - {id: "9.1.01", severity: 严重, fatal: true}\n')
    changed, old = load_lexicon([file]).phrases["9.1.01"], shipped.phrases["9.1.01"]
    assert (changed.severity, changed.fatal) == (Severity.SEVERE, True)
    assert (changed.text, changed.why, changed.spellings, changed.wordings) == (old.text, old.why, old.spellings, old.wordings)


def test_a_company_switches_off_and_the_next_file_on_again(tmp_path: Path) -> None:
    off = overlay(tmp_path, OVER + 'phrases:\n  - {id: "9.1.01", enabled: false}\n')
    on = overlay(tmp_path, HEAD.replace("acme", "branch") + 'extends: acme\nphrases:\n  - {id: "9.1.01", enabled: true}\n', "branch.yaml")
    assert "9.1.01" not in load_lexicon([off]).phrases
    assert load_lexicon([off, on]).phrases["9.1.01"].text == "不知道,不清楚。"


def test_a_company_adds_a_section(tmp_path: Path) -> None:
    section = 'sections:\n  - {id: "A", title: 代步车, roles: [survey, complaints]}\n'
    lexicon = load_lexicon([overlay(tmp_path, OVER + section + NEW.replace('"9.2"', '"A"'))])
    assert lexicon.phrases["acme-1"].roles == (Role.SURVEY, Role.COMPLAINTS)


def test_a_lexicon_of_ones_own(tmp_path: Path) -> None:
    section = 'sections:\n  - {id: "9.2", title: 销售, roles: [sales]}\n'
    lexicon = load_lexicon(base=overlay(tmp_path, HEAD + section + NEW))
    assert list(lexicon.phrases) == ["acme-1"]
    assert lexicon.name == "acme 3"


def test_the_hash_follows_what_the_phrases_say(tmp_path: Path, shipped: Lexicon) -> None:
    silent = overlay(tmp_path, OVER + "phrases: []\n")
    louder = overlay(tmp_path, OVER + 'phrases:\n  - {id: "9.1.01", severity: 严重}\n', "louder.yaml")
    assert load_lexicon([silent]).sha256 == shipped.sha256 == load_lexicon().sha256
    assert load_lexicon([louder]).sha256 != shipped.sha256


LINE: dict[str, Any] = {
    "text": "你急什么",
    "phrase": "9.1.02",
    "also": ["9.1.03"],
    "spans": [[1, 4]],
    "kind": "reworded",
    "voice": "north",
    "call": "c1",
}


def test_an_exemplar_line(tmp_path: Path) -> None:
    file = overlay(
        tmp_path, json.dumps(LINE, ensure_ascii=False) + "\n\n" + '{"text": "您别急\u2028", "kind": "polite", "voice": "v"}\n', "a.jsonl"
    )
    one, other = read_exemplars(file)
    assert (one.text, one.phrase, one.also, one.spans) == ("你急什么", "9.1.02", ("9.1.03",), ((1, 4),))
    assert (one.kind, one.voice, one.call, one.violates) == ("reworded", "north", "c1", True)
    assert (other.text, other.phrase, other.spans, other.violates) == ("您别急\u2028", None, (), False)


@pytest.mark.parametrize(
    "row",
    ['{"text": "您好", "kind": "polite"', "[]", '"您好"', "7", '{"kind": "polite", "voice": "v"}', '{"text": "您好", "voice": "v"}',
     '{"text": "您好", "kind": "polite", "voice": "v", "spans": [[1]]}', '{"text": "您好", "kind": "polite", "voice": "v", "spans": [["a", 2]]}'],
)  # fmt: skip
def test_what_is_not_an_exemplar_is_named_by_file_and_line(tmp_path: Path, row: str) -> None:
    file = overlay(tmp_path, json.dumps(LINE) + "\n\n" + row + "\n", "bad.jsonl")
    with pytest.raises(LexiconError) as caught:
        list(read_exemplars(file))
    assert caught.value.problems[0].startswith(f"{file}:3: 不是例句（应有 text、phrase、kind、voice")


def test_a_folder_of_exemplars_is_read_in_file_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        overlay(tmp_path, json.dumps({**LINE, "voice": name}) + "\n", f"{name}.jsonl")
    assert [line.voice for line in load_exemplars(tmp_path)] == ["a", "b"]


def test_the_shipped_exemplars_are_sound_and_broad(shipped: Lexicon) -> None:
    lines = load_exemplars()
    assert exemplar_problems(lines, shipped) == []
    bad = [line for line in lines if line.violates]
    assert {line.kind for line in bad} == {"verbatim", "reworded", "paraphrase", "embedded"}
    assert {line.kind for line in lines if not line.violates} == {"ordinary", "polite", "procedural", "quote", "heard"}
    for phrase_id in shipped.phrases:
        assert sum(line.phrase == phrase_id for line in bad) >= 20, phrase_id
        assert sum(line.phrase == phrase_id for line in lines if not line.violates) >= 10, phrase_id
    assert len({line.voice for line in lines}) >= 40
    assert len({normalize(line.text).text for line in lines}) == len(lines)
