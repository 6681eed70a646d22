"""Stored results against another lexicon: only what the change can touch is judged again, and a list says what became different.

In: a stored result, the lexicon that made it, a matcher with another. Out: a new result, and the Changes between the two. The one decision: what a
change of the lexicon cannot touch keeps its hits as they are, what the sound of the call had to say about them included, for stored transcripts
have no sound. What can be touched is found without reading the words again: by the wordings that changed, and by prints.py.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Literal

import numpy as np

from phrasecheck import __version__
from phrasecheck.lexicon import Exemplar, Lexicon, Phrase
from phrasecheck.matching.matcher import FINDERS, Finder, Matcher
from phrasecheck.matching.own import SLOPE
from phrasecheck.matching.reading import Floats
from phrasecheck.matching.semantic import embed, own_lines
from phrasecheck.normalize import Normalized, normalize
from phrasecheck.pipeline import Allowed, assemble, judge, models_of, rejudge
from phrasecheck.prints import Print, units
from phrasecheck.settings import Settings
from phrasecheck.split import pairs
from phrasecheck.types import CallResult, Finding, Hit

SLACK = 0.005  # what a byte a number may be off, as cosine
BERTH = 0.15  # a hit is looked at again when a new line lies so much further off than its nearest exemplar: it may name the other phrase
JUDGED = ("text", "clauses", "spellings", "examples", "fine", "roles", "section")  # fields of a phrase that shape what is found


# --- what a change can touch --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What differs between two lexicons, as far as it shapes what is found.

    `named`: phrases that are gone, new or worded otherwise. `hits_all`: every hit is to be judged again (a phrase of the encoders' came, went or moved).
    `finders` know the wordings that came or went; `bad`, `fine` (lines, width) the example lines on each side. `even`: the lead over the nearest harmless
    exemplar from which a line makes a hit, or a doubtful one.
    """

    named: frozenset[str]
    hits_all: bool
    finders: tuple[Finder, ...]
    bad: Floats
    fine: Floats
    even: float

    @property
    def needs_prints(self) -> bool:
        """Are there lines that only prints can be compared with?"""
        return bool(len(self.bad) or len(self.fine))

    def touches(self, text: Normalized, hits: Sequence[Hit], print_: Print | None) -> bool:
        """Can the verdict on this text be another one?"""
        if hits and (self.hits_all or any({hit.phrase_id, *hit.also} & self.named for hit in hits)):
            return True
        if text.text and any(finder.find(text) for finder in self.finders):
            return True
        return print_ is not None and len(print_.vectors) > 0 and self._near(print_, bool(hits))

    def _near(self, print_: Print, hit: bool) -> bool:
        if len(self.bad):
            near = (print_.vectors @ self.bad.T).max(1)
            if (near > print_.bad - (BERTH if hit else SLACK)).any() or (near - print_.fine > self.even - SLACK).any():
                return True
        return bool(len(self.fine) and ((print_.vectors @ self.fine.T).max(1) > print_.fine - SLACK).any())


def screen(old: Lexicon, matcher: Matcher) -> Screen:
    """What differs between `old` and the matcher's lexicon."""
    new, encoders = matcher.parts.lexicon, matcher.parts.encoders
    known = encoders[0].phrases if encoders else ()
    named = frozenset(i for i in {*old.phrases, *new.phrases} if _judged(old.phrases.get(i)) != _judged(new.phrases.get(i)))
    there = [(old.phrases.get(i), new.phrases.get(i)) for i in named & set(known)]
    lines = _differing(own_lines(old, known), own_lines(new, known)) if encoders else []
    vectors = embed(encoders[0], lines) if lines else _NONE
    violating = np.array([line.violates for line in lines], dtype=bool)
    back = [i for i in named if i in new.phrases and i not in old.phrases]
    doubtful = matcher.settings.doubtful
    return Screen(
        named=named,
        hits_all=any(a is None or b is None or a.roles != b.roles for a, b in there),
        finders=tuple(_finders(old, new, named, matcher)),
        bad=_stacked(vectors[violating], _shipped(matcher, back)) if lines or back else _NONE,
        fine=vectors[~violating] if lines else _NONE,
        even=matcher.parts.weights.own_similarity + log(max(doubtful, 1e-9) / max(1 - doubtful, 1e-9)) / SLOPE,
    )


