"""Other hearings of an utterance: which hits they make surer, and which not."""

from dataclasses import replace

import pytest

from phrasecheck.lexicon import load_lexicon
from phrasecheck.matching.alternatives import reheard
from phrasecheck.matching.matcher import Line, Matcher
from phrasecheck.types import Hit, HitState, Method
from tests.matching.fakes import FakeEncoder
from tests.matching.test_matcher import make

BAD = Line(id="u1", text="关我什么事")


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    book = load_lexicon()
    return make(book, FakeEncoder({"关我什么事": "9.1.16"}, list(book.phrases)))


def doubtful(phrase_id: str = "9.1.16", score: float = 0.3, also: tuple[str, ...] = ()) -> Hit:
    return Hit(
        utterance_id="u1", phrase_id=phrase_id, score=score, state=HitState.DOUBTFUL, start=0, end=5, quote="管我神魔事", methods=(Method.SEMANTIC,),
        reason="像", also=also,
    )  # fmt: skip


def test_the_likeliest_hearing_counts_and_is_named(matcher: Matcher) -> None:
    mild = replace(BAD, text="您好请讲")
    (hit,) = reheard([doubtful()], {"u1": [mild, BAD], "u2": [BAD]}, matcher)
    assert hit.state is HitState.HIT
    assert hit.score > 0.9
    assert hit.reason == "像；另一种听法：「关我什么事」"
    assert (hit.quote, hit.start, hit.end) == ("管我神魔事", 0, 5)


def test_the_same_words_are_not_told_twice(matcher: Matcher) -> None:
    (hit,) = reheard([replace(doubtful(), quote="关我什么事")], {"u1": [BAD]}, matcher)
    assert hit.state is HitState.HIT
    assert hit.reason == "像"


def test_a_hearing_of_another_phrase_or_utterance_changes_nothing(matcher: Matcher) -> None:
    other, same_matter = doubtful("9.5.06"), doubtful("9.5.06", also=("9.1.16",))
    assert reheard([other], {"u1": [BAD]}, matcher) == [other]
    assert reheard([same_matter], {"u1": [BAD]}, matcher)[0].state is HitState.HIT
    assert reheard([doubtful()], {"u2": [replace(BAD, id="u2")]}, matcher) == [doubtful()]


def test_what_is_sure_is_not_asked_again(matcher: Matcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Matcher, "verdicts", lambda self, lines: pytest.fail("asked") if lines else [])
    sure = replace(doubtful(score=0.8), state=HitState.HIT)
    assert reheard([sure], {"u1": [BAD]}, matcher) == [sure]


def test_a_hearing_of_words_hardly_recognised_stays_doubtful(matcher: Matcher) -> None:
    (hit,) = reheard([doubtful()], {"u1": [replace(BAD, confidence=0.1)]}, matcher)
    assert hit.score > 0.9
    assert hit.state is HitState.DOUBTFUL
