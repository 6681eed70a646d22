"""fuse: features of windows and phrases, their weights, and a violation beside its near-miss."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phrasecheck.matching.fuse import (
    FEATURES,
    LOWERING,
    PHRASE_FEATURES,
    RAISING,
    Look,
    columns,
    inside,
    load_weights,
    phrase_features,
    phrase_shares,
    role_logits,
    sigmoid,
    strength,
    window_features,
)
from phrasecheck.matching.qualifiers import load_qualifiers
from phrasecheck.matching.reading import Reading
from phrasecheck.types import Match, Method, Role
from tests.matching.fakes import COLUMN, WEIGHTS
from tests.matching.lexicons import lexicon, phrase

BOOK = lexicon(phrase("9.1.01", "甲乙丙丁。"), phrase("9.2.01", "戊己庚辛。"))
COLUMNS = columns(BOOK, [])


def match(method: Method, start: int, end: int, score: float = 1.0, phrase_id: str = "9.1.01") -> Match:
    return Match(phrase_id=phrase_id, method=method, start=start, end=end, score=score, reason="")


def look(*matches: Match, text: str = "您好，甲乙丙丁") -> Look:
    windows = ((0, len(text)), (0, 2), (3, 7))
    return Look(text=text, windows=windows, characters=None, sound=None, similarities=None, matches=matches, qualifiers=())


def reading(*tone: float) -> Reading:
    count = len(tone)
    return Reading(
        windows=((0, 7), (0, 2), (3, 7))[:count],
        tone=np.array(tone, dtype=np.float32),
        meaning=np.zeros((count, 2), np.float32),
        vectors=np.ones((count, 1), np.float32),
    )


@pytest.mark.parametrize(
    ("method", "score", "expected"),
    [
        (Method.EXACT, 1.0, 1.0),
        (Method.FUZZY, 0.6, 0.0),
        (Method.FUZZY, 0.9, 3.0),
        (Method.FUZZY, 0.5, 0.0),
        (Method.PHONETIC, 0.68, 0.0),
        (Method.PHONETIC, 1.0, 3.2),
    ],
)
def test_strength_is_what_lies_above_chance(method: Method, score: float, expected: float) -> None:
    assert strength(match(method, 0, 4, score)) == pytest.approx(expected)


@pytest.mark.parametrize(("window", "answer"), [((3, 7), True), ((0, 7), True), ((4, 7), True), ((5, 7), False), ((0, 2), False)])
def test_a_match_lies_in_a_window_with_most_of_it(window: tuple[int, int], answer: bool) -> None:
    assert inside(match(Method.EXACT, 3, 7), window) is answer


def test_a_window_has_the_matches_that_lie_in_it() -> None:
    table = window_features(look(match(Method.EXACT, 3, 7), match(Method.FUZZY, 3, 7, 0.8), match(Method.FUZZY, 3, 7, 0.9, "9.2.01")), None)
    assert table.shape == (3, len(FEATURES))
    assert table[:, COLUMN["exact"]].tolist() == [1, 0, 1]
    assert table[:, COLUMN["fuzzy"]] == pytest.approx([3, 0, 3])  # the strongest
    assert not table[:, [COLUMN[name] for name in ("tone", "margin", "phonetic", "said", *LOWERING)]].any()


@pytest.mark.parametrize(("text", "said"), [("甲乙丙丁。", 1.0), ("嗯，甲乙丙丁啊", 1.0), ("您好，甲乙丙丁", 0.0)])
def test_a_turn_may_be_a_phrase_and_nothing_else(text: str, said: float) -> None:
    start = text.index("甲")
    seen = replace(look(match(Method.EXACT, start, start + 4), text=text), windows=((0, len(text)),))
    assert window_features(seen, None)[:, COLUMN["said"]].tolist() == [said]


def test_a_window_has_the_tones_of_both_encoders() -> None:
    both = replace(look(), characters=reading(1, -2, 3), sound=reading(3, 0, 1))
    table = window_features(both, None)
    assert table[:, COLUMN["tone"]].tolist() == [1, -2, 3]
    assert table[:, COLUMN["tone_sound"]].tolist() == [3, 0, 1]
    assert table[:, COLUMN["tone_whole"]].tolist() == [2, 2, 2]


def test_one_encoder_stands_for_both() -> None:
    table = window_features(replace(look(), characters=reading(1, -2, 3)), None)
    assert table[:, COLUMN["tone_sound"]].tolist() == [1, -2, 3]


def test_a_window_has_its_qualifiers() -> None:
    quoted = replace(look(text="客户说，甲乙丙丁"), windows=((0, 8), (0, 3), (4, 8)), qualifiers=load_qualifiers())
    assert window_features(quoted, None)[:, COLUMN["quotation"]].tolist() == [1, 0, 1]


@pytest.mark.parametrize("name", LOWERING)
def test_a_qualifier_never_raises(name: str) -> None:
    """With bound signs, a cue can only take away."""
    plain = np.zeros((1, len(FEATURES)), dtype=np.float32)
    cued = plain.copy()
    cued[0, COLUMN[name]] = 1.0
    assert WEIGHTS.logits(cued)[0] < WEIGHTS.logits(plain)[0]


@pytest.mark.parametrize("name", RAISING)
def test_a_method_never_lowers(name: str) -> None:
    plain = np.zeros((1, len(FEATURES)), dtype=np.float32)
    seen = plain.copy()
    seen[0, COLUMN[name]] = 1.0
    assert WEIGHTS.logits(seen)[0] > WEIGHTS.logits(plain)[0]


def test_a_logit_is_a_sum() -> None:
    table = window_features(replace(look(match(Method.EXACT, 3, 7)), characters=reading(1, -2, 3)), None)
    open_question = 2 * np.log(0.5)  # two phrases, and both encoders say neither
    sums = [1 + 1 + 1 + 1, -2 - 2 + 1, 3 + 3 + 1 + 1]
    lengths = [np.log(end - start) for start, end in look().windows]
    assert WEIGHTS.logits(table).tolist() == pytest.approx(
        [0.5 * (total + open_question + length) for total, length in zip(sums, lengths, strict=True)]
    )


def meaning(*of_phrases: float) -> Reading:
    return replace(reading(0.0), meaning=np.array([of_phrases], dtype=np.float32))


@pytest.mark.parametrize(
    ("characters", "sound", "sure"),
    [((9, 0), (9, 0), True), ((9, 0), (0, 9), False), ((9, 0), (0, 0), False), ((0, 0), (0, 0), False)],
)
def test_encoders_agree_on_one_phrase(characters: tuple[float, float], sound: tuple[float, float], sure: bool) -> None:
    table = window_features(replace(look(), windows=((0, 7),), characters=meaning(*characters), sound=meaning(*sound)), None)
    agreement = float(table[0, COLUMN["agreement"]])
    assert agreement <= 0
    assert (agreement > -0.01) is sure


def test_words_of_other_peoples_work_weigh_less() -> None:
    known = columns(BOOK, ["9.1.01", "9.2.01"])  # 9.1 is everybody's, 9.2 that of sales
    seen = replace(look(), windows=((0, 7),), characters=meaning(0, 30))
    weights = replace(WEIGHTS, phrase={**WEIGHTS.phrase, "own_section": 1.0})
    assert role_logits(seen, Role.SALES, known, weights) == pytest.approx([0.0], abs=1e-3)
    assert role_logits(seen, Role.SURVEY, known, weights) == pytest.approx([-1.0], abs=1e-3)
    assert role_logits(replace(seen, characters=meaning(0, 0)), Role.SURVEY, known, weights) == pytest.approx(
        [np.log((1 + np.exp(-1)) / 2)]
    )
    assert role_logits(seen, None, known, weights).tolist() == [0.0]
    assert role_logits(look(), Role.SALES, known, weights).tolist() == [0.0] * 3  # no encoder, nothing meant


def test_a_phrase_has_the_matches_of_its_own() -> None:
    seen = look(match(Method.EXACT, 3, 7), match(Method.PHONETIC, 3, 7, 0.88, "9.2.01"))
    table = phrase_features(seen, 2, Role.SURVEY, COLUMNS, None)
    column = {name: i for i, name in enumerate(PHRASE_FEATURES)}
    assert table[:, column["exact"]].tolist() == [1, 0]
    assert table[:, column["phonetic"]] == pytest.approx([0, 2])
    assert not phrase_features(seen, 1, None, COLUMNS, None)[:, column["exact"]].any()


@pytest.mark.parametrize(("role", "own"), [(Role.SALES, [0, 1]), (Role.SURVEY, [0, 0]), (None, [0, 0])])
def test_a_section_of_ones_own_speaks_for_its_phrases(role: Role | None, own: list[int]) -> None:
    """Not 9.1: it is everybody's, so it tells nothing."""
    assert phrase_features(look(), 0, role, COLUMNS, None)[:, list(PHRASE_FEATURES).index("own_section")].tolist() == own


def test_shares_are_shares() -> None:
    table = phrase_features(look(match(Method.EXACT, 3, 7)), 2, None, COLUMNS, None)
    shares = phrase_shares(table, WEIGHTS)
    assert shares.sum() == pytest.approx(1)
    assert shares[0] > shares[1]


@pytest.mark.parametrize(("logit", "probability"), [(0.0, 0.5), (1e9, 1.0), (-1e9, 0.0)])
def test_sigmoid(logit: float, probability: float) -> None:
    assert sigmoid(np.array([logit], dtype=np.float32))[0] == pytest.approx(probability, abs=1e-6)


def test_weights_come_from_their_file(tmp_path: Path) -> None:
    raw = {"window": {"tone": 1.0}, "bias": -1, "phrase": {}, "own_similarity": 0.3, "fitted_on": {"lines": 3}}
    (tmp_path / "fuse.json").write_text(json.dumps(raw), encoding="utf-8")
    weights = load_weights(tmp_path / "fuse.json")
    assert (weights.window, weights.bias, weights.own_similarity) == ({"tone": 1.0}, -1, 0.3)
