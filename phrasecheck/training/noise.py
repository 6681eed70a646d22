"""What a telephone recogniser does to a sentence, imitated: homophones, near sounds, lost and doubled characters, no punctuation.

In: a line and a seeded generator. Out: the garbled line and, for every character of it, where it came from in the original (so that the marked
stretch of an exemplar can be carried over). Shares measured on the telephone calls are about one character in four wrong, half of
them with the right syllable (DESIGN 6.5).
"""

import random
from dataclasses import dataclass
from functools import cache

from phrasecheck.matching.sound import fold, syllables
from phrasecheck.normalize import PAUSES

# Share of each kind of error among the characters that go wrong.
HOMOPHONE, NEAR, HALF, OTHER, LOST = 0.42, 0.22, 0.18, 0.04, 0.11  # the rest is doubled


@cache
def character_counts() -> dict[str, int]:
    """How often each of the 3,500 commonest Han characters stands in jieba's dictionary, weighted by its words' counts."""
    import jieba

    counts: dict[str, int] = {}
    with jieba.get_dict_file() as file:
        for raw in file:
            word, count, *_ = raw.decode("utf-8").split(" ")
            for char in word:
                if "\u4e00" <= char <= "\u9fff":
                    counts[char] = counts.get(char, 0) + int(count)
    common = sorted(counts, key=counts.__getitem__, reverse=True)[:3500]
    return {char: counts[char] for char in common}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sounds:
    """Common characters, repeated by their frequency, under the ways in which one is mistaken for another."""

    same: dict[str, str]  # by toneless syllable
    near: dict[str, str]  # by folded syllable
    half: dict[str, str]  # by initial, and by final: 换 heard as 伞, 事 as 车
    all: str


@cache
def _sounds() -> _Sounds:
    same: dict[str, str] = {}
    near: dict[str, str] = {}
    half: dict[str, str] = {}
    for char, count in character_counts().items():
        weight = 1 + min(9, count // 40_000)
        sound = syllables(char)[0]
        for table, keys in ((same, (sound,)), (near, (fold(sound),)), (half, halves(sound))):
            for key in keys:
                table[key] = table.get(key, "") + char * weight
    return _Sounds(same=same, near=near, half=half, all="".join(list(character_counts())[:1500]))


def halves(syllable: str) -> tuple[str, str]:
    """«zh-» and «-ang» of «zhang»."""
    initial = syllable.rstrip("aeiouvng") if syllable[0] not in "ng" else syllable[0]
    return f"{initial}-", f"-{syllable[len(initial) :]}"


def garble(text: str, rate: float, rng: random.Random) -> tuple[str, list[int]]:
    """`text` with about `rate` of its Han characters wrong, and the origin of each resulting character."""
    chars: list[str] = []
    origin: list[int] = []
    for index, (char, sound) in enumerate(zip(text, syllables(text), strict=True)):
        wrong = "\u4e00" <= char <= "\u9fff" and rng.random() < rate
        heard = _misheard(char, sound, rng) if wrong else char
        chars.extend(heard)
        origin.extend([index] * len(heard))
    return "".join(chars), origin


def _misheard(char: str, sound: str, rng: random.Random) -> str:
    """What stands in the place of one character that goes wrong."""
    table = _sounds()
    choices = (
        table.same.get(sound, char),
        table.near.get(fold(sound), char),
        table.half.get(rng.choice(halves(sound)), char),
        table.all,
    )
    dice = rng.random()
    for share, candidates in zip((HOMOPHONE, NEAR, HALF, OTHER), choices, strict=True):
        if dice < share:
            return rng.choice(candidates)
        dice -= share
    return "" if dice < LOST else char * 2


def drop_pauses(text: str, rng: random.Random, share: float) -> tuple[str, list[int]]:
    """`text` without `share` of its punctuation, and the origin of each character left."""
    kept = [i for i, char in enumerate(text) if char not in PAUSES or rng.random() >= share]
    return "".join(text[i] for i in kept), kept
