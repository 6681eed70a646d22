"""Cards as the figures of a person, a team or a role, and how they went from week to week.

In: Cards. Out: Figures, Weeks, PhraseCounts. The one decision: rates are per 100 calls and stand beside the number of calls, because two
violations in four calls and two hundred in four hundred are not the same news.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean

from phrasecheck.feedback.cards import Card, Costly, by_severity
from phrasecheck.feedback.facts import Standing
from phrasecheck.feedback.interval import Interval, mean, share
from phrasecheck.feedback.period import Period, monday_of
from phrasecheck.lexicon import Lexicon, Phrase
from phrasecheck.types import Role, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a set of cards comes to. `points` is the mean of the cards; None without any."""

    calls: int
    cards: int
    flagged: int  # calls with a violation
    share: Interval | None  # of the calls that are flagged
    points: float | None
    spread: Interval | None  # of the mean points
    failed: int  # cards with a fatal phrase
    counted: Mapping[Severity, int]
    confirmed: int  # of those counted
    appealed: int  # of those counted
    open: int
    cleared: int

    @property
    def violations(self) -> int:
        """Of any severity."""
        return sum(self.counted.values())

    def per_100(self, severity: Severity | None = None) -> float | None:
        """Violations per 100 calls; None without calls."""
        number = self.violations if severity is None else self.counted[severity]
        return 100 * number / self.calls if self.calls else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """A week of a period, with or without calls."""

    monday: date
    figures: Figures

    @property
    def label(self) -> str:
        """«10-05»: the day it began."""
        return self.monday.strftime("%m-%d")

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseCount:
    """How often a phrase was said, and what it cost in all."""

    phrase: Phrase
    count: int
    points: float
    own: bool  # of the section of the role in question


def figures(cards: Sequence[Card], highest: float) -> Figures:
    """All of them together."""
    counted = [costly for card in cards for costly in card.counted]
    others = [moment for card in cards for moment in card.others]
    calls, flagged = {card.call.id for card in cards}, {card.call.id for card in cards if card.counted}
    values = [card.points for card in cards]
    return Figures(
        calls=len(calls),
        cards=len(cards),
        flagged=len(flagged),
        share=share(len(flagged), len(calls)),
        points=fmean(values) if values else None,
        spread=mean(values, highest),
        failed=sum(card.failed for card in cards),
        counted=by_severity(counted),
        confirmed=sum(c.moment.standing is Standing.CONFIRMED for c in counted),
        appealed=sum(c.moment.standing is Standing.APPEALED for c in counted),
        open=sum(moment.standing is Standing.OPEN for moment in others),
        cleared=sum(moment.standing is Standing.CLEARED for moment in others),
    )


def weeks(cards: Iterable[Card], period: Period, highest: float) -> tuple[Week, ...]:
    """Every week of the period; cards without a day are in none."""
    by_week: dict[date, list[Card]] = {monday: [] for monday in period.weeks}
    for card in cards:
        if card.day is not None:
            by_week[monday_of(card.day)].append(card)
    return tuple(Week(monday=monday, figures=figures(own, highest)) for monday, own in by_week.items())


def phrase_counts(found: Iterable[Costly], lexicon: Lexicon, role: Role | None = None) -> tuple[PhraseCount, ...]:
    """What was said, the dearest first; with a role, the phrases of its own section before all others."""
    counts: dict[str, list[Costly]] = {}
    for costly in found:
        counts.setdefault(costly.moment.phrase_id, []).append(costly)
    made = [
        PhraseCount(
            phrase=lexicon.phrases[phrase_id],
            count=len(own),
            points=sum(costly.finding.points for costly in own),
            own=role is not None and own_section(lexicon.phrases[phrase_id], role, lexicon),
        )
        for phrase_id, own in counts.items()
    ]
    return tuple(sorted(made, key=lambda c: (not c.own, -c.points, -c.count, c.phrase.id)))


def own_section(phrase: Phrase, role: Role, lexicon: Lexicon) -> bool:
    """Whether the phrase stands in the section that binds the fewest roles beside this one: 9.5 for survey; for reception 9.1, which has no narrower one."""
    bound = [section for section in lexicon.sections.values() if role in section.roles]
    return role in phrase.roles and len(phrase.roles) == min((len(section.roles) for section in bound), default=0)
