"""The reports as values: everything that a page, a sheet or a print says, and nothing about how it looks.

In: made by make.py. Out: drawn by report/feedback_html.py, feedback_pdf.py and feedback_xlsx.py, which therefore cannot disagree.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from phrasecheck.feedback.cards import Costly
from phrasecheck.feedback.courtesy import Courtesy
from phrasecheck.feedback.interval import Interval
from phrasecheck.feedback.period import Period
from phrasecheck.feedback.sums import Figures, PhraseCount, Week
from phrasecheck.lexicon import Phrase
from phrasecheck.settings import ScoreSettings
from phrasecheck.types import Role


class Kind(StrEnum):
    """What a report is about."""

    AGENT = "agent"
    TEAM = "team"
    ROLE = "role"
    DIRECTOR = "director"
    COACHING = "coaching"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A moment with its words: what the customer said before (None: the agent began), the whole utterance around the quote, the better sentence."""

    costly: Costly
    before: str | None
    head: str
    quote: str
    tail: str
    better: str

    @property
    def said_at(self) -> datetime | None:
        """When the call was."""
        return self.costly.call.said_at


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseBlock:
    """A phrase and the moments in which it was said: some in full, and how many more there are."""

    phrase: Phrase
    count: int
    points: float
    better: str
    shown: tuple[Shown, ...]

    @property
    def more(self) -> int:
        """Moments that are not shown."""
        return self.count - len(self.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """A sentence to practise this week: instead of what, and why this one."""

    phrase: Phrase
    sentence: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """An agent beside the others of the team. `apart` is None where nothing may be said; `sentence` says it in words in any case."""

    apart: Interval | None
    others: int  # calls of the others
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What made the figures, so that they can be made again and compared: the lexicon of the sums, those of the checks, the
    weights, remarks (Chinese)."""

    lexicon: str
    lexicon_sha256: str
    checked_with: tuple[tuple[str, int], ...]  # lexicon, calls
    scoring: ScoreSettings
    software: str
    unscored: int  # calls in which nobody is known to be the agent
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReport:
    """For one agent, and to be talked over with him."""

    name: str
    team: str | None
    roles: tuple[Role, ...]
    period: Period
    figures: Figures
    comparison: Comparison
    weeks: tuple[Week, ...]
    team_weeks: tuple[Week, ...]
    courtesies: tuple[Courtesy, ...]
    phrases: tuple[PhraseBlock, ...]
    practise: tuple[Practice, ...]
    found: tuple[Costly, ...]  # all moments that count, in order
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a table of figures: an agent, a team, a role. `few`: too few calls to compare."""

    name: str
    figures: Figures
    few: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamReport:
    """For who leads a team. Agents stand by their number, not by their points."""

    name: str
    period: Period
    figures: Figures
    weeks: tuple[Week, ...]
    agents: tuple[Row, ...]
    phrases: tuple[PhraseCount, ...]
    courtesies: tuple[Courtesy, ...]
    moments: tuple[Shown, ...]
    practise: tuple[Practice, ...]
    found: tuple[Costly, ...]
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleReport:
    """One of the nine roles."""

    role: Role
    period: Period
    figures: Figures
    weeks: tuple[Week, ...]
    teams: tuple[Row, ...]
    phrases: tuple[PhraseCount, ...]
    moments: tuple[Shown, ...]
    practise: tuple[Practice, ...]
    found: tuple[Costly, ...]
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorPage:
    """All nine roles on one page."""

    period: Period
    figures: Figures
    weeks: tuple[Week, ...]
    roles: tuple[tuple[Role, Row], ...]
    phrases: tuple[PhraseCount, ...]
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class PackPhrase:
    """A phrase in the coaching pack with real examples."""

    phrase: Phrase
    found: int
    examples: tuple[Shown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoachingPack:
    """Real examples by phrase: confirmed ones first, without personal data."""

    name: str
    period: Period
    phrases: tuple[PackPhrase, ...]
    basis: Basis


Report = AgentReport | TeamReport | RoleReport | DirectorPage | CoachingPack
