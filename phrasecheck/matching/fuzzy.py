"""fuzzy: nearly the phrase's words (rapidfuzz), cut at word edges (jieba).

In: normalised text. Out: a Match a phrase whose best wording aligns well enough. Score: rapidfuzz partial ratio, 0..1.
"""

from collections.abc import Callable, Sequence

from rapidfuzz import fuzz

from phrasecheck.lexicon import Lexicon
from phrasecheck.marks import SLOT
from phrasecheck.matching.candidates import Candidates
from phrasecheck.normalize import Normalized, word_edges
from phrasecheck.types import Match, Method

LEAST = 0.6  # below this an alignment is chance
SHORTEST = 4  # «告去» is nearly anywhere; only exact may find it


class Fuzzy:
    """Alignment with every near wording of a lexicon; thread-safe, built once."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._aligner = Aligner(lexicon, view=str)
        self._texts = {phrase.id: phrase.text for phrase in lexicon.phrases.values()}

    def find(self, normalized: Normalized) -> list[Match]:
        """At most one Match a phrase, whole words only."""
        matches = []
        aligned = self._aligner.align(normalized.text, LEAST)
        edges = word_edges(normalized.text) if aligned else []
        for phrase_id, (score, start, end) in aligned.items():
            span = normalized.span(*_whole_words(edges, start, end))
            quote = normalized.original[span[0] : span[1]]
            reason = f"「{quote}」与禁语「{self._texts[phrase_id]}」字面相近（{score:.0%}）"
            matches.append(Match(phrase_id=phrase_id, method=Method.FUZZY, start=span[0], end=span[1], score=score, reason=reason))
        return matches


class Aligner:
    """The wordings of a lexicon in some view of their characters, and their best places in a text of the same view."""

    def __init__(self, lexicon: Lexicon, view: Callable[[str], str]) -> None:
        wordings = {(view("".join(clauses).replace(SLOT, "")), p.id) for p in lexicon.phrases.values() for clauses in p.wordings}
        self._wordings = sorted(w for w in wordings if len(w[0]) >= SHORTEST)
        self._candidates = Candidates([wording for wording, _ in self._wordings])

    def align(self, text: str, least: float) -> dict[str, tuple[float, int, int]]:
        """Phrase id -> (score 0..1, start, end in `text`) for the phrases that reach `least`. Wordings longer than the text count by their full
        length, so that a fragment is not taken for the whole; of equally good places the longest."""
        best: dict[str, tuple[float, int, int]] = {}
        for index in self._candidates.for_text(text):
            wording, phrase_id = self._wordings[index]
            if len(wording) > len(text):
                score, start, end = fuzz.ratio(wording, text) / 100, 0, len(text)
            else:
                found = fuzz.partial_ratio_alignment(wording, text, score_cutoff=least * 100)
                if found is None:
                    continue
                score, start, end = found.score / 100, found.dest_start, found.dest_end
            old = best.get(phrase_id, (0.0, 0, 0))
            if score >= least and (score, end - start) > (old[0], old[2] - old[1]):
                best[phrase_id] = (score, start, end)
        return best


def _whole_words(edges: Sequence[int], start: int, end: int) -> tuple[int, int]:
    """The range widened to the edges of the words it cuts."""
    return max(e for e in edges if e <= start), min(e for e in edges if e >= end)
