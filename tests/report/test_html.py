"""The page's text: what it shows, what it keeps out. tests/report/test_browser.py opens it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from phrasecheck.audio import decode
from phrasecheck.report.html import render
from phrasecheck.types import SpeakerDecision
from tests.report.samples import call_result, checked, lexicon, transcript


@pytest.fixture(scope="module")
def page() -> str:
    return render(call_result(), lexicon())


def test_it_shows_what_was_asked_for(page: str) -> None:
    result = call_result()
    for shown in ("call-1.wav", "<strong>60</strong>", "左声道先问候并自报工号", "97%", "sample 1", "whisper-base"):
        assert shown in page
    for shown in ("右声道音量偏低", "1024", "杭州"):
        assert shown in page
    assert result.scorecards[0].explanation in page
    for found in result.hits:
        phrase = lexicon().phrases[found.phrase_id]
        for shown in (found.quote, phrase.text, phrase.why, phrase.instead, found.reason, phrase.severity):
            assert shown in page
    assert page.count('class="card ') == 6
    assert page.count('class="pin"') == 6
    assert page.count('<li class="say ') == 8
    assert "同一口气重复，只计一次" in page
    assert "非本岗位条款" in page


def test_nothing_comes_from_outside(page: str) -> None:
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page) == []
    assert not re.search(r"https?:|//[a-z]", page)
    assert "@import" not in page
    assert "default-src &#39;none&#39;" in page


def test_an_utterance_that_may_be_made_up_is_marked(page: str) -> None:
    result = call_result()
    doubted = replace(result.transcript.utterances[0], doubt="反复重复同样的字")
    told = replace(result, transcript=replace(result.transcript, utterances=(doubted, *result.transcript.utterances[1:])))
    assert "反复重复同样的字" in render(told, lexicon())
    assert "可能不是原话" not in page


def test_recognised_markup_is_only_text(page: str) -> None:
    assert "<b>态度</b>" not in page
    assert "&lt;b&gt;态度&lt;/b&gt;" in page
    result = call_result(name='"><script>alert(1)</script>', source='"><img src=x onerror=alert(1)>.wav')
    evil = render(replace(result, call=replace(result.call, warnings=("</style><script>x",), metadata={"<i>": "<i>"})), lexicon())
    assert evil.count("<script>") == 1
    assert "<img" not in evil
    assert "<i>" not in evil


def test_without_sound_there_are_no_players(page: str) -> None:
    assert "<audio" not in page
    assert "本报告未附录音" in page


def test_with_sound_there_is_one_player_a_hit_and_one_for_the_call(recording: Path) -> None:
    page = render(call_result(), lexicon(), decode(recording))
    assert len(re.findall(r'<audio class="clip" controls preload="none" src="data:audio/mpeg;base64,', page)) == 6
    assert page.count('<audio id="call"') == 1


def test_a_call_in_which_nothing_was_said() -> None:
    page = render(checked("c", "c.wav", 4, transcript(), ()), lexicon())
    for shown in ("没有发现禁语", "没有听到讲话", "没有一句话能确定是客服说的"):
        assert shown in page


def test_an_agent_not_decided_and_a_clause_not_in_the_lexicon() -> None:
    result = call_result()
    nobody = replace(result.transcript, speakers=SpeakerDecision(agent_channel=None, reason="两个声道都像客服", confidence=0.4))
    page = render(replace(result, transcript=nobody), lexicon({"9.1.10": lexicon().phrases["9.1.10"]}))
    assert "未能确定" in page
    assert "所用词库里没有这一条" in page
