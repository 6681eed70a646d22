"""Words that a recogniser is to expect: the trade's, and a company's own.

In: hot word files (one word a line, # begins a comment), the most wanted first. Out: a Prompt for engines that are led by text, or the words
alone for engines that take a list. The one decision: files are joined and not replaced; what comes first stays when there is no room for all.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from phrasecheck.errors import InputError
from phrasecheck.resources import resource
from phrasecheck.settings import AsrSettings

SHIPPED = "shipped"
LONGEST_WORD = 24  # characters: a company's full name; a longer line is a sentence, and no hot word
LINK = "涉及"  # between the frame and the words

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a recogniser is told before it listens. `frame` is the beginning of a sentence, `words` are named after it."""

    frame: str = ""
    words: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The whole, empty when there is nothing to say."""
        listed = "、".join(self.words)
        said = "，".join(part for part in (self.frame, f"{LINK}{listed}" if self.frame and listed else listed) if part)
        return said and said + "。"

    def within(self, most: int, length: Callable[[str], int]) -> "Prompt":
        """The prompt with as many of its words, from the first, as leave `length` (in the engine's own measure) at `most` or below."""
        for kept in range(len(self.words), -1, -1):
            shorter = replace(self, words=self.words[:kept])
            if length(shorter.text) <= most:
                _warn(self.words[kept:], most)
                return shorter
        raise InputError(f"设置 asr.prompt 太长：应不超过 {most} 个词元（约 {most * 2 // 3} 个汉字），请缩短。")


def _warn(left_out: tuple[str, ...], most: int) -> None:
    if left_out:
        log.warning(
            "热词太多：提示语最多 %d 个词元，放不下的 %d 个没有用上：%s。请把要紧的放在文件前面，或删去不用的。",
            most,
            len(left_out),
            "、".join(left_out),
        )


def prompt(settings: AsrSettings) -> Prompt:
    """The prompt that the settings ask for. Raises InputError."""
    return Prompt(frame=settings.prompt.rstrip("。"), words=hotwords(settings))


def hotwords(settings: AsrSettings) -> tuple[str, ...]:
    """All hot words in the order of the files, each once. Raises InputError."""
    files = [resource("lexicons/hotwords.txt") if name == SHIPPED else Path(name).expanduser() for name in settings.hotwords]
    return tuple(dict.fromkeys(word for file in files for word in _read(file)))


def fingerprint(text: str) -> str:
    """What tells one prompt from another in the results."""
    return sha256(text.encode()).hexdigest()[:8]


def _read(file: Path) -> Iterator[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"读不了热词文件 {file}：{error}。应为 UTF-8 文本，一行一个词，# 之后是注释。") from error
    for number, line in enumerate(lines, 1):
        word = line.split("#")[0].strip()
        if len(word) > LONGEST_WORD:
            raise InputError(f"{file}:{number}: 一行应为一个词，不超过 {LONGEST_WORD} 个字，收到「{word}」。请拆成几行，或删去。")
        if word:
            yield word
