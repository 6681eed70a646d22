"""Questions for trainees, made from real moments; and what phrasecheck says of an answer.

In: a coaching pack; an answer and a matcher. Out: Questions; a Judgement. The one decision: the answer is judged by the same matcher as
calls are, so the page can say neither more nor less than a check would: «would be flagged, for this phrase, for this reason», or «nothing
would be flagged», which is not the same as «well said».
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from phrasecheck.feedback.better import better
from phrasecheck.feedback.courtesy import heard, load_cues
from phrasecheck.feedback.reports import CoachingPack, Shown
from phrasecheck.lexicon import Lexicon
from phrasecheck.matching.matcher import Line
from phrasecheck.types import Hit, HitState, Role, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a customer said, and three answers in an order that is always the same and tells nothing."""

    id: str
    role: Role
    phrase_id: str
    customer: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One thing that would be flagged."""

    phrase_id: str
    text: str
    quote: str
    sure: bool  # False: doubtful, somebody would be asked
    reason: str
    why: str
    instead: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What phrasecheck would do, and what courtesy it hears."""

    answer: str
    flags: tuple[Flag, ...]
    courtesies: tuple[str, ...]


class Judge(Protocol):
    """A matcher."""

    def verdicts(self, lines: Sequence[Line]) -> list[Verdict]:
        """One a line."""


def questions(pack: CoachingPack, lexicon: Lexicon, limit: int = 10) -> tuple[Question, ...]:
    """One a phrase, of those that a customer's words lead to; the phrases with most moments first."""
    ordered = sorted(pack.phrases, key=lambda item: (-item.found, item.phrase.id))
    chosen = (next((shown for shown in item.examples if shown.before), None) for item in ordered)
    return tuple(_question(shown, lexicon) for shown in chosen if shown is not None)[:limit]


def _question(shown: Shown, lexicon: Lexicon) -> Question:
    moment = shown.costly.moment
    phrase = lexicon.phrases[moment.phrase_id]
    said = f"{shown.head}{shown.quote}{shown.tail}"
    answers = dict.fromkeys((said, shown.better, phrase.spoken[0]))
    return Question(
        id=moment.key,
        role=moment.role,
        phrase_id=phrase.id,
        customer=shown.before or "",
        answers=tuple(sorted(answers, key=lambda answer: sha256((moment.key + answer).encode()).digest())),
    )


def judge(answer: str, role: Role, matcher: Judge, lexicon: Lexicon) -> Judgement:
    """What would be flagged in an answer given in this role."""
    (verdict,) = matcher.verdicts([Line(id="answer", text=answer, role=role)])
    hits = [hit for hit in verdict.hits if hit.phrase_id in lexicon.phrases]
    return Judgement(
        answer=answer,
        flags=tuple(_flag(hit, role, lexicon) for hit in hits),
        courtesies=() if hits else tuple(cue.says for cue in heard(answer, load_cues())),
    )


def _flag(hit: Hit, role: Role, lexicon: Lexicon) -> Flag:
    phrase = lexicon.phrases[hit.phrase_id]
    return Flag(
        phrase_id=phrase.id,
        text=phrase.text,
        quote=hit.quote,
        sure=hit.state is HitState.HIT,
        reason=hit.reason,
        why=phrase.why,
        instead=better(phrase, role),
    )
