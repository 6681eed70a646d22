"""The matcher: turns in, verdicts out. Built once from a lexicon, encoders and settings; everything it does is a pure function of them.

The one decision: a turn's hits are its likeliest windows, none overlapping another, each cut to the shortest stretch that is nearly as
likely as the best, so that a clerk hears just the bad clause.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, repeat
from typing import Protocol

import numpy as np

from phrasecheck.lexicon import Lexicon
from phrasecheck.matching.acoustic import Acoustic
from phrasecheck.matching.exact import Exact
from phrasecheck.matching.fuse import (
    Look,
    Weights,
    columns,
    lengths,
    phrase_features,
    phrase_shares,
    role_logits,
    sigmoid,
    state,
    window_features,
)
from phrasecheck.matching.fuzzy import Fuzzy
from phrasecheck.matching.own import NEVER, own_logits
from phrasecheck.matching.phonetic import Phonetic
from phrasecheck.matching.qualifiers import Qualifier, qualify
from phrasecheck.matching.reading import Encoder, Floats, Reading, aligned
from phrasecheck.matching.reason import give_reason
from phrasecheck.matching.semantic import Neighbours
from phrasecheck.matching.windows import windows
from phrasecheck.normalize import Normalized, normalize, simplify
from phrasecheck.settings import MatchSettings
from phrasecheck.types import Hit, Match, Method, Role, Speaker, Verdict

TOGETHER = 8  # lines compared with the exemplars at once: their vectors, 18 MB, are read from memory once for all of them
NEARLY = 0.5  # a shorter window this close to the best one's logit is preferred
NOTHING = Verdict(violation=0.0, phrases=(), hits=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One turn to be judged."""

    id: str
    text: str
    speaker: Speaker = Speaker.AGENT
    role: Role | None = None
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a Matcher is made of. `encoders`: by characters and, where there is one, by sound."""

    lexicon: Lexicon
    encoders: tuple[Encoder, ...]
    neighbours: Neighbours | None
    qualifiers: tuple[Qualifier, ...]
    weights: Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A line, what was seen in it, and what that comes to: logits of the own phrases (windows, own), and the fused ones (windows,)."""

    line: Line
    look: Look
    own: Floats
    logits: Floats


class Finder(Protocol):
    """A method that compares a text with the lexicon by itself: exact, fuzzy, phonetic."""

    def find(self, normalized: Normalized) -> list[Match]:
        """At most one Match a phrase, offsets into the original text."""


# The order is the order of the evidence.
FINDERS: Mapping[Method, Callable[[Lexicon], Finder]] = {Method.EXACT: Exact, Method.FUZZY: Fuzzy, Method.PHONETIC: Phonetic}


