"""Characters to syllables: toneless pinyin, and the usual confusions of accents and recognisers folded together.

In: normalised text. Out: one syllable a character (a digit or letter is its own). Source of the folds: the common Mandarin
accent mergers (z/zh, c/ch, s/sh, n/l, f/h, an/ang, en/eng, in/ing), which are also what Whisper confuses over the telephone.
"""

import re
from functools import cache
from typing import Any

# Regular expressions over one syllable, applied in order; a literal table, so that a reader sees all that is folded.
FOLDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^(z|c|s)h"), r"\1"),
    (re.compile(r"^l(?=[aeiouv])"), "n"),
    (re.compile(r"^hu(?=[aeiou])|^h(?=u$)"), "f"),  # hu-, hua-, hui- as heard in the south: fu, fa, fei
    (re.compile(r"^fi$"), "fei"),
    (re.compile(r"(?<=[aei])ng$"), "n"),
    (re.compile(r"^r(?=[aeiou])"), "n"),
    (re.compile(r"v"), "u"),
)

_EACH: Any = list  # pypinyin spreads a list that its error handler returns: one entry a character; its types do not say so


@cache
def fold(syllable: str) -> str:
    """The class of syllables that `syllable` is confused with, named by its plainest member."""
    for pattern, plain in FOLDS:
        syllable = pattern.sub(plain, syllable)
    return syllable


def syllables(text: str) -> list[str]:
    """Toneless pinyin of normalised text, one entry a character; characters without a sound stand for themselves."""
    from pypinyin import Style, lazy_pinyin

    sounds = lazy_pinyin(text, style=Style.NORMAL, errors=_EACH, v_to_u=False)
    if len(sounds) != len(text):  # a polyphone phrase that pypinyin reads as a whole: fall back to single characters
        sounds = [lazy_pinyin(char, style=Style.NORMAL, errors=_EACH)[0] for char in text]
    return sounds


@cache
def _codes() -> dict[str, str]:
    """A private character for every folded syllable of Mandarin, so that string algorithms compare syllables."""
    from pypinyin import pinyin_dict
    from pypinyin.contrib.tone_convert import to_normal

    readings = {reading for char in range(0x4E00, 0x9FA6) for reading in pinyin_dict.pinyin_dict.get(char, "").split(",") if reading}
    folded = sorted({fold(to_normal(reading)) for reading in readings})
    return {sound: chr(0xE000 + index) for index, sound in enumerate(folded)}


def encode(text: str) -> str:
    """Normalised text as a string of one character per folded syllable; what has no syllable stands for itself."""
    codes = _codes()
    return "".join(codes.get(fold(sound), char) for char, sound in zip(text, syllables(text), strict=True))
