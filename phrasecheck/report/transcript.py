"""A transcript by itself: as text to read, as subtitles (SRT, WebVTT), as JSON.

In: a Call and its Transcript. Out: the whole file as text. The one decision: a subtitle is a line that is read at a glance; long turns are cut at
their punctuation, and where they have none at word edges, into lines that come when they are said.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from phrasecheck.normalize import clauses
from phrasecheck.report.json import to_json as result_json
from phrasecheck.report.labels import channel, clock
from phrasecheck.timing import span_times
from phrasecheck.types import Call, CallResult, Provenance, Speaker, Transcript, Utterance

LINE = 18  # characters: with the speaker in front about twenty, what subtitles in Chinese show at once
SHORTEST_S = 0.8  # a line stays this long, unless the same person's next one is due
SPEAKERS = {Speaker.AGENT: "坐席", Speaker.CUSTOMER: "客户"}
SHARED = ("warnings", "call", "software", "models", "settings", "speakers", "utterances")  # with the result files of `check`


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One subtitle; times in seconds of the recording."""

    start: float
    end: float
    speaker: str
    text: str


def to_text(transcript: Transcript) -> str:
    """A line a turn: when, who, what."""
    return "".join(f"[{clock(each.start)}] {speaker(each)}：{each.text}\n" for each in transcript.utterances)


def to_srt(transcript: Transcript) -> str:
    """SubRip."""
    blocks = [
        f"{number}\n{_stamp(cue.start, ',')} --> {_stamp(cue.end, ',')}\n{cue.speaker}：{cue.text}\n"
        for number, cue in enumerate(cues(transcript), 1)
    ]
    return "\n".join(blocks)


def to_vtt(transcript: Transcript) -> str:
    """WebVTT, the speakers as voices."""
    blocks = [
        f"{_stamp(cue.start, '.')} --> {_stamp(cue.end, '.')}\n<v {escape(cue.speaker)}>{escape(cue.text, quote=False)}\n"
        for cue in cues(transcript)
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def to_json(call: Call, transcript: Transcript, made_by: Provenance) -> str:
    """The fields of a result file (docs/result.schema.json) that a transcript has; without roles, which nobody named."""
    whole = result_json(CallResult(call=call, transcript=transcript, hits=(), scorecards=(), provenance=made_by))
    told = {name: whole[name] for name in SHARED}
    told["call"] = _without_role(told["call"])
    told["utterances"] = [_without_role(each) for each in told["utterances"]]
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def _without_role(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name != "role"}


def speaker(utterance: Utterance) -> str:
    """坐席 or 客户; where that is not decided, the channel."""
    return SPEAKERS.get(utterance.speaker) or channel(utterance.channel)[0]


def cues(transcript: Transcript) -> list[Cue]:
    """The subtitles in order of time; those of two people may overlap."""
    return sorted((cue for each in transcript.utterances for cue in _cues(each)), key=lambda cue: (cue.start, cue.end))


def _cues(utterance: Utterance) -> Iterator[Cue]:
    ranges = lines(utterance.text)
    times = [span_times(utterance, start, end) for start, end in ranges]
    due = [*(start for start, _ in times[1:]), float("inf")]
    for (start, end), (begin, finish), following in zip(ranges, times, due, strict=True):
        stays = max(finish, begin + SHORTEST_S)
        yield Cue(
            start=begin,
            end=min(stays, following) if following > begin else stays,
            speaker=speaker(utterance),
            text=utterance.text[start:end].strip(),
        )


def lines(text: str) -> Sequence[tuple[int, int]]:
    """`text` as ranges of at most LINE characters and the punctuation behind them: as many clauses as fit, a long one in parts."""
    starts: list[int] = []
    for start, end in clauses(text, LINE):
        if not starts or end - starts[-1] > LINE:
            starts.append(start)
    return list(pairwise([*starts, len(text)]))


def _stamp(seconds: float, mark: str) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{mark}{thousandths:03d}"
