"""Courtesy noticed: what went well, found by a short list of cues.

In: what an agent said, and which utterances hold a hit. Out: how often each kind of courtesy was heard, with one example. The one decision:
it is a small honest detector: words and patterns in lexicons/courtesy.yaml, never in an utterance that has any hit (a violation wrapped in
«不好意思» is no courtesy), and it changes no score.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from phrasecheck.errors import InputError
from phrasecheck.feedback.facts import Spoken
from phrasecheck.normalize import normalize
from phrasecheck.resources import resource
from phrasecheck.types import Speaker

SHIPPED = "lexicons/courtesy.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One kind of courtesy. `words`: at least one is in every text that `pattern` may fit."""

    name: str
    says: str
    words: tuple[str, ...]
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Courtesy:
    """How often one kind was heard; `example` is a line of handy length."""

    name: str
    says: str
    count: int
    example: Spoken


@cache
def load_cues(path: Path | None = None) -> tuple[Cue, ...]:
    """The cues of a file (the shipped one). Raises InputError."""
    file = path or resource(SHIPPED)
    try:
        return tuple(_cue(row) for row in yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, KeyError, TypeError, re.error) as error:
        raise InputError(f"{file} 应为「name、says、words、pattern」的列表：{error!r}") from error


def _cue(row: Any) -> Cue:
    return Cue(name=row["name"], says=row["says"], words=tuple(row["words"]), pattern=re.compile(row["pattern"]))


def words(cues: Iterable[Cue]) -> tuple[str, ...]:
    """What a database is to look for."""
    return tuple(dict.fromkeys(word for cue in cues for word in cue.words))


def heard(text: str, cues: Iterable[Cue]) -> list[Cue]:
    """The kinds of courtesy in a text."""
    comparable = normalize(text).text
    return [cue for cue in cues if cue.pattern.search(comparable)]


def noticed(lines: Iterable[Spoken], hits: Collection[tuple[str, str]], cues: Sequence[Cue]) -> tuple[Courtesy, ...]:
    """The kinds that were heard, the most frequent first. `hits` are (call, utterance) with any hit, doubtful ones too."""
    found: dict[str, list[Spoken]] = {}
    for line in lines:
        if line.speaker is Speaker.AGENT and (line.call_id, line.id) not in hits:
            for cue in heard(line.text, cues):
                found.setdefault(cue.name, []).append(line)
    made = [
        Courtesy(name=cue.name, says=cue.says, count=len(own), example=min(own, key=lambda s: (abs(len(s.text) - 18), s.call_id, s.id)))
        for cue in cues
        if (own := found.get(cue.name))
    ]
    return tuple(sorted(made, key=lambda courtesy: -courtesy.count))
