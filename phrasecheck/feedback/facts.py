"""What reports are made from: calls, and the moments in them as people have judged them.

In: rows of the store or result files. Out: Material. The one decision: a Source hands out facts without words; the words around a moment are read
for the few moments that are shown, so that ten thousand calls cost two queries.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from phrasecheck.feedback.period import Period
from phrasecheck.types import Role, Speaker


class Standing(StrEnum):
    """What a moment is worth after all that people have said of it."""

    COUNTED = "counted"  # found by the program, nobody has looked yet: counts
    CONFIRMED = "confirmed"  # somebody has looked and agrees (or an appeal was dismissed): counts
    APPEALED = "appealed"  # the agent objects: counts until judged
    OPEN = "open"  # doubtful, and nobody has looked: counts for nothing
    CLEARED = "cleared"  # rejected, or an appeal was right: counts for nothing


COUNTS = frozenset({Standing.COUNTED, Standing.CONFIRMED, Standing.APPEALED})


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """One checked call. `roles` are those of its scorecards; none: nobody in it is known to be the agent."""

    id: str
    source: str
    agent: str | None
    team: str | None
    role: Role
    roles: tuple[Role, ...]
    said_at: datetime | None
    lexicon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One hit as it stands."""

    key: str
    call_id: str
    utterance_id: str
    phrase_id: str
    quote: str
    at_s: float | None
    score: float
    role: Role
    standing: Standing

    @property
    def counts(self) -> bool:
        """Whether it is a violation."""
        return self.standing in COUNTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One utterance, as far as reports need it."""

    call_id: str
    id: str
    start_s: float
    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which calls; what is None does not matter."""

    period: Period
    agent: str | None = None
    team: str | None = None
    role: Role | None = None  # any call in which it was taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The calls of a period and their moments. `undated` calls were left out because nobody knows when they were."""

    period: Period
    calls: tuple[CallFacts, ...]
    moments: tuple[Moment, ...]
    undated: int = 0


class Source(Protocol):
    """Where calls are kept."""

    def material(self, wanted: Wanted) -> Material:
        """The calls that fit, with their moments."""

    def spoken(self, call_ids: Iterable[str]) -> Mapping[str, Sequence[Spoken]]:
        """What was said in these calls, in order."""

    def agents_lines(self, wanted: Wanted, words: Sequence[str]) -> Sequence[Spoken]:
        """What agents said in the calls that fit, as far as it holds one of the words."""
