"""qualifiers: signs that the words are quoted, denied, or said with courtesy; they may only lower a score.

In: a turn and a stretch of it. Out: which cues hold there. The cues are data (lexicons/qualifiers.yaml); how much each lowers the score is
learnt by fuse with a weight that cannot rise above zero.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from phrasecheck.normalize import normalize
from phrasecheck.resources import resource

BEFORE = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualifier:
    """One kind of cue. `before` looks ahead of the stretch and into its first half; otherwise anywhere in the turn counts."""

    name: str
    says: str
    before: bool
    pattern: re.Pattern[str]


def load_qualifiers(path: Path | None = None) -> tuple[Qualifier, ...]:
    """The cues of `path` (default: the shipped file)."""
    rows = yaml.safe_load((path or resource("lexicons/qualifiers.yaml")).read_text(encoding="utf-8"))
    return tuple(
        Qualifier(
            name=row["name"],
            says=row["says"],
            before=row["where"] == "before",
            pattern=re.compile("|".join(f"(?:{p})" for p in row["patterns"])),
        )
        for row in rows
    )


def qualify(text: str, start: int, end: int, qualifiers: Sequence[Qualifier]) -> tuple[Qualifier, ...]:
    """The qualifiers that hold for `text[start:end]`."""
    near = normalize(text[max(0, start - BEFORE) : start + (end - start) // 2]).text
    whole = normalize(text).text
    return tuple(q for q in qualifiers if q.pattern.search(near if q.before else whole))
