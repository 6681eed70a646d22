"""What a telephone recogniser does to a sentence, imitated: homophones, near sounds, lost and doubled characters, no punctuation.

In: a line and a seeded generator. Out: the garbled line and, for every character of it, where it came from in the original (so that the marked
stretch of an exemplar can be carried over). Shares measured on the telephone calls are about one character in four wrong, half of
them with the right syllable (DESIGN 6.5).
"""

import random
from functools import cache

from phrasecheck.matching.sound import fold, syllables
from phrasecheck.normalize import PAUSES

# Share of each kind of error among the characters that go wrong.
HOMOPHONE, NEAR, OTHER, LOST = 0.52, 0.22, 0.10, 0.11  # the rest is doubled


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


@cache
def _by_sound() -> tuple[dict[str, str], dict[str, str], str]:
    """Common characters by toneless syllable, by folded syllable, and all of them; repeated by their frequency."""
    exact: dict[str, str] = {}
    near: dict[str, str] = {}
    for char, count in character_counts().items():
        weight = 1 + min(9, count // 40_000)
        sound = syllables(char)[0]
        exact[sound] = exact.get(sound, "") + char * weight
        near[fold(sound)] = near.get(fold(sound), "") + char * weight
    return exact, near, "".join(list(character_counts())[:1500])


def garble(text: str, rate: float, rng: random.Random) -> tuple[str, list[int]]:
    """`text` with about `rate` of its Han characters wrong, and the origin of each resulting character."""
    exact, near, common = _by_sound()
    sounds = syllables(text)
    chars: list[str] = []
    origin: list[int] = []
    for index, (char, sound) in enumerate(zip(text, sounds, strict=True)):
        heard = char
        if "\u4e00" <= char <= "\u9fff" and rng.random() < rate:
            dice = rng.random()
            if dice < HOMOPHONE:
                heard = rng.choice(exact.get(sound, char))
            elif dice < HOMOPHONE + NEAR:
                heard = rng.choice(near.get(fold(sound), char))
            elif dice < HOMOPHONE + NEAR + OTHER:
                heard = rng.choice(common)
            elif dice < HOMOPHONE + NEAR + OTHER + LOST:
                heard = ""
            else:
                heard = char * 2
        chars.extend(heard)
        origin.extend([index] * len(heard))
    return "".join(chars), origin


def drop_pauses(text: str, rng: random.Random, share: float) -> tuple[str, list[int]]:
    """`text` without `share` of its punctuation, and the origin of each character left."""
    kept = [i for i, char in enumerate(text) if char not in PAUSES or rng.random() >= share]
    return "".join(text[i] for i in kept), kept
