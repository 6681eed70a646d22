"""Text, subtitles and JSON of a transcript, to the letter."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from phrasecheck.report.transcript import LINE, SHORTEST_S, cues, lines, to_json, to_srt, to_text, to_vtt
from phrasecheck.types import Call, Provenance, Role, Speaker, SpeakerDecision, Transcript, Utterance, Word

ROOT = Path(__file__).parents[2]


def said(text: str, start: float, speaker: Speaker = Speaker.AGENT, channel: str = "left") -> Utterance:
    """A turn of four characters a second, a word a character and its punctuation."""
    parts = re.findall(r"[^，。？！ ][，。？！ ]*", text)
    words = tuple(Word(text=part, start=start + at / 4, end=start + (at + 1) / 4, probability=0.9) for at, part in enumerate(parts))
    return Utterance(
        id="u0001", start=start, end=start + len(parts) / 4, channel=channel, text=text, speaker=speaker, role=Role.RECEPTION, words=words
    )


def transcript(*utterances: Utterance) -> Transcript:
    return Transcript(utterances=utterances, speakers=SpeakerDecision(agent_channel="left", reason="按指定。", confidence=1.0))


TALK = transcript(
    said("您好，请讲。", 1.0), said("我要报案！", 61.5, Speaker.CUSTOMER, "right"), said("嗯。", 62.0, Speaker.UNSURE, "mono")
)


def test_text_is_a_line_a_turn() -> None:
    assert to_text(TALK) == "[00:01] 坐席：您好，请讲。\n[01:01] 客户：我要报案！\n[01:02] 单声道：嗯。\n"


def test_srt() -> None:
    assert to_srt(TALK) == (
        "1\n00:00:01,000 --> 00:00:02,000\n坐席：您好，请讲。\n\n"
        "2\n00:01:01,500 --> 00:01:02,500\n客户：我要报案！\n\n"
        "3\n00:01:02,000 --> 00:01:02,800\n单声道：嗯。\n"
    )


def test_vtt_names_the_voices_and_escapes_what_it_must() -> None:
    told = to_vtt(transcript(said("甲&乙<丙", 3600.25)))
    assert told == "WEBVTT\n\n01:00:00.250 --> 01:00:01.500\n<v 坐席>甲&amp;乙&lt;丙\n"


def test_nothing_said_is_nothing_written() -> None:
    assert (to_text(transcript()), to_srt(transcript()), to_vtt(transcript())) == ("", "", "WEBVTT\n")


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("您好，请问有什么可以帮您？", ["您好，请问有什么可以帮您？"]),
        ("您好，这里是甬城财险，请问有什么可以帮您？请您讲。", ["您好，这里是甬城财险，", "请问有什么可以帮您？请您讲。"]),
        ("，。", []),
        ("", []),
    ],
)
def test_lines_hold_as_many_clauses_as_fit(text: str, cut: list[str]) -> None:
    assert [text[start:end] for start, end in lines(text)] == cut


def test_a_long_clause_is_cut_at_word_edges() -> None:
    text = "我们这边的查勘员已经在路上了大概还有二十分钟就能到事故现场请您在车上等一下"
    cut = [text[start:end] for start, end in lines(text)]
    assert "".join(cut) == text
    assert len(cut) == 3
    assert all(8 <= len(line) <= LINE for line in cut)


def test_a_line_comes_when_it_is_said_and_stays_until_the_next() -> None:
    first, second = cues(transcript(said("您好，这里是甬城财险，请问有什么可以帮您？请您讲。", 10.0)))
    assert (first.start, first.end) == (10.0, 12.25)
    assert (second.start, second.end) == (12.25, 15.25)


def test_a_short_answer_can_be_read() -> None:
    (cue,) = cues(transcript(said("好", 5.0)))
    assert cue.end - cue.start == pytest.approx(SHORTEST_S)


def test_json_has_the_fields_of_a_result_file() -> None:
    call = Call(id="a", source="a.wav", sha256="0" * 64, seconds=70.0, role=Role.RECEPTION, channels=("left", "right"), warnings=("断开",))
    made_by = Provenance(software="phrasecheck 0", lexicon="", lexicon_sha256="", models={"asr": "x"}, settings={})
    told = json.loads(to_json(call, replace(TALK), made_by))
    schema = json.loads((ROOT / "docs" / "result.schema.json").read_text(encoding="utf-8"))
    assert set(told) == set(schema["properties"]) - {"schema_version", "lexicon", "hits", "scorecards"}
    assert told["warnings"] == ["断开"]
    assert [each["text"] for each in told["utterances"]] == [each.text for each in TALK.utterances]
    assert all("role" not in each for each in (told["call"], *told["utterances"]))
