"""Judging again only what a change can touch gives what judging everything again gives; and the list of what changed is right."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from phrasecheck.lexicon import Lexicon, combine, read_files
from phrasecheck.matching.matcher import Matcher
from phrasecheck.pipeline import rejudge
from phrasecheck.prints import ground, take, units, unpacked
from phrasecheck.rescore import changes, comparable, rescore, screen, touched
from phrasecheck.settings import Settings
from phrasecheck.types import CallResult, HitState, Speaker, Transcript
from tests.desk_lexicons import build, judged, transcript

SETTINGS = Settings()
OWN = {
    "id": "co-01",
    "section": "9.1",
    "text": "代步车没有，自己想办法",
    "severity": "较重",
    "severity_reason": "推诿",
    "why": "合同里有",
    "instead": "我给您登记明天的",
}
SAID = transcript(
    "您好，请问有什么可以帮您",
    (Speaker.CUSTOMER, "我的代步车呢"),
    "代步车没有，自己想办法",
    "你问我，我问谁去",
    "今天的代步车没有了，明天上午给您送到",
    "有意见，告去",
    "车牌号麻烦您报一下",
)


def lexicon(*phrases: dict[str, Any]) -> Lexicon:
    return combine(
        [
            *read_files(),
            {"id": "co", "version": "1", "title": "公司", "extends": "zhejiang-motor-2010", "sections": [], "phrases": list(phrases)},
        ]
    )


def matcher(*phrases: dict[str, Any], like: Matcher | None = None) -> Matcher:
    return build(SETTINGS, lexicon(*phrases), like.parts.encoders if like else None)


def again(old: CallResult, before: Matcher, after: Matcher) -> tuple[CallResult, set[str]]:
    """Judged again by what the change can touch; and which utterances that was."""
    neighbours = before.parts.neighbours
    assert neighbours is not None
    shipped = neighbours.only(np.array([i for i, line in enumerate(neighbours.lines) if line.kind not in {"example", "fine"}]))
    on = ground(before.parts.encoders[0], shipped)
    kept = take(units(old.transcript, SETTINGS.matching.join_gap_s), on)
    prints = list(unpacked(kept.maker, kept.packed()))
    difference = screen(before.parts.lexicon, after)
    return rescore(old, after, SETTINGS, (), difference, prints), touched(old, SETTINGS, difference, prints)


CHANGES: dict[str, Sequence[dict[str, Any]]] = {
    "a new phrase": [OWN],
    "a spelling": [{"id": "9.1.14", "spellings": ["车牌号麻烦您报一下"]}],
    "an example": [{"id": "9.1.14", "examples": ["车牌号麻烦您报一下吧"]}],
    "a harmless line": [{"id": "9.1.14", "fine": ["你问我，我问谁去啊"]}],
    "switched off": [{"id": "9.1.14", "enabled": False}],
    "severity alone": [{"id": "9.1.14", "severity": "严重"}],
    "fatal": [{"id": "9.1.10", "fatal": True}],
    "nothing": [],
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("direction", ["there", "back"])
def test_what_cannot_be_touched_would_have_stayed_the_same(name: str, direction: str) -> None:
    plain = matcher()
    other = matcher(*CHANGES[name], like=plain)
    before, after = (plain, other) if direction == "there" else (other, plain)
    old = judged(before, SETTINGS, SAID)
    assert again(old, before, after)[0] == rejudge(old, after, SETTINGS)


@pytest.mark.parametrize("name", ["severity alone", "fatal", "nothing"])
def test_what_only_prices_is_not_judged_again(name: str) -> None:
    plain = matcher()
    after = matcher(*CHANGES[name], like=plain)
    assert again(judged(plain, SETTINGS, SAID), plain, after)[1] == set()


def test_a_new_phrase_touches_only_what_comes_near() -> None:
    plain = matcher()
    _, ids = again(judged(plain, SETTINGS, SAID), plain, matcher(OWN, like=plain))
    assert "u2" in ids
    assert not ids & {"u1", "u3", "u5", "u6"}


def test_neighbours_within_a_breath_are_judged_together() -> None:
    plain = matcher()
    spoken = transcript("代步车没有", "自己想办法", "车牌号麻烦您报一下", gap_s=0.5)
    old = judged(plain, SETTINGS, spoken)
    after = matcher(OWN, like=plain)
    new, ids = again(old, plain, after)
    assert ids == {"u0", "u1", "u2"}
    assert new == rejudge(old, after, SETTINGS)
    assert {hit.phrase_id for hit in new.hits} == {"co-01"}


def test_what_else_was_heard_of_a_hit_is_looked_at_too() -> None:
    plain = matcher()
    old = judged(plain, SETTINGS, SAID)
    (hit,) = (hit for hit in old.hits if hit.phrase_id == "9.1.14")
    heard = [replace(u, alternatives=("请问您贵姓大名",)) for u in SAID.utterances]
    otherwise = replace(old, transcript=replace(SAID, utterances=tuple(heard)))
    after = matcher({"id": "9.1.10", "spellings": ["请问您贵姓大名"]}, like=plain)
    named = {hit.utterance_id for hit in old.hits if hit.phrase_id == "9.1.10"}
    assert again(old, plain, after)[1] == named
    assert again(otherwise, plain, after)[1] == named | {hit.utterance_id}


def test_what_is_kept_keeps_what_the_sound_said() -> None:
    plain = matcher()
    old = judged(plain, SETTINGS, SAID)
    refused = replace(old, hits=tuple(replace(hit, score=0.3, state=HitState.DOUBTFUL, reason="声音不像") for hit in old.hits))
    new, _ = again(refused, plain, matcher(OWN, like=plain))
    assert {hit.reason for hit in new.hits if hit.phrase_id != "co-01"} == {"声音不像"}


def test_results_of_other_settings_are_judged_whole() -> None:
    plain = matcher()
    old = judged(plain, SETTINGS, SAID)
    assert comparable(old, plain, SETTINGS)
    strict = SETTINGS.model_copy(update={"matching": SETTINGS.matching.model_copy(update={"threshold": 0.9})})
    assert not comparable(old, plain, strict)
    assert not comparable(replace(old, provenance=replace(old.provenance, software="phrasecheck 0.0.1")), plain, SETTINGS)
    assert rescore(old, plain, SETTINGS) == rejudge(old, plain, SETTINGS)


def test_a_wording_that_is_no_more_allowed_comes_back() -> None:
    plain = matcher()
    old = judged(plain, SETTINGS, SAID)
    spared = rejudge(old, plain, SETTINGS, {("9.1.10", "有意见告去"), ("9.1.10", "告去")})
    assert len(spared.hits) < len(old.hits)
    assert again(spared, plain, plain)[0].hits == old.hits


def test_prints_hold_for_these_words_alone() -> None:
    plain = matcher()
    assert plain.parts.neighbours is not None
    on = ground(plain.parts.encoders[0], plain.parts.neighbours)
    one, other = (units(Transcript(utterances=SAID.utterances[:n], speakers=SAID.speakers), 1.2) for n in (2, 3))
    assert take(one, on).maker == on.maker(one) != on.maker(other)
    assert take([], on).counts.tolist() == []
    near = list(take(other, on))[1]
    assert np.allclose(np.linalg.norm(near.vectors, axis=1), 1, atol=0.02)


def test_the_list_of_changes() -> None:
    plain = matcher()
    old = judged(plain, SETTINGS, SAID)
    after = matcher(OWN, {"id": "9.1.14", "enabled": False}, {"id": "9.1.10", "severity": "一般"}, like=plain)
    made = changes(old, rejudge(old, after, SETTINGS))
    kinds = {(change.before or change.after).phrase_id: change.kind for change in made.hits}  # type: ignore[union-attr]
    assert kinds == {
        "co-01": "appeared",
        "9.1.14": "altered",
        "9.1.10": "altered",
    }  # the fake finds 9.1.14 rude all the same, under another name
    assert {change.kind for change in changes(old, replace(old, hits=())).hits} == {"vanished"}
    assert [change.at_s for change in made.hits] == sorted(change.at_s or 0 for change in made.hits)
    assert made.points_before is not None and made.points_after is not None
    assert not changes(old, old)


def test_a_hit_that_takes_another_name_is_one_change() -> None:
    plain = matcher()
    old = judged(plain, SETTINGS, SAID)
    renamed = replace(old, hits=tuple(replace(h, phrase_id="9.1.13") if h.phrase_id == "9.1.10" else h for h in old.hits))
    (change,) = changes(old, renamed).hits
    assert (change.kind, change.before and change.before.phrase_id, change.after and change.after.phrase_id) == (
        "altered",
        "9.1.10",
        "9.1.13",
    )
