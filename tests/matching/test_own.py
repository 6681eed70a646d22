"""own: phrases that no encoder speaks for, by their words and by their examples."""

from dataclasses import replace

import numpy as np
import pytest

from phrasecheck.lexicon import Exemplar
from phrasecheck.matching.fuse import Look, columns
from phrasecheck.matching.own import EVEN, NEVER, QUALIFIED, SLOPE, own_logits
from phrasecheck.matching.qualifiers import load_qualifiers
from phrasecheck.matching.semantic import neighbours
from phrasecheck.types import Match, Method
from tests.matching.fakes import bag
from tests.matching.lexicons import lexicon, phrase

BOOK = lexicon(phrase("9.1.01", "甲乙丙丁。"), phrase("9.2.01", "戊己庚辛。"))
LINES = [Exemplar(text="戊己庚辛", phrase="9.2.01", spans=((0, 4),)), Exemplar(text="您好请讲", phrase=None)]
OWN = columns(BOOK, ["9.1.01"])
NEAR = neighbours(BOOK, LINES, np.array([bag(line.text) for line in LINES]))


def match(method: Method, score: float, phrase_id: str = "9.2.01") -> Match:
    return Match(phrase_id=phrase_id, method=method, start=3, end=7, score=score, reason="")


def look(*matches: Match, text: str = "您好，戊己庚辛") -> Look:
    return Look(text=text, windows=((0, 7), (0, 2), (3, 7)), characters=None, sound=None, similarities=None, matches=matches, qualifiers=())


@pytest.mark.parametrize("method", EVEN)
def test_a_match_at_its_even_score_is_as_likely_as_not(method: Method) -> None:
    logits = own_logits(look(match(method, EVEN[method])), OWN, None, 0.2)
    assert logits.shape == (3, 1)
    assert logits[:, 0] == pytest.approx([0, NEVER, 0], abs=1e-4)
    assert own_logits(look(match(method, EVEN[method] + 0.04)), OWN, None, 0.2)[2, 0] == pytest.approx(0.04 * SLOPE, abs=1e-4)


def test_the_phrases_own_words_are_all_but_sure() -> None:
    assert own_logits(look(match(Method.EXACT, 1.0)), OWN, None, 0.2)[2, 0] > 3


def test_matches_of_other_phrases_say_nothing() -> None:
    assert (own_logits(look(match(Method.EXACT, 1.0, "9.1.01")), OWN, None, 0.2) == NEVER).all()


def test_the_best_match_counts() -> None:
    both = own_logits(look(match(Method.FUZZY, 0.7), match(Method.EXACT, 1.0)), OWN, None, 0.2)
    assert both.tolist() == own_logits(look(match(Method.EXACT, 1.0)), OWN, None, 0.2).tolist()


def test_a_cue_takes_away() -> None:
    quoted = replace(look(match(Method.EXACT, 1.0), text="客户说戊己庚辛"), qualifiers=load_qualifiers())
    plain = own_logits(look(match(Method.EXACT, 1.0)), OWN, None, 0.2)
    assert own_logits(quoted, OWN, None, 0.2)[2, 0] == pytest.approx(plain[2, 0] - QUALIFIED)


@pytest.mark.parametrize(("text", "there"), [("戊己庚", True), ("您好请讲", False), ("戊己您好请", False)])
def test_an_example_nearer_than_any_harmless_line_is_enough(text: str, there: bool) -> None:
    seen = replace(look(), similarities=NEAR.similarities(np.array([bag(text)] * 3)))
    assert bool(own_logits(seen, OWN, NEAR, 0.2)[0, 0] > 0) is there


def test_no_own_phrases_no_columns() -> None:
    assert own_logits(look(), columns(BOOK, list(BOOK.phrases)), None, 0.2).shape == (3, 0)
