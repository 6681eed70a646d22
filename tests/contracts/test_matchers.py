"""What every method that compares words keeps to, run by each of them: `Finder` of phrasecheck/matching/matcher.py."""

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phrasecheck.lexicon import Lexicon, load_lexicon
from phrasecheck.matching.matcher import FINDERS, Finder
from phrasecheck.normalize import normalize
from phrasecheck.types import Match, Method
from tests.matching.lexicons import lexicon, phrase

# The phrase's own words, and each time the same words as something else may write them.
TALK = (
    "这个条款上不是写着吗，自己看。",
    "這個條款上不是寫著嗎，自己看。",
    "这个　条款上，不是写着吗！！自己看～",
    "这个😀条款上不是👨‍👩‍👧写着吗？？自己看",
    "“这个条款上不是写着吗”……『自己看』",
    "ＯＫ，这个条款上不是写着吗自己看，ＡＢ１２３",
    "您好，请问有什么可以帮您？",
    "",
)


@cache
def shipped() -> Lexicon:
    return load_lexicon()


@cache
def finder(method: Method) -> Finder:
    return FINDERS[method](shipped())


def find(method: Method, text: str) -> list[Match]:
    return finder(method).find(normalize(text))


every_method = pytest.mark.parametrize("method", list(FINDERS))


def test_every_method_of_words_is_here() -> None:
    assert set(FINDERS) == set(Method) - {Method.SEMANTIC, Method.ACOUSTIC}


@every_method
@pytest.mark.parametrize("text", TALK)
def test_matches_are_claims_about_this_text_and_this_lexicon(method: Method, text: str) -> None:
    matches = find(method, text)
    for match in matches:
        assert match.method is method
        assert match.phrase_id in shipped().phrases
        assert 0 <= match.start < match.end <= len(text)
        assert 0 <= match.score <= 1
        assert shipped().phrases[match.phrase_id].text in match.reason
    assert len({match.phrase_id for match in matches}) == len(matches)


@every_method
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(st.text(alphabet="条款上不是写着吗自己看急什么没时间有意见告去，。ｘ１😀 嗯啊寫著嗎", max_size=50))
def test_any_text_will_do(method: Method, text: str) -> None:
    test_matches_are_claims_about_this_text_and_this_lexicon(method, text)


@every_method
@pytest.mark.parametrize("text", TALK[:6])
def test_the_words_are_found_however_they_are_written(method: Method, text: str) -> None:
    (found,) = [match for match in find(method, text) if match.phrase_id == "9.1.06"]
    quote = text[found.start : found.end]
    assert normalize(quote).text == "条款上不是写着吗自己看"


@every_method
@pytest.mark.parametrize("text", ["", "。，！", " \n", "😀", "“”"])
def test_nothing_said_nothing_found(method: Method, text: str) -> None:
    assert find(method, text) == []


@every_method
@pytest.mark.parametrize("text", ["您好，请问有什么可以帮您？", "车牌号麻烦报一下", "保单已经给您寄出了，大概三天到"])
def test_ordinary_talk_is_nearly_nothing(method: Method, text: str) -> None:
    """fuse counts what lies above chance (fuse.strength): a fuzzy 0.6 is none."""
    assert all(match.score < 0.7 for match in find(method, text))


@every_method
def test_the_same_question_has_the_same_answer(method: Method) -> None:
    text = "不知道不清楚，条款上写着呢自己看，有意见你告去"
    assert find(method, text) == find(method, text) == FINDERS[method](shipped()).find(normalize(text))


@every_method
def test_a_phrase_said_twice_is_one_match(method: Method) -> None:
    text = "条款上不是写着吗自己看，条款上不是写着吗自己看"
    assert [match.phrase_id for match in find(method, text)].count("9.1.06") == 1


@every_method
def test_an_empty_lexicon_finds_nothing(method: Method) -> None:
    assert FINDERS[method](lexicon()).find(normalize("条款上不是写着吗")) == []


@every_method
def test_a_phrase_of_fillers_finds_nothing(method: Method) -> None:
    assert FINDERS[method](lexicon(phrase("9.1.01", "啊！"))).find(normalize("啊啊，嗯，是啊")) == []
