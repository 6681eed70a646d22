"""An encoder without weights: rude where it is told so, near where characters are shared."""

from collections.abc import Mapping, Sequence

import numpy as np

from phrasecheck.matching.fuse import FEATURES, LOWERING, PHRASE_FEATURES, RAISING, Weights
from phrasecheck.matching.reading import Floats, Reading
from phrasecheck.matching.windows import windows

WIDTH = 256


class FakeEncoder:
    """`rude` maps words to the phrase they stand for: a window that holds one has tone +4, others -4."""

    def __init__(self, rude: Mapping[str, str], phrases: Sequence[str], name: str = "fake 1", longest: int = 10_000) -> None:
        self.rude = rude
        self.phrases = tuple(phrases)
        self.name = name
        self.longest = longest  # characters read; windows behind them are dropped, as a real encoder does
        self.seen: list[str] = []

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """One Reading a text, in order."""
        self.seen += texts
        return [self._read(text) for text in texts]

    def _read(self, text: str) -> Reading:
        cut = [window for window in windows(text) if window[0] < self.longest]
        said = [text[a:b] for a, b in cut]
        meaning = np.zeros((len(cut), len(self.phrases)), dtype=np.float32)
        for row, words in enumerate(said):
            for rude, phrase in self.rude.items():
                if rude in words and phrase in self.phrases:
                    meaning[row, self.phrases.index(phrase)] = 6.0
        tone = np.array([4.0 if any(rude in words for rude in self.rude) else -4.0 for words in said], dtype=np.float32)
        vectors = np.array([bag(words) for words in said], dtype=np.float32).reshape(len(cut), WIDTH)
        return Reading(windows=tuple(cut), tone=tone, meaning=meaning, vectors=vectors)


def bag(text: str) -> Floats:
    """Which characters a text has, as a vector of length 1."""
    vector = np.zeros(WIDTH, dtype=np.float32)
    for char in text:
        vector[ord(char) % WIDTH] += 1.0
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length or 1.0)


# What each feature weighs in these tests: all methods a little, all qualifiers a little less.
WEIGHTS = Weights(
    window={**dict.fromkeys(RAISING, 0.5), **dict.fromkeys(LOWERING, -0.5)},
    bias=0.0,
    phrase=dict.fromkeys(PHRASE_FEATURES, 0.5),
)
COLUMN = {name: i for i, name in enumerate(FEATURES)}
