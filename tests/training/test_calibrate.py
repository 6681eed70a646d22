"""Fitting fuse's tables: probabilities that hold on made-up lines, and signs that hold whatever the lines say."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("scipy")

from phrasecheck.lexicon import Exemplar
from phrasecheck.matching.fuse import FEATURES, LOWERING, PHRASE_FEATURES, RAISING, Weights
from phrasecheck.matching.matcher import Line, Matcher, Parts
from phrasecheck.matching.qualifiers import load_qualifiers
from phrasecheck.matching.semantic import embed, neighbours
from phrasecheck.settings import MatchSettings
from phrasecheck.training.calibrate import OWN_WORDS, fit
from phrasecheck.training.fitting import FLAT
from tests.matching.fakes import FakeEncoder
from tests.matching.lexicons import lexicon, phrase

BOOK = lexicon(phrase("9.1.01", "自己看去吧。"), phrase("9.1.02", "关我什么事。"), phrase("9.2.01", "爱买不买呗。"))
RUDE = {"自己看": "9.1.01", "关我啥": "9.1.02"}
KNOWN = [
    Exemplar(text="你自己来看", phrase="9.1.01", spans=((0, 5),)),
    Exemplar(text="关我什么", phrase="9.1.02", spans=((0, 4),)),
    Exemplar(text="您好请讲", phrase=None),
]


def make(weights: Weights = FLAT) -> Matcher:
    encoder = FakeEncoder(RUDE, list(BOOK.phrases))
    near = neighbours(BOOK, KNOWN, embed(encoder, KNOWN))
    parts = Parts(lexicon=BOOK, encoders=(encoder,), neighbours=near, qualifiers=load_qualifiers(), weights=weights)
    return Matcher(parts, MatchSettings())


def line(text: str, violates: bool, phrase_id: str = "9.1.01") -> Exemplar:
    return Exemplar(text=text, phrase=phrase_id, spans=((0, len(text)),) if violates else ())


def lines(shares: dict[str, float], each: int = 60, seed: int = 1) -> list[Exemplar]:
    """`each` lines of every text, violating as often as its share says."""
    rng = random.Random(seed)
    return [line(text, rng.random() < share, RUDE.get(text[:3], "9.1.01")) for text, share in shares.items() for _ in range(each)]


def violation(weights: Weights, text: str) -> float:
    (verdict,) = make(weights).verdicts([Line(id="", text=text)])
    return verdict.violation


def share(made: Sequence[Exemplar], text: str) -> float:
    return float(np.mean([e.violates for e in made if e.text == text]))


def test_probabilities_are_the_shares_that_were_seen() -> None:
    made = lines({"自己看": 0.8, "您好": 0.1})
    weights = fit(make(), made)
    for text in ("自己看", "您好"):
        assert violation(weights, text) == pytest.approx(share(made, text), abs=0.02)


def test_a_harmless_line_may_stand_for_many() -> None:
    made = lines({"自己看": 0.8, "您好": 0.1})
    assert violation(fit(make(), made, weight_of_harmless=5.0), "自己看") < violation(fit(make(), made), "自己看") - 0.2


def test_a_cue_that_speaks_against_lowers() -> None:
    made = lines({"自己看": 0.9, "客户说自己看": 0.2, "您好": 0.02})
    weights = fit(make(), made)
    assert weights.window["quotation"] < -1
    assert violation(weights, "客户说自己看") < 0.4 < violation(weights, "自己看")


def test_signs_hold_whatever_the_lines_say() -> None:
    """Here quoting comes with violations and the phrase's own words with harmless lines: neither may be learnt."""
    made = lines({"客户说自己看": 0.9, "自己看": 0.5, "您好": 0.1, "关我什么事": 0.02})
    weights = fit(make(), made)
    assert all(value <= 0 for name, value in weights.window.items() if name in LOWERING)
    assert all(value >= 0 for name, value in weights.window.items() if name in RAISING)
    assert weights.window["quotation"] == 0
    assert weights.window["exact"] == pytest.approx(0, abs=1e-3)
    assert set(weights.window) == set(FEATURES)


def test_phrases_are_told_apart_by_what_tells_them_apart() -> None:
    made = lines({"自己看": 0.9, "关我啥": 0.9, "您好": 0.05})
    weights = fit(make(), made)
    assert set(weights.phrase) == set(PHRASE_FEATURES)
    assert all(value >= 0 for value in weights.phrase.values())
    assert weights.phrase["exact"] >= OWN_WORDS
    matcher = make(weights)
    for text, phrase_id in RUDE.items():
        (verdict,) = matcher.verdicts([Line(id="", text=text)])
        assert verdict.phrases[0][0] == phrase_id


def test_the_fit_does_not_hang_on_the_weights_before() -> None:
    made = lines({"自己看，您慢走": 0.8, "您好，关我啥": 0.9, "您好": 0.1})
    blind = replace(FLAT, window=dict.fromkeys(FEATURES, 0.0))
    assert fit(make(blind), made) == fit(make(FLAT), made)


def test_where_likeness_begins_to_count_is_what_harmless_lines_hardly_reach() -> None:
    made = lines({"自己看": 1.0, "您好请讲": 0.0, "您好关我什么": 0.0})
    encoder = make().parts.encoders[0]
    near = make().parts.neighbours
    assert near is not None
    vectors = np.array([reading.vectors[0] for reading in encoder.read(["您好请讲", "您好关我什么"])])
    leads = near.violating(near.similarities(vectors)).max(1) - near.harmless(near.similarities(vectors))
    assert fit(make(), made).own_similarity == pytest.approx(leads.max(), abs=1e-3)


def test_lines_without_words_are_left_out() -> None:
    made = lines({"自己看": 0.8, "您好": 0.1})
    assert fit(make(), [*made, line("。", False)]) == fit(make(), made)
