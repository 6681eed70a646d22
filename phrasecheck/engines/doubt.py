"""Signs that a recogniser wrote what nobody said.

In: text, and how long the clip was. Out: the sign (Chinese) or None. The one decision: these tests look at text and length alone; any
engine can use them, and none of them deletes an utterance except the list of known inventions (lexicons/inventions.txt).
"""

import re
import zlib
from functools import cache

from phrasecheck.normalize import PAUSES, normalize
from phrasecheck.resources import resource

COMPRESSION = 2.4  # Whisper's own limit: text that zlib shrinks further repeats itself (openai/whisper, transcribe.py)
FASTEST = 11.0  # characters a second; hurried Mandarin reaches 8 to 9
FAST_FROM = 8  # shorter texts say nothing about speed
ECHO = 8  # characters in a row that stand in the prompt as well: chance and trade words stay below
ECHO_FROM = 4  # a text of at least so many characters, all of them from the prompt and in its order, is an echo too
RUNAWAY = re.compile(r"(.)\1{7,}|(.{2,12}?)\2{3,}")  # one character eight times, or a few characters four times
POOR = 16, 4  # so many characters in a row made of so few different ones: a loop that the n-gram rule only bent


def sign(text: str, seconds: float, prompt: str = "") -> str | None:
    """Why `text`, heard in a clip of `seconds`, should not be believed; None when nothing speaks against it."""
    plain = normalize(text).text
    if prompt and echoes(plain, normalize(prompt).text):
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


def echoes(plain: str, prompt: str) -> bool:
    """Whether `plain` is the prompt with gaps, or holds ECHO characters in a row of it (both normalised). It errs towards yes: the clip
    is then only heard once more without a prompt."""
    length = min(ECHO, len(prompt))
    if any(prompt[start : start + length] in plain for start in range(len(prompt) - length + 1)):
        return True
    rest = iter(prompt)
    return len(plain) >= ECHO_FROM and all(char in rest for char in plain)


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