_NONE: Floats = np.zeros((0, 1), dtype=np.float32)


def _judged(phrase: Phrase | None) -> tuple[object, ...] | None:
    return None if phrase is None else tuple(getattr(phrase, name) for name in JUDGED)


def _differing(old: Sequence[Exemplar], new: Sequence[Exemplar]) -> list[Exemplar]:
    before, after = ({(line.text, line.phrase, line.violates): line for line in lines} for lines in (old, new))
    return [line for one, other in ((before, after), (after, before)) for key, line in one.items() if key not in other]


def _finders(old: Lexicon, new: Lexicon, named: Collection[str], matcher: Matcher) -> list[Finder]:
    """One of each method for all wordings that came or went: sounding a text out is what costs, and is so done once."""
    before, after = ({i: lexicon.phrases[i] for i in named if i in lexicon.phrases} for lexicon in (old, new))
    worded = [i for i in sorted(named) if _wordings(before.get(i)) != _wordings(after.get(i))]
    phrases = {f"{side} {i}": one[i] for side, one in (("old", before), ("new", after)) for i in worded if i in one}
    if not phrases:
        return []
    only = replace(new, phrases={key: replace(phrase, id=key) for key, phrase in phrases.items()})
    return [make(only) for method, make in FINDERS.items() if method in matcher.settings.methods]


def _wordings(phrase: Phrase | None) -> tuple[tuple[str, ...], ...]:
    return phrase.wordings if phrase else ()


def _shipped(matcher: Matcher, phrases: Collection[str]) -> Floats:
    """The vectors of the shipped exemplars of phrases that are back."""
    neighbours = matcher.parts.neighbours
    if neighbours is None or not phrases:
        return _NONE
    chosen = [i for i, line in enumerate(neighbours.lines) if line.violates and line.phrase in phrases and line.kind != "example"]
    return neighbours.vectors[chosen]


def _stacked(*parts: Floats) -> Floats:
    full = [part for part in parts if len(part)]
    return np.concatenate(full) if full else _NONE


# --- judging again ------------------------------------------------------------------------------------------------------------------


def comparable(old: CallResult, matcher: Matcher, settings: Settings) -> bool:
    """Did the same software, encoders and settings make this result, so that only the lexicon differs?"""
    made = old.provenance
    same_models = {k: v for k, v in made.models.items() if k.startswith("encoder")} == matcher.models
    return (
        made.software == f"phrasecheck {__version__}"
        and same_models
        and made.settings.get("matching") == settings.matching.model_dump(mode="json")
    )


def rescore(
    old: CallResult,
    matcher: Matcher,
    settings: Settings,
    allowed: Allowed = (),
    difference: Screen | None = None,
    prints: Collection[Print] | None = None,
) -> CallResult:
    """The stored transcript against the matcher's lexicon. With a Screen (and its prints, in the order of the units) only what it touches is judged
    again; without one everything is."""
    if difference is None or (prints is None and difference.needs_prints) or not comparable(old, matcher, settings):
        return rejudge(old, matcher, settings, allowed)
    again = touched(old, settings, difference, prints)
    kept = [hit for hit in old.hits if hit.utterance_id not in again]
    hits = sorted([*kept, *judge(old.transcript, matcher, settings, only=again)], key=lambda hit: (hit.start_s or 0.0, -hit.score))
    return assemble(old.call, old.transcript, hits, matcher, settings, models_of(old, matcher), allowed)


def touched(old: CallResult, settings: Settings, difference: Screen, prints: Collection[Print] | None) -> set[str]:
    """Ids of the utterances that have to be judged again; whole chains of them where pauses are short."""
    gap = settings.matching.join_gap_s
    spared = {wording for _, wording in _met(old)}
    others = {u.id: u.alternatives for u in old.transcript.utterances}  # they strengthen hits, and make none
    found: set[str] = set()
    all_units = units(old.transcript, gap)
    kept: Collection[Print | None] = [None] * len(all_units) if prints is None else prints
    for unit, print_ in zip(all_units, kept, strict=True):
        hits = [hit for hit in old.hits if hit.utterance_id in unit.ids]
        heard = others[unit.ids[0]] if hits and len(unit.ids) == 1 else ()
        texts = [normalize(text) for text in (unit.text, *heard)]
        if any(difference.touches(text, hits, print_) or any(wording in text.text for wording in spared) for text in texts):
            found.update(unit.ids)
    chain = [(pair.first.id, pair.second.id) for pair in pairs(old.transcript.utterances, gap)]
    for first, second in [*chain, *reversed(chain)]:
        if first in found or second in found:
            found |= {first, second}
    return found


