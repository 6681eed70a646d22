"""Violations split by a pause: which neighbours are read as one, and whose hit it becomes."""

import pytest

from phrasecheck.split import GLUE, Pair, joined_hits, pairs
from phrasecheck.types import Hit, HitState, Method, Speaker, Utterance, Word


def utterance(number: int, text: str, start: float, end: float, speaker: Speaker = Speaker.AGENT, channel: str = "left") -> Utterance:
    step = (end - start) / max(1, len(text))
    words = tuple(Word(text=c, start=start + i * step, end=start + (i + 1) * step, probability=1.0) for i, c in enumerate(text))
    return Utterance(id=f"u{number}", start=start, end=end, channel=channel, text=text, speaker=speaker, words=words)


def hit(utterance_id: str, start: int, end: int, state: HitState = HitState.HIT) -> Hit:
    return Hit(
        utterance_id=utterance_id,
        phrase_id="9.1.14",
        score=0.9,
        state=state,
        start=start,
        end=end,
        quote="x",
        methods=(Method.EXACT,),
        reason="r。",
    )


FIRST = utterance(1, "你问我", 0.0, 1.0)
SECOND = utterance(2, "我问谁去", 1.8, 3.0)


@pytest.mark.parametrize(
    ("second", "joined"),
    [
        (SECOND, True),
        (utterance(2, "我问谁去", 2.5, 3.0), False),  # the pause is too long
        (utterance(2, "我问谁去", 1.8, 3.0, Speaker.CUSTOMER), False),
        (utterance(2, "我问谁去", 1.8, 3.0, channel="right"), False),
    ],
)
def test_only_close_neighbours_of_one_speaker_are_read_as_one(second: Utterance, joined: bool) -> None:
    assert bool(pairs([FIRST, second], gap_s=1.2)) is joined


def test_customers_are_never_joined() -> None:
    said = [utterance(1, "你问我", 0, 1, Speaker.CUSTOMER), utterance(2, "我问谁", 1.1, 2, Speaker.CUSTOMER)]
    assert pairs(said, gap_s=1.2) == []


def test_back_channel_of_the_customer_between_does_not_part_them() -> None:
    between = utterance(3, "嗯", 1.1, 1.3, Speaker.CUSTOMER, channel="right")
    assert [(p.first.id, p.second.id) for p in pairs([FIRST, between, SECOND], gap_s=1.2)] == [("u1", "u2")]


def test_a_hit_across_the_pause_goes_to_the_utterance_that_holds_more_of_it() -> None:
    pair = Pair(first=FIRST, second=SECOND)
    (found,) = joined_hits(pair, [hit("u1", 0, len(pair.text))], [])
    assert (found.utterance_id, found.start, found.end) == ("u2", 0, 4)
    assert found.start_s == pytest.approx(0.0)
    assert found.end_s == pytest.approx(3.0)
    assert found.reason.endswith("（两句连读）")


def test_what_one_utterance_shows_by_itself_is_not_found_twice() -> None:
    pair = Pair(first=FIRST, second=SECOND)
    alone = hit("u2", 0, 4)
    assert joined_hits(pair, [hit("u1", 0, len(pair.text))], [alone]) == [alone]


def test_a_doubtful_hit_gives_way_to_the_joined_one() -> None:
    pair = Pair(first=FIRST, second=SECOND)
    doubtful = hit("u2", 0, 4, HitState.DOUBTFUL)
    (found,) = joined_hits(pair, [hit("u1", 0, len(pair.text))], [doubtful])
    assert found.state is HitState.HIT


@pytest.mark.parametrize(("start", "end"), [(0, 3), (len(FIRST.text) + len(GLUE), 8)])
def test_hits_on_one_side_of_the_pause_are_left_to_that_utterance(start: int, end: int) -> None:
    assert joined_hits(Pair(first=FIRST, second=SECOND), [hit("u1", start, end)], []) == []
