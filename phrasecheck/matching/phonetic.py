"""phonetic: nearly the phrase's sound, for what a recogniser or an accent spells otherwise.

In: normalised text. Out: a Match a phrase whose syllables (toneless, common confusions folded) align well enough and plausibly. Score: share of
aligned syllables, 0..1. Plausible: short stretches need some of the very characters too, since Mandarin has 280 folded syllables and chance is near.
"""

from phrasecheck.lexicon import Lexicon
from phrasecheck.matching.fuzzy import Aligner
from phrasecheck.matching.sound import encode
from phrasecheck.normalize import Normalized, normalize
from phrasecheck.types import Match, Method

LEAST = 0.68


class Phonetic:
    """Alignment by syllables with every near wording of a lexicon; thread-safe, built once."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._aligner = Aligner(lexicon, view=encode)
        self._texts = {phrase.id: phrase.text for phrase in lexicon.phrases.values()}
        self._chars = {phrase.id: frozenset(normalize(phrase.text + "".join(phrase.spellings)).text) for phrase in lexicon.phrases.values()}

    def find(self, normalized: Normalized) -> list[Match]:
        """At most one Match a phrase."""
        if not normalized.text:
            return []
        matches = []
        for phrase_id, (score, start, end) in self._aligner.align(encode(normalized.text), LEAST).items():
            if not plausible(normalized.text[start:end], self._chars[phrase_id]):
                continue
            span = normalized.span(start, end)
            quote = normalized.original[span[0] : span[1]]
            reason = f"「{quote}」听起来像禁语「{self._texts[phrase_id]}」（{score:.0%}）"
            matches.append(Match(phrase_id=phrase_id, method=Method.PHONETIC, start=span[0], end=span[1], score=score, reason=reason))
        return matches


def plausible(heard: str, chars: frozenset[str]) -> bool:
    """Whether a stretch that sounds right may be the phrase: at least 4 syllables, and the fewer they are, the more of the characters must stand."""
    if len(heard) < 4:
        return False
    same = sum(char in chars for char in heard) / len(heard)
    return same >= (0.5 if len(heard) < 6 else 0.25)