def _met(old: CallResult) -> Iterator[tuple[str, str]]:
    """Allowed wordings that this result met and left out."""
    allowed = old.provenance.settings.get("allowed", ())
    assert isinstance(allowed, list | tuple)
    return ((phrase, wording) for phrase, wording in allowed)


# --- what became different ----------------------------------------------------------------------------------------------------------

Kind = Literal["appeared", "vanished", "altered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A hit as a list of changes shows it."""

    phrase_id: str
    quote: str
    score: float
    state: str
    points: float  # what it costs, counted or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One moment: a hit before, after, or both."""

    kind: Kind
    utterance_id: str
    text: str
    at_s: float | None
    before: Claim | None
    after: Claim | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What becomes different in a call. Points are those of the worst card, None without one."""

    points_before: float | None
    points_after: float | None
    hits: tuple[Change, ...]

    def of(self, kind: Kind) -> list[Change]:
        """Those of one kind."""
        return [change for change in self.hits if change.kind == kind]

    def __bool__(self) -> bool:
        return bool(self.hits) or self.points_before != self.points_after


def changes(old: CallResult, new: CallResult) -> Changes:
    """Everything a person would see. A hit that is the same but for a slightly other probability is no change."""
    texts = {utterance.id: utterance.text for utterance in old.transcript.utterances}
    before, after = _priced(old), _priced(new)
    gone, come = [h for h in before if h not in after], [h for h in after if h not in before]
    made = [_change(texts, before[key], after[key]) for key in before if key in after and _differs(before[key], after[key])]
    for key in gone:
        partner = next((other for other in come if _overlap(before[key][0], after[other][0])), None)
        if partner is not None:
            come.remove(partner)
        made.append(_change(texts, before[key], None if partner is None else after[partner]))
    made += [_change(texts, None, after[key]) for key in come]
    return Changes(points_before=_worst(old), points_after=_worst(new), hits=tuple(sorted(made, key=lambda change: change.at_s or 0.0)))


_Priced = tuple[Hit, float]


def _priced(result: CallResult) -> Mapping[tuple[str, str, str], _Priced]:
    cost: dict[tuple[str | None, str], Finding] = {}
    for card in result.scorecards:
        for finding in card.findings:
            cost.setdefault((finding.utterance_id, finding.phrase_id), finding)
    prices = {key: finding.points for key, finding in cost.items()}
    return {(h.utterance_id, h.phrase_id, h.quote): (h, prices.get((h.utterance_id, h.phrase_id), 0.0)) for h in result.hits}


def _differs(before: _Priced, after: _Priced) -> bool:
    return before[0].state is not after[0].state or before[1] != after[1]


def _overlap(one: Hit, other: Hit) -> bool:
    return one.utterance_id == other.utterance_id and min(one.end, other.end) > max(one.start, other.start)


def _change(texts: Mapping[str, str], before: _Priced | None, after: _Priced | None) -> Change:
    hit = (after or before)[0]  # type: ignore[index]  # one of them is there
    kind: Kind = "altered" if before and after else "appeared" if after else "vanished"
    return Change(
        kind=kind,
        utterance_id=hit.utterance_id,
        text=texts.get(hit.utterance_id, ""),
        at_s=hit.start_s,
        before=before and _claim(*before),
        after=after and _claim(*after),
    )


def _claim(hit: Hit, points: float) -> Claim:
    return Claim(phrase_id=hit.phrase_id, quote=hit.quote, score=round(hit.score, 4), state=hit.state.value, points=points)


def _worst(result: CallResult) -> float | None:
    return min((card.points for card in result.scorecards), default=None)
