"""Which wordings of a large lexicon are worth aligning with a text: those that share enough pairs of neighbouring characters.

In: strings (characters, or syllables as private characters). Out: for a text, indices of the likeliest strings. An inverted index over
bigrams makes the cost follow the text's length, not the lexicon's: 10,000 phrases cost little more than 98.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


class Candidates:
    """An index over `strings`; `least` is the share of a string's bigrams that a text must hold for it to be looked at. It is low since every
    second character wrong leaves no bigram: at 0.3 one alignment in five of the exemplars was never looked at, at 0.15 none that lies
    clearly above chance (tests/matching/test_fuzzy.py)."""

    def __init__(self, strings: Sequence[str], least: float = 0.15, most: int = 24) -> None:
        self._least = least
        self._most = most
        self._sizes = np.array([max(1, len(_bigrams(s))) for s in strings], dtype=np.float32)
        holders: dict[str, list[int]] = {}
        for index, string in enumerate(strings):
            for bigram in _bigrams(string):
                holders.setdefault(bigram, []).append(index)
        self._holders: dict[str, npt.NDArray[np.int32]] = {b: np.array(h, dtype=np.int32) for b, h in holders.items()}

    def for_text(self, text: str) -> list[int]:
        """Indices of the strings that share most with `text`, best first, at most `most` of them."""
        found = [self._holders[b] for b in _bigrams(text) if b in self._holders]
        if not found:
            return []
        counts = np.bincount(np.concatenate(found), minlength=len(self._sizes)) / self._sizes
        good = np.flatnonzero(counts >= self._least)
        best = good[np.argsort(-counts[good], kind="stable")][: self._most]
        return [int(i) for i in best]


def _bigrams(string: str) -> set[str]:
    return {string[i : i + 2] for i in range(len(string) - 1)} or {string}