class Matcher:
    """Judges turns against a lexicon. Thread-safe."""

    def __init__(self, parts: Parts, settings: MatchSettings) -> None:
        self.parts = parts
        self.settings = settings
        self._finders = [maker(parts.lexicon) for method, maker in FINDERS.items() if method in settings.methods]
        self._semantic = Method.SEMANTIC in settings.methods and bool(parts.encoders)
        # With no encoder at work every phrase is known by its words and examples alone.
        self.columns = columns(parts.lexicon, parts.encoders[0].phrases if self._semantic else ())

    @property
    def models(self) -> dict[str, str]:
        """What a result names as its models."""
        return {f"encoder_{i}": encoder.name for i, encoder in enumerate(self.parts.encoders, 1)}

    @cached_property
    def acoustic(self) -> Acoustic:
        """The lexicon as the sound is asked for it; where no sound is at hand it is never made."""
        return Acoustic(self.parts.lexicon, self.settings)

    def verdicts(self, lines: Sequence[Line]) -> list[Verdict]:
        """One Verdict a line, in order. Lines of the customer get none of anything."""
        asked = [i for i, line in enumerate(lines) if line.speaker is not Speaker.CUSTOMER]
        looks = self.look([lines[i].text for i in asked])
        result = [NOTHING] * len(lines)
        for i, look in zip(asked, looks, strict=True):
            result[i] = self.verdict(lines[i], look)
        return result

    def look(self, texts: Sequence[str]) -> Iterator[Look]:
        """What every method sees in each text, one by one: a Look is large, and the encoders read on meanwhile."""
        plain = [simplify(text) for text in texts]  # same length, so offsets hold; the encoders learnt Simplified
        readings = [encoder.read(plain) for encoder in self.parts.encoders] if self._semantic else []
        of_each = zip(*readings, strict=True) if readings else repeat((), len(texts))
        lines = ((text, aligned(of_one)) for text, of_one in zip(texts, of_each, strict=True))
        while some := list(islice(lines, TOGETHER)):
            for (text, of_one), similarities in zip(some, self._similarities([of_one for _, of_one in some]), strict=True):
                yield self._look(text, of_one, similarities)

    def _similarities(self, readings: Sequence[Sequence[Reading]]) -> Sequence[Floats | None]:
        """(windows, exemplars) of each line, by its first reading."""
        if self.parts.neighbours is None or not all(readings):
            return [None] * len(readings)
        vectors = [of_one[0].vectors for of_one in readings]
        together = self.parts.neighbours.similarities(np.concatenate(vectors))
        return np.split(together, np.cumsum([len(v) for v in vectors])[:-1])

    def _look(self, text: str, readings: Sequence[Reading], similarities: Floats | None) -> Look:
        normalized = normalize(text)
        matches: list[Match] = [m for finder in self._finders for m in finder.find(normalized)] if normalized.text else []
        characters = readings[0] if readings else None
        return Look(
            text=text,
            windows=characters.windows if characters is not None else tuple(windows(text)),
            characters=characters,
            sound=readings[1] if len(readings) > 1 else None,
            similarities=similarities,
            matches=tuple(matches),
            qualifiers=self.parts.qualifiers,
        )

    def verdict(self, line: Line, look: Look) -> Verdict:
        """Of a line that is not the customer's, from what was seen in its text."""
        if not look.windows:
            return NOTHING
        own = self._own_logits(look)
        case = _Case(line=line, look=look, own=own, logits=self._fused(look, own, line.role))
        best = int(np.argmax(case.logits))
        violation = sigmoid(case.logits)[best]
        shares = self._shares(case, best)
        order = np.argsort(-shares)[:5]
        return Verdict(
            violation=float(violation),
            phrases=tuple((self.columns.ids[i], float(violation * shares[i])) for i in order),
            hits=tuple(self._hits(case)),
        )

    def window_logits(self, look: Look, role: Role | None = None) -> Floats:
        """The fused logit of every window."""
        return self._fused(look, self._own_logits(look), role)

    def _fused(self, look: Look, own: Floats, role: Role | None) -> Floats:
        likeliest: Floats = own.max(1, initial=NEVER)
        if not self._semantic:
            return likeliest
        weights = self.parts.weights
        learnt = weights.logits(window_features(look, self.parts.neighbours)) + role_logits(look, role, self.columns, weights)
        fused: Floats = np.maximum(likeliest, learnt)
        return fused

    def _own_logits(self, look: Look) -> Floats:
        return own_logits(look, self.columns, self.parts.neighbours, self.parts.weights.own_similarity)

    def _shares(self, case: _Case, row: int) -> Floats:
        """(phrases,): an own phrase that is said takes its probability from the others."""
        shares = phrase_shares(phrase_features(case.look, row, case.line.role, self.columns, self.parts.neighbours), self.parts.weights)
        if not len(self.columns.own):
            return shares
        said = sigmoid(case.own[row])
        shares *= 1 - said.max()
        shares[self.columns.own] += said.max() * said / said.sum()
        return shares

    def _hits(self, case: _Case) -> list[Hit]:
        """Hits and doubtful ones, likeliest first, one a phrase, none overlapping."""
        cut, logits = case.look.windows, case.logits
        hits: dict[str, Hit] = {}
        taken: list[tuple[int, int]] = []
        for row in np.argsort(-logits, kind="stable"):
            if sigmoid(logits[row]) < self.settings.doubtful:
                break
            if any(_overlap(cut[row], other) for other in taken):
                continue
            tight = self._tightest(case, int(row))
            taken.append(cut[tight])
            hit = self._hit(case, tight, float(sigmoid(logits[row])))
            if not any(_same_matter(hit, other) for other in hits.values()):
                hits[hit.phrase_id] = hit
        return list(hits.values())

    def _tightest(self, case: _Case, best: int) -> int:
        """The shortest window inside the best one that is nearly as likely, its length apart: that says how sure one can be, not where the words are."""
        cut = case.look.windows
        weight = self.parts.weights.window.get("length", 0.0) if self._semantic else 0.0
        logits = case.logits - np.float32(weight) * lengths(cut)
        start, end = cut[best]
        within = [i for i, (a, b) in enumerate(cut) if a >= start and b <= end and logits[i] >= logits[best] - NEARLY]
        return min(within, key=lambda i: (cut[i][1] - cut[i][0], -logits[i]))

    def _hit(self, case: _Case, row: int, score: float) -> Hit:
        line, look = case.line, case.look
        start, end = look.windows[row]
        shares = self._shares(case, row)
        order = np.argsort(-shares)
        ids = self.columns.ids
        phrase = self.parts.lexicon.phrases[ids[order[0]]]
        evidence = tuple(m for m in look.matches if m.phrase_id == phrase.id and m.start < end and m.end > start)
        if self._semantic:
            tone = float(sigmoid(look.characters.tone[row])) if look.characters is not None else 0.0
            evidence += (_semantic_match(phrase.id, start, end, tone, phrase.text),)
        cues = qualify(look.text, start, end, look.qualifiers)
        return Hit(
            utterance_id=line.id,
            phrase_id=phrase.id,
            score=score,
            state=state(score, line.speaker, line.confidence, self.settings),
            start=start,
            end=end,
            quote=look.text[start:end],
            methods=tuple(m for m in Method if any(e.method is m for e in evidence)),
            reason=give_reason(look.text[start:end], phrase, score, evidence, cues),
            evidence=evidence,
            also=tuple(ids[i] for i in order[1:4] if shares[i] >= 0.1),
        )


def _semantic_match(phrase_id: str, start: int, end: int, tone: float, text: str) -> Match:
    reason = f"意思和语气接近禁语「{text}」（语气 {tone:.0%}）"
    return Match(phrase_id=phrase_id, method=Method.SEMANTIC, start=start, end=end, score=tone, reason=reason)


def _same_matter(hit: Hit, other: Hit) -> bool:
    """Whether `hit` tells the violation of a likelier one of the turn again: one names the other's phrase, first or among those that would also do.
    Not when it stands in words of its own phrase: three phrases said in a breath are three violations."""
    if hit.phrase_id == other.phrase_id:
        return True
    return hit.methods == (Method.SEMANTIC,) and (hit.phrase_id in other.also or other.phrase_id in hit.also)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return min(one[1], other[1]) > max(one[0], other[0])
