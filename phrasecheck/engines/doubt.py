"""Signs that a recogniser wrote what nobody said.

In: text, and how long the clip was. Out: the sign (Chinese) or None. The one decision: these tests look at text and length alone; any
engine can use them, and none of them deletes an utterance except the list of known inventions (lexicons/inventions.txt).
"""

import re
import zlib
from functools import cache

from rapidfuzz.distance import Levenshtein

from phrasecheck.engines.hotwords import Prompt
from phrasecheck.normalize import PAUSES, normalize
from phrasecheck.resources import resource

COMPRESSION = 2.4  # Whisper's own limit: text that zlib shrinks further repeats itself (openai/whisper, transcribe.py)
FASTEST = 11.0  # characters a second; hurried Mandarin reaches 8 to 9
FAST_FROM = 8  # shorter texts say nothing about speed
ECHO = 8  # characters in a row of the prompt's sentence: chance stays below
ECHO_SHARE = 0.5  # of a text in pieces of the prompt, of two characters or more: over hold music Whisper strings hot words and halves of them together
AGREED = 0.5  # share of characters that two hearings of the same speech have in common; over the telephone one in four is wrong in each
RUNAWAY = re.compile(r"(.)\1{7,}|(.{2,12}?)\2{3,}")  # one character eight times, or a few characters four times
POOR = 16, 4  # so many characters in a row made of so few different ones: a loop that the n-gram rule only bent


def sign(text: str, seconds: float, prompt: Prompt | None = None) -> str | None:
    """Why `text`, heard in a clip of `seconds`, should not be believed; None when nothing speaks against it."""
    plain = normalize(text).text
    if prompt is not None and echoes(plain, prompt):
        return "重复了提示语"
    if compression(text) > COMPRESSION or RUNAWAY.search(plain) or _poor(plain):
        return "反复重复同样的字"
    if len(plain) >= FAST_FROM and len(plain) > FASTEST * seconds:
        return "字数多得不可能在这么短的时间里说完"
    return None


def _poor(plain: str) -> bool:
    length, few = POOR
    return any(len(set(plain[start : start + length])) <= few for start in range(len(plain) - length + 1))


def compression(text: str) -> float:
    """How many times smaller zlib makes the text."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def echoes(plain: str, prompt: Prompt) -> bool:
    """Whether `plain` (normalised) may be the prompt given back, whole or in pieces. It errs towards yes, as hot words are what is to be heard:
    the clip is then heard once more without a prompt, and what was really said is heard again."""
    told = [normalize(part).text for part in (prompt.frame, *prompt.words)]
    if any(told[0][start : start + ECHO] in plain for start in range(len(told[0]) - ECHO + 1)):
        return True
    if len(plain) == 1:  # half of a hot word over music; a real «对» or «好» stands in none
        return any(plain in part for part in told)
    covered = at = 0
    while at < len(plain):
        until = at + 1
        while until < len(plain) and any(plain[at : until + 1] in part for part in told):
            until += 1
        covered += until - at if until - at > 1 else 0
        at = until
    return covered > 0 and covered >= ECHO_SHARE * len(plain)


def agree(one: str, other: str) -> bool:
    """Whether two hearings of a clip are the same words, give or take misheard characters."""
    return Levenshtein.normalized_similarity(normalize(one).text, normalize(other).text) >= AGREED


def is_invention(text: str) -> bool:
    """Whether `text` consists of known inventions and nothing else."""
    pattern = _inventions()
    clauses = [normalize(clause).text for clause in re.split(f"[{re.escape(''.join(PAUSES))}]", text)]
    return bool(pattern.fullmatch(normalize(text).text)) or all(pattern.fullmatch(clause) for clause in clauses if clause)


@cache
def _inventions() -> re.Pattern[str]:
    lines = resource("lexicons/inventions.txt").read_text(encoding="utf-8").splitlines()
    rows = [line for line in map(str.strip, lines) if line and not line.startswith("#")]
    return re.compile("|".join(".*".join(re.escape(normalize(part).text) for part in row.split("*")) for row in rows))
