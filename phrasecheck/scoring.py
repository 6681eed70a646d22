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

CUSTOMER = "客户说的话，不计分"
UNSURE = "说话人未确定，待人工复核"
DOUBTFUL = "存疑，待人工复核"
REPEATED = "同一口气重复，只计一次"


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
        points=_price(phrase.severity, settings) * (1.0 if own else settings.other_section_factor),
        severity=phrase.severity,
        reason=f"{phrase.severity}：{phrase.severity_reason}",
        own_section=own,
        fatal=phrase.fatal,
        utterance_id=hit.utterance_id,
        at_s=hit.start_s if hit.start_s is not None else (utterance.start if utterance.end > 0 else None),
    )


def _price(severity: Severity, settings: ScoreSettings) -> float:
    try:
        return settings.deductions[severity]
    except KeyError:
        named = "、".join(settings.deductions) or "（空）"
        raise InputError(f"设置 scoring.deductions 应写明三档扣分，缺少「{severity}」，现有：{named}") from None


def _card(role: Role, findings: Sequence[Finding], said: Sequence[Utterance], settings: ScoreSettings) -> Scorecard:
    counted = [finding for finding in findings if finding.counted]
    left = settings.start - sum(finding.points for finding in counted)
    fatal = [finding for finding in counted if finding.fatal]
    points = max(left, 0.0)
    return Scorecard(
        role=role,
        points=min(points, settings.fatal_points) if fatal else points,
        findings=tuple(findings),
        utterances=len(said),
        seconds=sum(utterance.end - utterance.start for utterance in said),
        failed=bool(fatal),
        explanation=_sum(counted, left, settings) + _verdict(fatal, points, settings) + _rest(findings),
    )


def _sum(counted: Sequence[Finding], left: float, settings: ScoreSettings) -> str:
    if not counted:
        return f"没有扣分，得 {_number(settings.start)} 分"
    less = "".join(f"− {_number(finding.points)}（{_named(finding)}）" for finding in counted)
    total = f"{_number(settings.start)} {less}= {_number(left)}"
    return total if left >= 0 else f"{total}，不足 0 分按 0 分计"


def _named(finding: Finding) -> str:
    return f"{finding.phrase_id} {finding.severity}" + ("" if finding.own_section else "，非本岗位条款")


def _verdict(fatal: Sequence[Finding], points: float, settings: ScoreSettings) -> str:
    if not fatal:
        return ""
    ids = "、".join(dict.fromkeys(finding.phrase_id for finding in fatal))
    return f"；{ids} 一票否决，得 {_number(min(points, settings.fatal_points))} 分"


def _rest(findings: Sequence[Finding]) -> str:
    reasons = Counter(finding.reason for finding in findings if not finding.counted)
    if not reasons:
        return ""
    listed = "；".join(f"{reason} {count} 处" for reason, count in reasons.items())
    return f"（另有 {sum(reasons.values())} 处未计分：{listed}）"


def _number(value: float) -> str:
    return f"{round(value, 2):g}".replace("-", "−")
