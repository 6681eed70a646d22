"""Spoken calls laid against their gold turns: what bench.speech counts.

In: EVAL/audio and its gold.jsonl. Out: rows of a table. The one decision: a violation is caught when a hit overlaps its turn in time, and a hit over no
violating turn is a false alarm, given per hour of agent speech. Character error rate: over normalised text (phrasecheck.normalize), Levenshtein distance
over the reference's length.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from bench.baselines import BASELINES
from bench.data import Row, percent
from phrasecheck.audio import decode
from phrasecheck.matching.alternatives import reheard
from phrasecheck.matching.matcher import Line
from phrasecheck.normalize import normalize
from phrasecheck.pipeline import Engines, Request, check_call
from phrasecheck.settings import Settings
from phrasecheck.training.evaluate import is_flagged
from phrasecheck.types import CallResult, HitState, Role


def heard_turns(folder: Path, gold: Sequence[Row], engines: Engines) -> list[Row]:
    """Every agent turn with the text that the recogniser hears between its gold times."""
    heard = []
    for call in gold:
        channels = {c.name: c for c in decode(folder / call["audio"]).channels}
        channel = channels[call["agent_channel"]]
        turns = [t for t in call["turns"] if t["speaker"] == "agent"]
        clips = [channel.samples[int(t["start"] * 16_000) : int(t["end"] * 16_000)] for t in turns]
        for turn, result in zip(turns, engines.recogniser.recognise(clips), strict=True):
            told = {"text": result.text, "others": result.alternatives, "confidence": result.confidence}
            heard.append({**turn, "gold": turn["text"], **told, "role": call["role"], "call": call["id"]})
    return heard


def error_rate(pairs: Sequence[tuple[str, str]]) -> float:
    """Character error rate of (reference, heard) pairs, all together."""
    normalised = [(normalize(r).text, normalize(h).text) for r, h in pairs]
    return sum(Levenshtein.distance(r, h) for r, h in normalised) / sum(len(r) for r, _ in normalised)


def by_gold_turn(heard: Sequence[Row], engines: Engines) -> list[list[object]]:
    """phrasecheck at its operating point, by the text alone and by the recogniser's other hearings too (as `check` goes on, but for the sound), and each
    baseline at the threshold that gives as many false alarms as the text alone."""
    turns = [Line(id=str(i), text=r["text"], role=Role(r["role"]), confidence=r["confidence"]) for i, r in enumerate(heard)]
    others = {turn.id: [replace(turn, text=text) for text in row["others"]] for turn, row in zip(turns, heard, strict=True)}
    verdicts = engines.matcher.verdicts(turns)
    hits = reheard([hit for verdict in verdicts for hit in verdict.hits], others, engines.matcher)
    sure = {hit.utterance_id for hit in hits if hit.state is HitState.HIT}
    bad = [bool(r["labels"]) for r in heard]
    hours = sum(r["end"] - r["start"] for r in heard) / 3600
    caught, false = _count([is_flagged(v) for v in verdicts], bad)
    body = [
        _row("phrasecheck, by the text", caught, sum(bad), false, hours),
        _row("phrasecheck, by other hearings too", *_counted([turn.id in sure for turn in turns], bad), hours),
    ]
    for name, baseline in BASELINES.items():
        scores = [a[0] for a in baseline([r["text"] for r in heard], engines.matcher.parts.lexicon)]
        limit = sorted((s for s, b in zip(scores, bad, strict=True) if not b), reverse=True)[max(false, 1)]
        body.append(_row(f"{name} (as many false alarms)", *_counted([s > limit for s in scores], bad), hours))
    return body


def _count(marked: Sequence[bool], bad: Sequence[bool]) -> tuple[int, int]:
    return sum(m and b for m, b in zip(marked, bad, strict=True)), sum(m and not b for m, b in zip(marked, bad, strict=True))


def _counted(marked: Sequence[bool], bad: Sequence[bool]) -> tuple[int, int, int]:
    caught, false = _count(marked, bad)
    return caught, sum(bad), false


def _row(name: str, caught: int, violations: int, false: int, hours: float) -> list[object]:
    return [name, f"{caught}/{violations}", percent(caught / violations), false, f"{false / hours:.1f}"]


def as_checked(name: str, results: Sequence[tuple[Row, CallResult]]) -> list[object]:
    """Hits of the whole road laid against gold turns."""
    caught = violations = false = 0
    seconds = 0.0
    for call, result in results:
        turns = [t for t in call["turns"] if t["speaker"] == "agent"]
        seconds += sum(t["end"] - t["start"] for t in turns)
        times = [(h.start_s or 0.0, h.end_s or 0.0) for h in result.hits if h.state is HitState.HIT]
        bad = [t for t in turns if t["labels"]]
        violations += len(bad)
        caught += sum(any(_overlap(t, at) for at in times) for t in bad)
        false += sum(not any(_overlap(t, at) for t in bad) for at in times)
    return _row(name, caught, violations, false, seconds / 3600)


def _overlap(turn: Row, times: tuple[float, float]) -> bool:
    return bool(min(turn["end"], times[1]) > max(turn["start"], times[0]))


def check_all(folder: Path, gold: Sequence[Row], engines: Engines, settings: Settings) -> list[tuple[Row, CallResult]]:
    """`phrasecheck check` over the recordings, agent on the gold channel."""
    return [
        (
            call,
            check_call(
                Request(path=folder / call["audio"], role=Role(call["role"]), agent_channel=call["agent_channel"]), engines, settings
            ),
        )
        for call in gold
    ]
