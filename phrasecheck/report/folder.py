"""A folder of result files as a Source of reports.

In: the JSON files that `phrasecheck check` wrote, each with what the metadata table said of the call (坐席, 班组, 时间). Out: the same facts as
the store gives. The one decision: nobody has judged these hits, so they stand as the program left them; doubtful ones count for nothing.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from phrasecheck.errors import InputError
from phrasecheck.feedback.facts import CallFacts, Material, Moment, Spoken, Standing, Wanted
from phrasecheck.report.json import from_json
from phrasecheck.types import CallResult, HitState, Speaker

TIMES = ("time", "said_at", "时间", "通话时间")  # metadata that says when a call was


@dataclass(frozen=True, slots=True)
class Results:
    """Checked calls held in memory."""

    results: tuple[CallResult, ...]

    def material(self, wanted: Wanted) -> Material:
        """The calls that fit. One without a date is in no period; how many there are is told."""
        fitting = [result for result in self.results if _fits(result, wanted)]
        dated = [(said_at(result, wanted), result) for result in fitting]
        inside = [(at, r) for at, r in dated if at is not None and wanted.period.since <= at < wanted.period.until]
        inside.sort(key=lambda pair: (pair[0], pair[1].call.id))
        return Material(
            period=wanted.period,
            calls=tuple(_facts(result, at) for at, result in inside),
            moments=tuple(moment for _, result in inside for moment in _moments(result)),
            undated=sum(at is None for at, _ in dated),
        )

    def spoken(self, call_ids: Iterable[str]) -> Mapping[str, Sequence[Spoken]]:
        """What was said in these calls, in order."""
        asked = set(call_ids)
        return {result.call.id: list(_spoken(result)) for result in self.results if result.call.id in asked}

    def agents_lines(self, wanted: Wanted, words: Sequence[str]) -> Sequence[Spoken]:
        """What agents said in the calls that fit, as far as it holds one of the words."""
        inside = {call.id for call in self.material(wanted).calls}
        lines = (spoken for result in self.results if result.call.id in inside for spoken in _spoken(result))
        return [line for line in lines if line.speaker is Speaker.AGENT and any(word in line.text for word in words)]


def read_results(folder: Path) -> Results:
    """All result files of a folder and the folders in it. Raises InputError naming the file that is none."""
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise InputError(f"{folder} 里没有结果文件：应为 phrasecheck check --out 写出的文件夹")
    return Results(tuple(_read(file) for file in files))


def _read(file: Path) -> CallResult:
    try:
        return from_json(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError, InputError) as error:
        raise InputError(f"{file} 不是 phrasecheck check 的结果文件：{error}") from error


def said_at(result: CallResult, wanted: Wanted) -> datetime | None:
    """When the call was, as the metadata say it: 2026-10-05 09:30, 2026/10/5 9:30 or 20261005 093000."""
    text = next((result.call.metadata[name] for name in TIMES if result.call.metadata.get(name)), "")
    numbers = re.findall(r"\d+", re.sub(r"^(\d{4})(\d\d)(\d\d)", r"\1 \2 \3 ", text))
    if len(numbers) < 3:
        return None
    try:
        at = datetime(*map(int, numbers[:3]), *map(int, _clock(numbers[3:])))  # type: ignore[arg-type]
    except ValueError:
        return None
    return at.replace(tzinfo=wanted.period.zone)


def _clock(numbers: Sequence[str]) -> list[str]:
    whole = numbers[0] if numbers else ""
    return [whole[:2], whole[2:4], whole[4:6] or "0"] if len(whole) in (4, 6) else list(numbers[:3])


def _fits(result: CallResult, wanted: Wanted) -> bool:
    call = result.call
    roles = {call.role, *(card.role for card in result.scorecards)}
    return wanted.agent in (None, call.agent) and wanted.team in (None, call.team) and (wanted.role is None or wanted.role in roles)


def _facts(result: CallResult, at: datetime) -> CallFacts:
    call = result.call
    return CallFacts(
        id=call.id,
        source=call.source,
        agent=call.agent,
        team=call.team,
        role=call.role,
        roles=tuple(card.role for card in result.scorecards),
        said_at=at,
        lexicon=result.provenance.lexicon,
    )


def _moments(result: CallResult) -> Iterator[Moment]:
    said = {utterance.id: utterance for utterance in result.transcript.utterances}
    for number, hit in enumerate(result.hits):
        if hit.utterance_id in said:
            yield Moment(
                key=f"{result.call.id}/{number}",
                call_id=result.call.id,
                utterance_id=hit.utterance_id,
                phrase_id=hit.phrase_id,
                quote=hit.quote,
                at_s=hit.start_s,
                score=hit.score,
                role=said[hit.utterance_id].role or result.call.role,
                standing=Standing.OPEN if hit.state is HitState.DOUBTFUL else Standing.COUNTED,
            )


def _spoken(result: CallResult) -> Iterator[Spoken]:
    for utterance in result.transcript.utterances:
        yield Spoken(call_id=result.call.id, id=utterance.id, start_s=utterance.start, speaker=utterance.speaker, text=utterance.text)
