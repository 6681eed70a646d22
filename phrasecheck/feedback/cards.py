"""Points again, from the moments as they stand.

In: Material, the lexicon, the score settings. Out: one Card a call and role, and what counted in it. The one decision: the sum is scoring's
own (`price`, `points`); only what goes into it differs from the day of the check: what was cleared is gone, what was confirmed is in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from phrasecheck.feedback.facts import CallFacts, Material, Moment
from phrasecheck.lexicon import Lexicon
from phrasecheck.scoring import is_fatal, points, price
from phrasecheck.settings import ScoreSettings
from phrasecheck.types import Finding, Role, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Costly:
    """A moment that counts, and what it costs."""

    moment: Moment
    finding: Finding
    call: CallFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One role in one call: the unit of every average. `others` stood for nothing: doubtful, cleared, or said again in one breath."""

    call: CallFacts
    role: Role
    day: date | None
    points: float
    failed: bool
    counted: tuple[Costly, ...]
    others: tuple[Moment, ...]


def cards(material: Material, lexicon: Lexicon, settings: ScoreSettings) -> list[Card]:
    """The cards of all calls, in the calls' order; a call in which nobody is known to be the agent has none unless a moment counts."""
    by_call: dict[str, list[Moment]] = {}
    for moment in material.moments:
        by_call.setdefault(moment.call_id, []).append(moment)
    made: list[Card] = []
    for call in material.calls:
        own = by_call.get(call.id, [])
        day = material.period.day(call.said_at) if call.said_at else None
        roles = dict.fromkeys([*call.roles, *(m.role for m in own if m.counts)])
        made += (_card(call, role, day, [m for m in own if m.role is role], lexicon, settings) for role in roles)
    return made


def _card(call: CallFacts, role: Role, day: date | None, own: Sequence[Moment], lexicon: Lexicon, settings: ScoreSettings) -> Card:
    kept, others = _one_breath(own, settings.repeat_window_s)
    known = [moment for moment in kept if moment.phrase_id in lexicon.phrases]
    counted = tuple(Costly(moment=m, finding=_finding(m, lexicon, settings), call=call) for m in known)
    findings = [costly.finding for costly in counted]
    return Card(
        call=call,
        role=role,
        day=day,
        points=points(findings, settings),
        failed=any(finding.fatal for finding in findings),
        counted=counted,
        others=(*others, *(m for m in kept if m.phrase_id not in lexicon.phrases)),
    )


def _one_breath(own: Iterable[Moment], window_s: float) -> tuple[list[Moment], list[Moment]]:
    """Those that count, and the others; scoring's rule: the same phrase within the window of the one that counted is one breath."""
    last: dict[str, Moment] = {}
    kept: list[Moment] = []
    others: list[Moment] = []
    for moment in sorted(own, key=lambda m: (m.at_s or 0.0, m.key)):
        before = last.get(moment.phrase_id)
        if not moment.counts or (before is not None and _again(before, moment, window_s)):
            others.append(moment)
            continue
        last[moment.phrase_id] = moment
        kept.append(moment)
    return kept, others


def _again(first: Moment, moment: Moment, window_s: float) -> bool:
    if first.at_s is None or moment.at_s is None:
        return first.utterance_id == moment.utterance_id
    return moment.at_s - first.at_s <= window_s


def _finding(moment: Moment, lexicon: Lexicon, settings: ScoreSettings) -> Finding:
    phrase = lexicon.phrases[moment.phrase_id]
    return Finding(
        role=moment.role,
        phrase_id=moment.phrase_id,
        points=price(phrase, moment.role, settings),
        severity=phrase.severity,
        reason=phrase.severity_reason,
        own_section=moment.role in phrase.roles,
        fatal=is_fatal(phrase, settings),
        utterance_id=moment.utterance_id,
        at_s=moment.at_s,
    )


def by_severity(found: Iterable[Costly]) -> Mapping[Severity, int]:
    """How many of each."""
    counts = dict.fromkeys(Severity, 0)
    for costly in found:
        counts[costly.finding.severity] += 1
    return counts
