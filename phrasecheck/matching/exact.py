"""exact: the phrase's own words, all wordings of all phrases in one pass (Aho-Corasick).

In: normalised text. Out: a Match for every wording whose pieces stand there in order. Fillers in between do not matter; between clauses
a few characters may stand, and in a slot a name or number.
"""

from bisect import bisect_left
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick

from phrasecheck.lexicon import Lexicon
from phrasecheck.marks import SLOT
from phrasecheck.normalize import FILLERS, Normalized, without_fillers, word_edges
from phrasecheck.types import Match, Method

CLAUSE_GAP = 4  # characters that may stand between two clauses: 「不知道啊真的不清楚」
SLOT_GAP = 14  # the longest company name or spoken telephone number in a slot


@dataclass(frozen=True, slots=True)
class _Wording:
    phrase_id: str
    pieces: tuple[int, ...]  # indices into the automaton's patterns
    gaps: tuple[int, ...]  # the most characters before each piece but the first


class Exact:
    """The automaton over a lexicon; thread-safe, built once."""

    def __init__(self, lexicon: Lexicon) -> None:
        patterns: dict[str, int] = {}
        by_first: dict[int, list[_Wording]] = {}
        for phrase in lexicon.phrases.values():
            for clauses in phrase.wordings:
                pieces, gaps = _pieces(clauses)
                if not pieces:
                    continue  # nothing but fillers
                ids = tuple(patterns.setdefault(piece, len(patterns)) for piece in pieces)
                by_first.setdefault(ids[0], []).append(_Wording(phrase.id, ids, gaps))
        self._by_first = by_first
        self._automaton = AhoCorasick(list(patterns)) if patterns else None
        self._texts = {phrase.id: phrase.text for phrase in lexicon.phrases.values()}

    def find(self, normalized: Normalized) -> list[Match]:
        """Matches with score 1, at most one a phrase (the longest)."""
        text = without_fillers(normalized)
        if self._automaton is None or not text.text:
            return []
        places: dict[int, list[tuple[int, int]]] = {}
        for pattern, start, end in self._automaton.find_matches_as_indexes(text.text, overlapping=True):
            places.setdefault(pattern, []).append((start, end))
        best: dict[str, tuple[int, int]] = {}
        edges = frozenset(word_edges(text.text)) if places else frozenset()
        for first in places:
            for wording in self._by_first.get(first, ()):
                for start, end in self._chains(wording, places):
                    if start not in edges or end not in edges:  # «随便告» is not said in «随便告诉我»
                        continue
                    old = best.get(wording.phrase_id)
                    if old is None or end - start > old[1] - old[0]:
                        best[wording.phrase_id] = (start, end)
        return [self._match(phrase_id, text.span(*place)) for phrase_id, place in best.items()]

    def _chains(self, wording: _Wording, places: dict[int, list[tuple[int, int]]]) -> list[tuple[int, int]]:
        """Places where all pieces follow each other within their gaps."""
        chains = list(places[wording.pieces[0]])
        for piece, gap in zip(wording.pieces[1:], wording.gaps, strict=True):
            spots = sorted(places.get(piece, ()))
            longer = []
            for start, end in chains:
                at = bisect_left(spots, (end, 0))
                if at < len(spots) and spots[at][0] - end <= gap:
                    longer.append((start, spots[at][1]))
            chains = longer
        return chains

    def _match(self, phrase_id: str, span: tuple[int, int]) -> Match:
        reason = f"用了禁语原话「{self._texts[phrase_id]}」"
        return Match(phrase_id=phrase_id, method=Method.EXACT, start=span[0], end=span[1], score=1.0, reason=reason)


def _pieces(clauses: tuple[str, ...]) -> tuple[list[str], tuple[int, ...]]:
    """The literal pieces of a wording, less their fillers as in the text, and the gap allowed before each but the first."""
    pieces: list[str] = []
    gaps: list[int] = []
    gap = 0
    for clause in clauses:
        for number, literal in enumerate(clause.split(SLOT)):
            gap = max(gap, SLOT_GAP if number else CLAUSE_GAP)
            piece = "".join(char for char in literal if char not in FILLERS)
            if piece:
                pieces.append(piece)
                gaps.append(gap)
                gap = 0
    return pieces, tuple(gaps[1:])
