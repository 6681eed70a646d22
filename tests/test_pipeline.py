"""The road behind the transcript, and a batch in which one recording fails."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from phrasecheck.errors import AudioError
from phrasecheck.lexicon import load_lexicon
from phrasecheck.matching.fuse import FEATURES, PHRASE_FEATURES, Weights
from phrasecheck.matching.matcher import Matcher, Parts
from phrasecheck.pipeline import Engines, Request, check_calls, judge, rejudge, result
from phrasecheck.report.json import from_json, to_json
from phrasecheck.settings import Settings
from phrasecheck.types import Call, CallResult, HitState, Role, Speaker, SpeakerDecision, Transcript, Utterance

# Without encoders: the phrase's own words are a violation, nothing else is.
WEIGHTS = Weights(
    window=dict.fromkeys(FEATURES, 0.0),
    bias=-6.0,
    phrase={**dict.fromkeys(PHRASE_FEATURES, 0.0), "exact": 8.0, "fuzzy": 1.0},
)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    parts = Parts(lexicon=load_lexicon(), encoders=(), neighbours=None, qualifiers=(), weights=WEIGHTS)
    return Matcher(parts, Settings().matching)


def said(number: int, text: str, speaker: Speaker = Speaker.AGENT, start: float | None = None, confidence: float = 0.9) -> Utterance:
    begin = number * 5.0 if start is None else start
    role = Role.CLAIMS_REPORT if speaker is Speaker.AGENT else None
    channel = "left" if speaker is Speaker.AGENT else "right"
    return Utterance(
        id=f"u{number}", start=begin, end=begin + 2, channel=channel, text=text, speaker=speaker, role=role, confidence=confidence
    )


def transcript(*utterances: Utterance) -> Transcript:
    return Transcript(utterances=utterances, speakers=SpeakerDecision(agent_channel="left", reason="给定", confidence=1.0))


CALL = Call(id="call1", source="call1.wav", sha256="0" * 64, seconds=60.0, role=Role.CLAIMS_REPORT, channels=("left", "right"))


def test_the_agents_words_are_a_hit_and_the_customers_are_not(matcher: Matcher) -> None:
    call = transcript(said(0, "您好请讲"), said(1, "你问我，我问谁", Speaker.CUSTOMER), said(2, "你问我，我问谁。"))
    hits = judge(call, matcher, Settings())
    assert [(h.utterance_id, h.phrase_id, h.state) for h in hits] == [("u2", "9.1.14", HitState.HIT)]
    assert hits[0].quote == "你问我，我问谁"


def test_words_of_an_unsure_speaker_are_doubtful(matcher: Matcher) -> None:
    (hit,) = judge(transcript(replace(said(0, "你问我，我问谁"), speaker=Speaker.UNSURE)), matcher, Settings())
    assert hit.state is HitState.DOUBTFUL


def test_words_that_were_hardly_recognised_are_doubtful(matcher: Matcher) -> None:
    (hit,) = judge(transcript(said(0, "你问我，我问谁", confidence=0.1)), matcher, Settings())
    assert hit.state is HitState.DOUBTFUL


def test_what_else_was_heard_settles_a_doubtful_hit(matcher: Matcher) -> None:
    garbled = said(0, "你问我，他问谁")
    (alone,) = judge(transcript(garbled), matcher, Settings())
    (settled,) = judge(transcript(replace(garbled, alternatives=("你们问我，他问谁", "你问我，我问谁"))), matcher, Settings())
    assert (alone.state, settled.state) == (HitState.DOUBTFUL, HitState.HIT)
    assert settled.reason == alone.reason + "；另一种听法：「你问我，我问谁」"
    assert settled.quote == alone.quote


def test_nobody_is_accused_of_what_only_a_second_guess_has(matcher: Matcher) -> None:
    heard = ("你问我，我问谁",)
    agent, customer = (
        replace(said(0, "您好请讲"), alternatives=heard),
        replace(said(1, "你问我，他问谁", Speaker.CUSTOMER), alternatives=heard),
    )
    assert judge(transcript(agent, customer), matcher, Settings()) == []


def test_a_violation_split_by_a_pause_is_found(matcher: Matcher) -> None:
    call = transcript(said(0, "你问我", start=0.0), said(1, "我问谁", start=2.5))
    (hit,) = judge(call, matcher, Settings())
    assert hit.phrase_id == "9.1.14"
    assert "两句连读" in hit.reason


@pytest.mark.parametrize("sure", [(0.9, 0.1), (0.1, 0.9)])
def test_a_hardly_recognised_half_makes_no_hit_of_the_other(matcher: Matcher, sure: tuple[float, float]) -> None:
    call = transcript(said(0, "你问我", start=0.0, confidence=sure[0]), said(1, "我问谁", start=2.5, confidence=sure[1]))
    assert not [hit for hit in judge(call, matcher, Settings()) if hit.state is HitState.HIT]


def test_a_result_names_what_made_it_and_survives_its_file(matcher: Matcher) -> None:
    made = result(CALL, transcript(said(0, "有意见，告去。")), matcher, Settings(), {"asr": "none"})
    assert made.provenance.lexicon == "zhejiang-motor-2010 1.0.0"
    assert len(made.provenance.lexicon_sha256) == 64
    assert made.scorecards[0].role is Role.CLAIMS_REPORT
    assert to_json(from_json(json.loads(json.dumps(to_json(made))))) == to_json(made)


def test_a_role_that_nobody_stated_counts_for_points_and_not_for_judging(matcher: Matcher) -> None:
    plain = replace(said(0, "有意见，告去。"), role=None)
    made = result(replace(CALL, role=Role.RECEPTION), transcript(plain), matcher, Settings(), {"asr": "none"})
    assert [(card.role, card.points) for card in made.scorecards] == [(Role.RECEPTION, 0)]
    assert made.transcript.utterances[0].role is None
    assert to_json(from_json(json.loads(json.dumps(to_json(made))))) == to_json(made)


def test_rejudging_needs_no_audio_and_follows_the_lexicon(matcher: Matcher, tmp_path: Path) -> None:
    old = result(CALL, transcript(said(0, "有意见，告去。")), matcher, Settings(), {"asr": "base"})
    overlay = tmp_path / "company.yaml"
    overlay.write_text(
        'schema_version: 1\nid: co\nversion: "1"\ntitle: 公司\nextends: zhejiang-motor-2010\nphrases:\n  - {id: "9.1.10", enabled: false}\n',
        encoding="utf-8",
    )
    without = Matcher(replace(matcher.parts, lexicon=load_lexicon([overlay])), Settings().matching)
    new = rejudge(old, without, Settings())
    assert [h.phrase_id for h in old.hits] == ["9.1.10"]
    assert new.hits == ()
    assert new.scorecards[0].points == 100
    assert new.provenance.models["asr"] == "base"
    assert new.provenance.lexicon == "zhejiang-motor-2010+co 1.0.0+1"


def test_one_bad_recording_does_not_stop_the_batch(matcher: Matcher, tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_text("这不是录音", encoding="utf-8")
    outcomes: list[CallResult | Exception] = []
    engines = cast(Engines, SimpleNamespace(matcher=matcher, vad=None, recogniser=None))  # no recording gets as far as the others
    check_calls([Request(path=tmp_path / n) for n in ("a.wav", "b.wav")], engines, Settings(), lambda _, outcome: outcomes.append(outcome))
    assert [type(o) for o in outcomes] == [AudioError, AudioError]
