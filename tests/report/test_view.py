"""Hits joined with what they belong to, and the text cut into pieces to mark."""

from dataclasses import replace

import pytest

from phrasecheck.report import labels
from phrasecheck.report.view import Piece, hit_views, pieces
from phrasecheck.scoring import DOUBTFUL, REPEATED, UNSURE
from phrasecheck.types import HitState, Method, Role, Severity, Speaker
from tests.report.samples import call_result, checked, hit, lexicon, said, transcript


def test_views_come_in_the_order_of_the_call_with_all_that_belongs() -> None:
    result = call_result()
    views = hit_views(replace(result, hits=result.hits[::-1]), lexicon())
    assert [(view.number, view.hit.phrase_id, view.utterance.id) for view in views[:3]] == [
        (1, "9.1.14", "u2"),
        (2, "9.1.10", "u2"),
        (3, "9.1.10", "u3"),
    ]
    assert [view.scoring for view in views][2:] == [REPEATED, "较重：例", DOUBTFUL, UNSURE]
    assert [view.counted for view in views] == [True, True, False, True, False, False]
    assert [view.doubtful for view in views] == [False, False, False, False, True, False]
    assert views[0].phrase == lexicon().phrases["9.1.14"]


def test_a_clause_or_an_utterance_that_is_gone() -> None:
    result = call_result()
    stray = replace(result.hits[0], utterance_id="u99")
    views = hit_views(replace(result, hits=(stray, result.hits[1])), lexicon({"9.1.14": lexicon().phrases["9.1.14"]}))
    assert [(view.hit.phrase_id, view.phrase) for view in views] == [("9.1.10", None)]


def test_a_hit_without_times_takes_those_of_its_utterance() -> None:
    talk = said(3, "有意见告去。")
    result = checked("c", "c.wav", 60, transcript(talk), (hit(talk, "9.1.10", "有意见告去", timed=False),))
    (view,) = hit_views(result, lexicon())
    assert (view.start, view.end) == (30.0, 35.0)


def test_pieces_are_cut_at_hits_and_at_badly_heard_words() -> None:
    talk = said(0, "好你问我我问谁吧")  # the last character was heard badly
    result = checked("c", "c.wav", 60, transcript(talk), (hit(talk, "9.1.14", "你问我我问谁"),))
    assert pieces(talk, hit_views(result, lexicon())) == [
        Piece(text="好"),
        Piece(text="你问我我问谁", hits=(1,), closes=(1,)),
        Piece(text="吧", faint=True),
    ]


def test_hits_that_overlap_share_a_piece() -> None:
    talk = said(0, "你问我我问谁有意见告去啊")
    hits = (hit(talk, "9.1.14", "你问我我问谁有意见"), hit(talk, "9.1.10", "有意见告去", state=HitState.DOUBTFUL))
    cut = pieces(talk, hit_views(checked("c", "c.wav", 60, transcript(talk), hits), lexicon()))
    assert [(piece.text, piece.hits, piece.closes, piece.doubtful) for piece in cut] == [
        ("你问我我问谁", (1,), (), False),
        ("有意见", (1, 2), (1,), False),
        ("告去", (2,), (2,), True),
        ("啊", (), (), False),
    ]


@pytest.mark.parametrize("words", [(), (said(0, "别的字").words)])
def test_words_that_are_not_the_text_make_nothing_faint(words: tuple[()]) -> None:
    talk = replace(said(0, "您好"), words=words)
    assert pieces(talk, []) == [Piece(text="您好")]


def test_a_span_beyond_the_text_is_cut_to_it() -> None:
    talk = said(0, "有意见告去")
    found = replace(hit(talk, "9.1.10", "有意见告去"), end=99)
    cut = pieces(talk, hit_views(checked("c", "c.wav", 60, transcript(talk), (found,)), lexicon()))
    assert "".join(piece.text for piece in cut) == talk.text


def test_every_value_that_readers_meet_has_a_name() -> None:
    for enum in (Role, Speaker, Severity, Method, HitState):
        for value in enum:
            assert all(labels.pair(value))
    assert labels.channel("left")[0] == "左声道"
    assert labels.channel("ch3") == ("第 3 声道", "Channel 3")
    assert labels.channel("other") == ("other", "other")
    with pytest.raises(KeyError):
        labels.pair("nothing")


def test_numbers_as_people_read_them() -> None:
    assert [labels.clock(at) for at in (0, 59.9, 61, 3725, None)] == ["00:00", "00:59", "01:01", "62:05", "—"]
    assert [labels.amount(value) for value in (80.0, 97.5, 33.333)] == ["80", "97.5", "33.33"]
    assert labels.percent(0.876) == "88%"
