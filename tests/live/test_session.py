"""One call, sound in and events out, with a recogniser played by the test."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from phrasecheck.events import Alert, Cause, Ended, Event, Partial, Problem, Retracted, Started, Uttered
from phrasecheck.live.segmenter import Kind
from phrasecheck.live.session import Ask, Minds, Session
from phrasecheck.live.sound import Format
from phrasecheck.types import Role, Speaker
from tests.live.fakes import BAD, WORSE, heard, hearing, matcher, pcm, session, silence, speech, stereo


@pytest.fixture(scope="module")
def minds() -> Minds:
    return Minds(hearing=hearing, matcher=matcher())


def play(call: Session, data: bytes, piece: int = 1280) -> tuple[list[Event], list[Ask]]:
    """Feed in small pieces; nothing is answered."""
    events: list[Event] = []
    asks: list[Ask] = []
    for start in range(0, len(data), piece):
        events += call.feed(data[start : start + piece])
        asks += call.asks()
    return events, asks


def kinds(asks: Sequence[Ask]) -> list[Kind]:
    return [ask.mark.kind for ask in asks]


def alerts(events: Sequence[Event]) -> list[Alert]:
    return [event for event in events if isinstance(event, Alert)]


def test_a_turn_is_heard_at_a_short_pause_and_as_a_whole_and_counts_when_the_pause_goes_on(minds: Minds) -> None:
    call = session(minds)
    _, asks = play(call, stereo(pcm(silence(1), speech(1.5), silence(0.4))))
    assert kinds(asks) == [Kind.PAUSED]
    (partial, alert) = call.answer(asks[0], heard(BAD, asks[0]))
    assert isinstance(partial, Partial)
    assert isinstance(alert, Alert)
    assert alert.partial
    events, (whole,) = play(call, stereo(pcm(silence(0.4))))
    assert (events, whole.kind) == ([], Kind.WHOLE)
    assert len(whole.clip) > len(asks[0].clip)
    assert [type(event) for event in call.answer(whole, heard(BAD, whole))] == [Partial]
    assert call.open == 0
    events, asks = play(call, stereo(pcm(silence(0.4))))
    assert asks == []  # not heard once more
    (said,) = events
    assert isinstance(said, Uttered)
    assert (said.text, said.alerts, said.speaker) == (BAD, (alert.seq,), Speaker.AGENT)
    assert alert.utterance == said.id
    assert said.start < 1.0
    assert said.end > 2.5
    assert call.open == 0


def test_a_turn_that_goes_on_after_it_was_whole_is_heard_again(minds: Minds) -> None:
    call = session(minds)
    _, asks = play(call, stereo(pcm(speech(1.5), silence(0.8), speech(0.5), silence(0.8))))
    assert kinds(asks) == [Kind.PAUSED, Kind.WHOLE, Kind.PAUSED, Kind.WHOLE]
    assert [ask.mark.turn for ask in asks] == [0] * 4
    call.answer(asks[1], heard(BAD, asks[1]))
    early = alerts(call.answer(asks[3], heard(BAD + "，您看这样", asks[3])))
    assert early == []  # told already
    (said,) = play(call, stereo(pcm(silence(0.4))))[0]
    assert isinstance(said, Uttered)
    assert said.text == BAD + "，您看这样"


def test_a_turn_settled_before_the_answer_comes_is_told_once(minds: Minds) -> None:
    call = session(minds)
    _, asks = play(call, stereo(pcm(speech(1.5), silence(1.2))))
    assert kinds(asks) == [Kind.PAUSED, Kind.WHOLE]
    assert call.open == 1
    events = call.answer(asks[1], heard(BAD, asks[1]))
    assert [type(event) for event in events] == [Alert, Uttered]
    assert not alerts(events)[0].partial
    assert alerts(events)[0].instead
    assert call.open == 0
    assert call.answer(asks[0], heard(BAD, asks[0])) == []  # a guess that comes after it


def test_what_else_was_heard_settles_what_was_doubtful(minds: Minds) -> None:
    _, asks = play(call := session(minds), stereo(pcm(speech(1.5), silence(1.2))))
    garbled = heard("你问我，他问谁", asks[1])
    (said,) = call.answer(asks[1], garbled)
    assert isinstance(said, Uttered)
    _, asks = play(call := session(minds), stereo(pcm(speech(1.5), silence(1.2))))
    (alert, _) = call.answer(asks[1], replace(garbled, alternatives=(BAD,)))
    assert isinstance(alert, Alert)
    assert f"另一种听法：「{BAD}」" in alert.reason
    assert alert.quote == "你问我，他问谁"


def test_a_guess_that_was_given_up_is_asked_for_again_once_the_turn_is_over(minds: Minds) -> None:
    call = session(minds)
    _, asks = play(call, stereo(pcm(speech(1.5), silence(0.8))))
    assert kinds(asks) == [Kind.PAUSED, Kind.WHOLE]
    assert call.answer(asks[1], None) == []
    _, again = play(call, stereo(pcm(silence(0.5))))
    assert kinds(again) == [Kind.SETTLED]
    late = session(minds)
    _, asks = play(late, stereo(pcm(speech(1.5), silence(1.2))))
    assert late.answer(asks[1], None) == []  # given up at the very moment the turn settled
    assert late.asks() == asks[1:]


def test_an_early_alert_is_not_repeated_and_not_taken_back_silently(minds: Minds) -> None:
    call = session(minds)
    _, asks = play(call, stereo(pcm(speech(3))))
    assert kinds(asks) == [Kind.GROWN]
    early = alerts(call.answer(asks[0], heard(BAD + "，您看", asks[0])))
    assert len(early) == 1
    _, asks = play(call, stereo(pcm(speech(2))))
    assert alerts(call.answer(asks[0], heard("嗯" + BAD + "，您看这样", asks[0]))) == []
    _, asks = play(call, stereo(pcm(silence(1.2))))
    events = call.answer(asks[-1], heard("您稍等，我帮您问一下", asks[0]))
    (taken, said) = events
    assert isinstance(taken, Retracted)
    assert (taken.alert, BAD in taken.text) == (early[0].seq, True)
    assert isinstance(said, Uttered)
    assert said.alerts == ()


def test_an_early_alert_needs_the_words_to_be_over(minds: Minds) -> None:
    call = session(minds)
    _, asks = play(call, stereo(pcm(speech(2.5))))
    assert alerts(call.answer(asks[0], heard("您好，" + BAD, asks[0]))) == []


def test_an_early_alert_needs_the_higher_score(minds: Minds) -> None:
    call = session(minds, settings={"early_threshold": 1.0})
    _, asks = play(call, stereo(pcm(speech(1.5), silence(0.3))))
    assert [type(event) for event in call.answer(asks[0], heard(BAD, asks[0]))] == [Partial]


def test_a_wording_that_somebody_allowed_is_not_told(minds: Minds) -> None:
    allowing = session(replace(minds, allowed=frozenset({("9.1.14", "你问我我问谁")})))
    _, asks = play(allowing, stereo(pcm(speech(1.5), silence(1.2))))
    assert [type(event) for event in allowing.answer(asks[-1], heard(BAD, asks[-1]))] == [Uttered]


def test_two_violations_in_one_turn_are_two_alerts(minds: Minds) -> None:
    call = session(minds)
    _, asks = play(call, stereo(pcm(speech(3.5), silence(1.2))))
    (said,) = (e for e in call.answer(asks[-1], heard(f"{BAD}。那您看着办吧。{WORSE}", asks[-1])) if isinstance(e, Uttered))
    assert len(said.alerts) == 2


def test_a_violation_split_by_a_pause_is_found(minds: Minds) -> None:
    call = session(minds)
    _, first = play(call, stereo(pcm(speech(1), silence(1.2))))
    assert alerts(call.answer(first[-1], heard("你问我", first[-1]))) == []
    _, second = play(call, stereo(pcm(speech(1), silence(1.2))))
    (alert,) = alerts(call.answer(second[-1], heard("我问谁", second[-1])))
    assert alert.phrase == "9.1.14"


def test_the_customer_is_written_down_and_nothing_more(minds: Minds) -> None:
    call = session(minds)
    right = pcm(speech(3), silence(1.2))
    _, asks = play(call, stereo(np.zeros_like(right), right))
    assert kinds(asks) == [Kind.SETTLED]  # no guesses either
    (said,) = call.answer(asks[0], heard(BAD, asks[0]))
    assert isinstance(said, Uttered)
    assert said.speaker is Speaker.CUSTOMER


def test_a_colleague_who_takes_over_and_introduces_himself_speaks_in_his_own_role(minds: Minds) -> None:
    call = session(minds, role=Role.CLAIMS_REPORT)
    for said, role in (("案子登记好了，我给您转接查勘员", Role.CLAIMS_REPORT), ("您好，我是查勘员小赵", Role.SURVEY)):
        _, asks = play(call, stereo(pcm(speech(1), silence(1.2))))
        call.answer(asks[-1], heard(said, asks[-1]))
        assert call._roles.now is role


def test_on_a_line_that_carries_both_an_alert_says_that_it_is_not_sure(minds: Minds) -> None:
    call = session(minds, Format(rate=16_000), channels=(Speaker.UNSURE,))
    _, asks = play(call, pcm(speech(1.5), silence(1.2)).tobytes())
    (alert,) = alerts(call.answer(asks[-1], heard(BAD, asks[-1])))
    assert not alert.sure
    _, asks = play(call, pcm(speech(1.5), silence(1.2)).tobytes())
    events = call.answer(asks[-1], heard("我的车被人撞了，你们公司怎么还没来，" + BAD, asks[-1]))
    assert alerts(events) == []  # plainly the customer


def test_a_long_turn_is_cut_and_nothing_of_it_is_heard_twice(minds: Minds) -> None:
    call = session(minds, settings={"early_threshold": 1.0}, longest=4.0)
    _, asks = play(call, stereo(pcm(speech(10), silence(1.2))))
    settled = [ask.mark for ask in asks if ask.kind is Kind.SETTLED]
    assert len(settled) >= 3
    for one, other in pairwise(settled):
        assert abs(one.begin + len(one.clip) / 16_000 - other.begin) < 0.01


def test_while_the_machine_is_behind_nothing_optional_is_asked(minds: Minds) -> None:
    call = session(minds)
    assert call.overload(2.0)[0].type == "overloaded"
    _, asks = play(call, stereo(pcm(speech(5), silence(1.2))))
    assert kinds(asks) == [Kind.SETTLED]
    assert call.resume(line=False)[0].type == "resumed"
    _, asks = play(call, stereo(pcm(speech(1), silence(0.3))))
    assert kinds(asks) == [Kind.PAUSED]


def test_silence_is_told_once(minds: Minds) -> None:
    call = session(minds, settings={"silence_s": 2.0})
    events, _ = play(call, stereo(pcm(silence(7))))
    (problem,) = events
    assert isinstance(problem, Problem)
    assert problem.cause is Cause.SILENCE
    events, _ = play(call, stereo(pcm(speech(1), silence(1.5), silence(2))))
    assert [event.type for event in events] == ["problem"]


def test_every_event_has_the_next_number_and_the_end_settles_what_is_open(minds: Minds) -> None:
    call = session(minds)
    events = call.start()
    more, _ = play(call, stereo(pcm(silence(0.5), speech(1))))
    events += more + call.finish()
    (ask,) = [ask for ask in call.asks() if ask.settled]
    assert call.open == 1
    events += call.answer(ask, heard(BAD, ask))
    events += call.end(Cause.HUNG_UP, "abc")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Ended)
    assert (events[-1].raised, events[-1].check) == (1, "abc")


def test_what_could_not_be_heard_is_told_and_the_call_can_end(minds: Minds) -> None:
    call = session(minds)
    _, asks = play(call, stereo(pcm(speech(1), silence(1.2))))
    (problem,) = call.unheard(asks[-1], "RuntimeError")
    assert isinstance(problem, Problem)
    assert problem.cause is Cause.UNHEARD
    assert call.open == 0


@pytest.mark.parametrize("piece", [1, 7, 640, 100_000])
def test_it_does_not_matter_how_the_sound_is_cut(minds: Minds, piece: int) -> None:
    data = stereo(pcm(silence(0.2), speech(0.6), silence(0.7)))
    whole, cut = session(minds), session(minds)
    (_, one), (_, other) = play(whole, data), play(cut, data, piece)
    assert [(a.mark.start, a.mark.end) for a in one] == [(a.mark.start, a.mark.end) for a in other]
    np.testing.assert_array_equal(one[0].clip, other[0].clip)


def test_channels_may_come_one_by_one(minds: Minds) -> None:
    call = session(minds, Format(rate=16_000, channels=2))
    left = pcm(speech(1), silence(1.2)).tobytes()
    events: list[Any] = []
    for start in range(0, len(left), 321):
        events += call.feed(left[start : start + 321], channel=0)
    ask = call.asks()[-1]
    assert (ask.channel, ask.settled) == (0, True)
