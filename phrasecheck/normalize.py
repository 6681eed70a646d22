"""Text -> comparable text, with a map back to the original, and the clauses a turn falls into.

In: what was said, as heard or typed. Out: Normalized, whose every character knows where it came from, so that a match found in comparable
text is quoted from the original. The one decision: punctuation is dropped from comparable text but still divides clauses,
because a recogniser's commas are often wrong yet rarely in the middle of a word.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

PAUSES = frozenset(",，、;；:：。.!！?？…~—\n\t ")
# Sounds that carry nothing. Exact matching drops them everywhere and on both sides: a phrase that ends in «啊» is found without it too.
FILLERS = frozenset("嗯呃唔哦噢喔啊呀哎唉诶欸额")


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """Comparable text. `offsets[i]` is the index in `original` of the character that `text[i]` came from."""

    original: str
    text: str
    offsets: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """`text[start:end]` as a range of the original, end exclusive."""
        if start >= end:
            raise ValueError(f"empty span {start}:{end}")
        return self.offsets[start], self.offsets[end - 1] + 1


@cache
def _converter(config: str) -> Any:
    from opencc import OpenCC

    return OpenCC(config)


def simplify(text: str) -> str:
    """Traditional to Simplified, character by character, so that offsets stay (OpenCC phrases may change lengths; those are left).

    Only text that has Traditional characters is read as such: there «寫著» is 写着, while «显著» in Simplified stays.
    """
    if text.isascii() or _converter("t2s").convert(text) == text:
        return text
    converted: str = _converter("tw2s").convert(text)
    if len(converted) == len(text):
        return converted
    return "".join(_same_length(char) for char in text)


@cache
def _same_length(char: str) -> str:
    converted: str = _converter("tw2s").convert(char)
    return converted if len(converted) == 1 else char


@lru_cache(maxsize=4096)  # the methods ask for the same few stretches again and again
def normalize(text: str) -> Normalized:
    """NFKC, lower case, Simplified; without punctuation, spaces and marks."""
    chars: list[str] = []
    offsets: list[int] = []
    for index, char in enumerate(simplify(text)):
        for part in unicodedata.normalize("NFKC", char).lower():
            if unicodedata.category(part)[0] in "LN":
                chars.append(part)
                offsets.append(index)
    return Normalized(original=text, text="".join(chars), offsets=tuple(offsets))


def without_fillers(normalized: Normalized) -> Normalized:
    """The same text less its filler sounds. Used for exact spelling, where «不、嗯、不知道» is still «不知道»."""
    kept = [(c, o) for c, o in zip(normalized.text, normalized.offsets, strict=True) if c not in FILLERS]
    return Normalized(original=normalized.original, text="".join(c for c, _ in kept), offsets=tuple(o for _, o in kept))


def unfinished(text: str) -> str:
    """`text` without the punctuation at its end, which says how careful the writer was, not how rude: among our exemplars a full stop stands
    behind one harmless line in eight and hardly any violation, and an encoder that sees it makes a rule of that."""
    return text.rstrip("".join(PAUSES))


def clauses(text: str, longest: int = 18) -> list[tuple[int, int]]:
    """The clauses of a turn as ranges of `text`: cut at punctuation and spaces; one longer than `longest` characters (a recogniser
    that writes no commas) is cut at word edges into even parts."""
    return [part for start, end in _between_pauses(text) for part in _even_parts(text, start, end, longest)]


def _between_pauses(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for index, char in enumerate([*text, "。"]):
        if char in PAUSES:
            if any(map(str.isalnum, text[start:index])):  # quotation marks or an emoji alone are no clause
                yield start, index
            start = index + 1


def _even_parts(text: str, start: int, end: int, longest: int) -> list[tuple[int, int]]:
    if end - start <= longest:
        return [(start, end)]
    edges = word_edges(text[start:end])
    count = -(-(end - start) // longest)
    cuts = [start]
    for part in range(1, count):
        wanted = (end - start) * part / count
        cut = start + min(edges, key=lambda edge: abs(edge - wanted))
        if cuts[-1] < cut < end:
            cuts.append(cut)
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def word_edges(text: str) -> list[int]:
    """Where jieba's words begin and end: 0, ..., len(text)."""
    edges = [0]
    for word in _segmenter().lcut(text):
        edges.append(edges[-1] + len(word))
    return edges


@cache
def _segmenter() -> Any:
    import logging

    import jieba

    jieba.setLogLevel(logging.WARNING)
    return jieba.Tokenizer()
