"""Hits -> Findings -> one Scorecard per role; docs/scoring.md shows the sum on an example.

In: the hits of one call, its transcript, the lexicon and the score settings. Out: every hit as a Finding, counted or not, with
the reason, and the points of each role. The one decision: nothing disappears. What does not count (doubtful, speaker unsure, said
again in one breath) stays on the card at the price it would have, so that a reviewer sees what is at stake. `score` takes any Finding, also
one without words (a greeting left out, a long silence), so rules over a whole call need no second sum.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from phrasecheck.errors import InputError
from phrasecheck.settings import ScoreSettings
from phrasecheck.types import Finding, Hit, HitState, Role, Scorecard, Severity, Speaker, Transcript, Utterance

if TYPE_CHECKING:
    from phrasecheck.lexicon import Lexicon, Phrase

# (utterance, phrase) -> did somebody say that it is one (True) or that it is none (False)? What nobody has judged is not in it.
Verdicts = Mapping[tuple[str | None, str], bool]

CUSTOMER = "客户说的话，不计分"
UNSURE = "说话人未确定，待人工复核"
DOUBTFUL = "存疑，待人工复核"
REPEATED = "同一口气重复，只计一次"
CLEARED = "复核后不算违规，不计分"
AFFIRMED = "人工复核确认"


def findings(
    hits: Iterable[Hit], transcript: Transcript, lexicon: "Lexicon", settings: ScoreSettings, role: Role = Role.RECEPTION
) -> list[Finding]:
    """One Finding a hit, in the order of the call. `role` is taken where an utterance has none of its own.

    `points` is the price of the finding, whether it is counted or not. Raises InputError when a severity has no price in the settings,
    or when a hit names a phrase or an utterance that is not there (a transcript scored with the hits of another lexicon).
    """
    order = {utterance.id: place for place, utterance in enumerate(transcript.utterances)}
    turns = {utterance.id: turn for turn, utterance in enumerate(agent_utterances(transcript))}
    _check(hits := list(hits), order, lexicon)
    counted: dict[tuple[Role, str], Hit] = {}
    made: list[Finding] = []
    for hit in sorted(hits, key=lambda hit: (order[hit.utterance_id], hit.start, hit.phrase_id)):
        utterance = transcript.utterances[order[hit.utterance_id]]
        key = (utterance.role or role, hit.phrase_id)
        discount = _why_not(hit, utterance)
        if discount is None and key in counted and _one_breath(counted[key], hit, turns, settings.repeat_window_s):
            discount = REPEATED
        if discount is None:
            counted[key] = hit
        finding = _finding(hit, utterance, key[0], lexicon.phrases[hit.phrase_id], settings)
        made.append(finding if discount is None else replace(finding, counted=False, reason=discount))
    return made


def score(findings: Sequence[Finding], transcript: Transcript, settings: ScoreSettings, role: Role) -> tuple[Scorecard, ...]:
    """One Scorecard per role among the agent's utterances, in the order they take over, then roles that only a counted finding names.

    `role` is taken for utterances that have none. A call in which nobody is known to be the agent has no scorecard: 100 points for
    nothing heard would lift every average.
    """
    spoken: dict[Role, list[Utterance]] = {}
    for utterance in agent_utterances(transcript):
        spoken.setdefault(utterance.role or role, []).append(utterance)
    for finding in findings:
        if finding.counted:
            spoken.setdefault(finding.role, [])
    return tuple(_card(role, [f for f in findings if f.role is role], said, settings) for role, said in spoken.items())


def judged(cards: Iterable[Scorecard], verdicts: Verdicts, settings: ScoreSettings) -> tuple[Scorecard, ...]:
    """The cards after people have looked: what they cleared costs nothing, what was doubtful and they affirmed costs its price.

    What was said again in one breath with a cleared one takes its place. Findings that no verdict names stay what they were.
    """
    return tuple(_judged(card, verdicts, settings) for card in cards)


def _judged(card: Scorecard, verdicts: Verdicts, settings: ScoreSettings) -> Scorecard:
    made: list[Finding] = []
    counted: dict[str, Finding] = {}
    for found in card.findings:
        ruled = _ruled(found, verdicts.get((found.utterance_id, found.phrase_id)))
        first = counted.get(found.phrase_id)
        if ruled.counted and first is not None and _again(first, ruled, settings.repeat_window_s):
            ruled = replace(ruled, counted=False, reason=REPEATED)
        if ruled.counted:
            counted[ruled.phrase_id] = ruled
        made.append(ruled)
    return _with(card, made, settings)


def _ruled(finding: Finding, stands: bool | None) -> Finding:
    """By itself, before its neighbours are looked at. A repeated one counts until one before it is found to count."""
    if stands is False:
        return replace(finding, counted=False, reason=CLEARED)
    if stands is True and not finding.counted:
        return replace(finding, counted=True, reason=f"{finding.severity}：{AFFIRMED}")
    if finding.reason == REPEATED:
        return replace(finding, counted=True, reason=f"{finding.severity}：同一口气里前一处不算，改计这一处")
    return finding


def _again(first: Finding, finding: Finding, window_s: float) -> bool:
    if first.at_s is None or finding.at_s is None:
        return first.utterance_id == finding.utterance_id
    return finding.at_s - first.at_s <= window_s


def agent_utterances(transcript: Transcript) -> list[Utterance]:
    """What the agent surely said, in order."""
    return [utterance for utterance in transcript.utterances if utterance.speaker is Speaker.AGENT]


def _check(hits: Iterable[Hit], order: Mapping[str, int], lexicon: "Lexicon") -> None:
    for hit in hits:
        if hit.utterance_id not in order:
            raise InputError(f"命中指向的话 {hit.utterance_id} 不在转写里：请用同一次转写的命中来计分")
        if hit.phrase_id not in lexicon.phrases:
            raise InputError(f"词库 {lexicon.id} {lexicon.version} 里没有条款 {hit.phrase_id}：请用这个词库重新匹配（phrasecheck rescore）")


def _why_not(hit: Hit, utterance: Utterance) -> str | None:
    if utterance.speaker is Speaker.CUSTOMER:
        return CUSTOMER
    if utterance.speaker is Speaker.UNSURE:
        return UNSURE
    return DOUBTFUL if hit.state is HitState.DOUBTFUL else None


def _one_breath(first: Hit, again: Hit, turns: Mapping[str, int], window_s: float) -> bool:
    """Measured from the one that was counted, so that going on for a minute costs more than once."""
    if first.start_s is not None and again.start_s is not None:
        return again.start_s - first.start_s <= window_s
    return turns[again.utterance_id] - turns[first.utterance_id] <= 1


def _finding(hit: Hit, utterance: Utterance, role: Role, phrase: "Phrase", settings: ScoreSettings) -> Finding:
    own = role in phrase.roles
    return Finding(
        role=role,
        phrase_id=hit.phrase_id,
        points=price(phrase, role, settings),
        severity=phrase.severity,
        reason=f"{phrase.severity}：{phrase.severity_reason}",
        own_section=own,
        fatal=is_fatal(phrase, settings),
        utterance_id=hit.utterance_id,
        at_s=hit.start_s if hit.start_s is not None else (utterance.start if utterance.end > 0 else None),
    )


def price(phrase: "Phrase", role: Role, settings: ScoreSettings) -> float:
    """What saying the phrase in this role costs. Raises InputError when its severity has no price."""
    factor = 1.0 if role in phrase.roles else settings.other_section_factor
    return _price(phrase.severity, role, settings) * factor


def is_fatal(phrase: "Phrase", settings: ScoreSettings) -> bool:
    """Whether saying it once fails the card."""
    return phrase.fatal if settings.fatal is None else phrase.id in settings.fatal


def left(findings: Iterable[Finding], settings: ScoreSettings) -> float:
    """The start less the counted findings, each severity up to its cap; may be below 0."""
    cost: dict[Severity, float] = {}
    for finding in findings:
        if finding.counted:
            cost[finding.severity] = cost.get(finding.severity, 0.0) + finding.points
    return settings.start - sum(min(points, settings.caps.get(severity, points)) for severity, points in cost.items())


def points(findings: Sequence[Finding], settings: ScoreSettings) -> float:
    """The points of a card with these findings."""
    whole = max(left(findings, settings), 0.0)
    return min(whole, settings.fatal_points) if any(f.fatal and f.counted for f in findings) else whole


def _price(severity: Severity, role: Role, settings: ScoreSettings) -> float:
    try:
        return (settings.deductions | settings.role_deductions.get(role, {}))[severity]
    except KeyError:
        named = "、".join(settings.deductions) or "（空）"
        raise InputError(f"设置 scoring.deductions 应写明三档扣分，缺少「{severity}」，现有：{named}") from None


def _card(role: Role, findings: Sequence[Finding], said: Sequence[Utterance], settings: ScoreSettings) -> Scorecard:
    seconds = sum(utterance.end - utterance.start for utterance in said)
    empty = Scorecard(role=role, points=0, findings=(), utterances=len(said), seconds=seconds, failed=False, explanation="")
    return _with(empty, findings, settings)


def _with(card: Scorecard, findings: Sequence[Finding], settings: ScoreSettings) -> Scorecard:
    """The card with these findings, added up."""
    counted = [finding for finding in findings if finding.counted]
    fatal = [finding for finding in counted if finding.fatal]
    rest = left(counted, settings)
    return replace(
        card,
        points=points(counted, settings),
        findings=tuple(findings),
        failed=bool(fatal),
        explanation=_sum(counted, rest, settings) + _verdict(fatal, max(rest, 0.0), settings) + _rest(findings),
    )


def _sum(counted: Sequence[Finding], rest: float, settings: ScoreSettings) -> str:
    if not counted:
        return f"没有扣分，得 {_number(settings.start)} 分"
    less = "".join(f"− {_number(finding.points)}（{_named(finding)}）" for finding in counted)
    spared = rest - settings.start + sum(finding.points for finding in counted)
    total = f"{_number(settings.start)} {less}{_spared(spared)}= {_number(rest)}"
    return total if rest >= 0 else f"{total}，不足 0 分按 0 分计"


def _spared(points: float) -> str:
    return f"+ {_number(points)}（超过上限的部分不扣）" if points > 1e-9 else ""


def _named(finding: Finding) -> str:
    return f"{finding.phrase_id} {finding.severity}" + ("" if finding.own_section else "，非本岗位条款")


def _verdict(fatal: Sequence[Finding], rest: float, settings: ScoreSettings) -> str:
    if not fatal:
        return ""
    ids = "、".join(dict.fromkeys(finding.phrase_id for finding in fatal))
    return f"；{ids} 一票否决，得 {_number(min(rest, settings.fatal_points))} 分"


def _rest(findings: Sequence[Finding]) -> str:
    reasons = Counter(finding.reason for finding in findings if not finding.counted)
    if not reasons:
        return ""
    listed = "；".join(f"{reason} {count} 处" for reason, count in reasons.items())
    return f"（另有 {sum(reasons.values())} 处未计分：{listed}）"


def _number(value: float) -> str:
    return f"{round(value, 2):g}".replace("-", "−")
