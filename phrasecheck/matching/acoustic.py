"""acoustic: asking the sound itself, where what was heard leaves it open.

In: hits and utterances of a call, and an Ear: its sound, with a recogniser that says how well a text fits a clip. Out: the hits, some confirmed,
refused or new, with the evidence. The one decision: sound can be asked only for words. A phrase that was meant but said in other words fits badly,
so a bad fit refuses a hit that rests on likeness of words or sound alone, and leaves one that may rest on meaning.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from typing import Protocol, runtime_checkable

from phrasecheck.lexicon import Lexicon
from phrasecheck.marks import SLOT
from phrasecheck.matching.fuse import state
from phrasecheck.matching.fuzzy import Aligner
from phrasecheck.matching.sound import encode
from phrasecheck.normalize import normalize
from phrasecheck.settings import MatchSettings
from phrasecheck.timing import span_times
from phrasecheck.types import Hit, HitState, Match, Method, Samples, Speaker, Utterance

OPEN = 0.2, 0.8  # scores in between are asked about
FITS = -0.2  # nats a token behind what was heard (which the recogniser chose, so it stands first by right): as good
UNFIT = -1.2  # so far behind, it was not this
SHIFT = 1.5  # what an answer adds to a hit's logit, or takes from it
UNCLEAR = 0.55  # an utterance heard less surely than this is tried against the phrases nearest in sound
NEAR_SOUND = 0.55  # share of syllables that such a phrase must have in common with a stretch of it
TRIED = 3  # phrases tried on one unclear utterance
LENGTHS = 0.6, 1.6  # a wording this much shorter or longer than the stretch cannot have been said there
MARGIN_S = 0.2  # sound taken before and after the stretch


@runtime_checkable
class Listener(Protocol):
    """A recogniser that can be asked about a text."""

    def likelihoods(self, clip: Samples, texts: Sequence[str]) -> list[float]:
        """Mean log-probability a token of each text, were it what the clip (mono, 16 kHz) says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """A call's sound. `clip` cuts channel `name` from second to second."""

    listener: Listener
    clip: Callable[[str, float, float], Samples]


class Acoustic:
    """The wordings of a lexicon, to be asked for. Built once; thread-safe."""

    def __init__(self, lexicon: Lexicon, settings: MatchSettings) -> None:
        self._wordings = {p.id: sorted({"".join(w).replace(SLOT, "") for w in p.wordings} - {""}) for p in lexicon.phrases.values()}
        self._texts = {p.id: p.text for p in lexicon.phrases.values()}
        self._aligner = Aligner(lexicon, view=encode)
        self._settings = settings

    def ask(self, hits: Sequence[Hit], utterances: Sequence[Utterance], ear: Ear) -> list[Hit]:
        """The hits after the sound was heard, in the order given, new ones last. A refused one that falls below doubtful is gone."""
        said = {u.id: u for u in utterances}
        asked = [self._asked(hit, said[hit.utterance_id], ear) if OPEN[0] <= hit.score <= OPEN[1] else hit for hit in hits]
        silent = [
            u for u in utterances if u.speaker is Speaker.AGENT and u.confidence < UNCLEAR and not any(h.utterance_id == u.id for h in hits)
        ]
        return [hit for hit in asked if hit.score >= self._settings.doubtful] + [hit for u in silent for hit in self._tried(u, ear)]

    def _asked(self, hit: Hit, utterance: Utterance, ear: Ear) -> Hit:
        found = self._best(hit.quote, (hit.phrase_id, *hit.also), utterance, (hit.start_s, hit.end_s), ear)
        if found is None:
            return hit
        phrase_id, wording, lead = found
        if lead >= FITS:
            reason = f"按声音核对：更像是「{wording}」"
        elif lead <= UNFIT and _rests_on_likeness(hit):
            reason = f"按声音核对：不像是「{self._texts[hit.phrase_id]}」"
        else:
            return hit
        score = _shifted(hit.score, SHIFT if lead >= FITS else -SHIFT)
        sure = state(score, utterance.speaker, utterance.confidence, self._settings)
        return replace(self._with(hit, phrase_id if lead >= FITS else hit.phrase_id, reason, exp(min(0.0, lead))), score=score, state=sure)

    def _tried(self, utterance: Utterance, ear: Ear) -> Iterator[Hit]:
        """At most one doubtful hit: whatever the sound says, an utterance that was hardly understood is for a person to judge."""
        text = normalize(utterance.text)
        near = sorted(self._aligner.align(encode(text.text), NEAR_SOUND).items(), key=lambda item: -item[1][0])[:TRIED]
        for phrase_id, (_, first, last) in near:
            start, end = text.span(first, last)
            quote = utterance.text[start:end]
            begin_s, end_s = span_times(utterance, start, end)
            found = self._best(quote, (phrase_id,), utterance, (begin_s, end_s), ear)
            if found is None or found[2] < 0:  # here it has to fit better than what was heard
                continue
            reason = f"这句没听清；按声音核对，「{quote}」更像是「{found[1]}」，请人工听一下"
            hit = Hit(
                utterance_id=utterance.id, phrase_id=phrase_id, score=(self._settings.doubtful + self._settings.threshold) / 2,
                state=HitState.DOUBTFUL, start=start, end=end, quote=quote, methods=(), reason="", start_s=begin_s, end_s=end_s,
            )  # fmt: skip
            yield self._with(hit, phrase_id, reason, 1.0)
            return

    def _best(
        self, heard: str, phrase_ids: Sequence[str], utterance: Utterance, seconds: tuple[float | None, float | None], ear: Ear
    ) -> tuple[str, str, float] | None:
        """Of the phrases' wordings the one that fits the sound best: phrase, wording, and its lead over what was heard (nats a token)."""
        plain = normalize(heard).text
        start, end = seconds
        wordings = [
            (p, w) for p in phrase_ids for w in self._wordings[p] if w != plain and LENGTHS[0] <= len(w) / max(1, len(plain)) <= LENGTHS[1]
        ]
        if not wordings or not plain or start is None or end is None or not utterance.words:
            return None
        clip = ear.clip(utterance.channel, start - MARGIN_S, end + MARGIN_S)
        first, *others = ear.listener.likelihoods(clip, [plain, *(w for _, w in wordings)])
        best = max(range(len(others)), key=others.__getitem__)
        return *wordings[best], others[best] - first

    def _with(self, hit: Hit, phrase_id: str, reason: str, score: float) -> Hit:
        """The hit with one more piece of evidence."""
        match = Match(phrase_id=phrase_id, method=Method.ACOUSTIC, start=hit.start, end=hit.end, score=score, reason=reason)
        also = tuple(p for p in (hit.phrase_id, *hit.also) if p != phrase_id)
        methods = tuple(m for m in Method if m in hit.methods or m is Method.ACOUSTIC)
        told = f"{hit.reason}；{reason}" if hit.reason else reason
        return replace(hit, phrase_id=phrase_id, also=also, reason=told, methods=methods, evidence=(*hit.evidence, match))


def _rests_on_likeness(hit: Hit) -> bool:
    """Whether words or sounds like the phrase's are all there is for it."""
    found = {m.method for m in hit.evidence if m.method is not Method.SEMANTIC or m.score >= OPEN[0]}
    return bool(found & {Method.FUZZY, Method.PHONETIC}) and not found & {Method.EXACT, Method.SEMANTIC}


def _shifted(score: float, logits: float) -> float:
    inside = min(max(score, 1e-6), 1 - 1e-6)
    return 1 / (1 + exp(-(log(inside / (1 - inside)) + logits)))
