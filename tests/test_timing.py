"""Characters to seconds."""

import pytest

from phrasecheck.timing import span_times, timed
from phrasecheck.types import Hit, HitState, Method, Utterance, Word

WORDS = (
    Word(text="您好，", start=1.0, end=1.4, probability=0.9),
    Word(text="不", start=1.5, end=1.6, probability=0.9),
    Word(text="知道", start=1.6, end=2.0, probability=0.9),
)
SAID = Utterance(id="u1", start=0.9, end=2.2, channel="left", text="您好，不知道", words=WORDS)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(3, 6, (1.5, 2.0)), (0, 1, (1.0, 1.4)), (2, 4, (1.0, 1.6)), (4, 5, (1.6, 2.0)), (0, 6, (1.0, 2.0))],
)
def test_a_span_takes_the_times_of_the_words_it_touches(start: int, end: int, expected: tuple[float, float]) -> None:
    assert span_times(SAID, start, end) == expected


def test_without_words_the_whole_utterance_counts() -> None:
    bare = Utterance(id="u1", start=0.9, end=2.2, channel="left", text="不知道")
    assert span_times(bare, 0, 2) == (0.9, 2.2)


def test_a_hit_is_given_its_times() -> None:
    hit = Hit(
        utterance_id="u1",
        phrase_id="9.1.01",
        score=0.9,
        state=HitState.HIT,
        start=3,
        end=6,
        quote="不知道",
        methods=(Method.EXACT,),
        reason="",
    )
    assert (timed(hit, SAID).start_s, timed(hit, SAID).end_s) == (1.5, 2.0)
