"""What every recogniser needs beside its network: clips in batches, words made tidy, an ear for silence.

In: clips, or words as a recogniser gives them. Out: what it heard of all clips in their order, or words for an utterance. The one decision: clips
of like length go together, longest first, so that little is padded and what does not fit into memory fails at once.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from phrasecheck.engines.machine import cores, free_memory
from phrasecheck.normalize import simplify
from phrasecheck.settings import AsrSettings
from phrasecheck.transcribe import Heard, Progress
from phrasecheck.types import Samples, Word

RATE = 16_000
AUDIBLE = 1e-3  # peak of the quietest clip that can hold speech (-60 dB): on less, Whisper writes whatever the prompt suggests
DOUBTED = 0.2  # an utterance that shows a sign of invention is never trusted more than this
CLIPS_AT_ONCE = 4  # clips in a batch on one processor: more only wait for the longest of them
MOST_CLIPS = 32  # on a GPU
CLIP_SHARE = (
    0.65  # memory that a clip of 25 s takes while it is decoded, as a share of the weights: 92 MB of 145 with Whisper base and five beams
)


def workers(settings: AsrSettings) -> int:
    """Batches heard at the same time, each by one thread: two threads that share a small batch wait for each other half of the time."""
    return settings.threads or cores() if settings.device == "cpu" else 1


def batch_size(settings: AsrSettings, weights: int) -> int:
    """Clips decoded together: as set, or CLIPS_AT_ONCE, and no more than half of the free memory holds for all workers beside `weights` bytes."""
    if settings.batch_size:
        return settings.batch_size
    fast = CLIPS_AT_ONCE if settings.device == "cpu" else MOST_CLIPS
    free = free_memory()
    return fast if free is None else max(1, min(fast, int(free / 2 / workers(settings) / (CLIP_SHARE * weights))))


def in_batches(
    clips: Sequence[Samples], size: int, hear: Callable[[list[Samples]], list[Heard]], progress: Progress | None, at_once: int = 1
) -> list[Heard]:
    """What `hear` makes of the clips, `size` at a time and `at_once` batches in threads of their own, in the order given."""
    total = sum(map(len, clips)) / RATE
    order = sorted(range(len(clips)), key=lambda index: -len(clips[index]))
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    heard: dict[int, Heard] = {}
    with ThreadPoolExecutor(at_once) as pool:
        for batch, found in zip(batches, pool.map(lambda batch: hear([clips[index] for index in batch]), batches), strict=True):
            heard.update(zip(batch, found, strict=True))
            if progress is not None:
                progress(sum(len(clips[index]) for index in heard) / RATE, total)
    return [heard[index] for index in range(len(clips))]


def tidy(words: Sequence[Word]) -> list[Word]:
    """Simplified characters, no blanks at the ends, and punctuation joined to the word before it: a comma has no time of its own."""
    text = "".join(word.text for word in words)
    simple = simplify(text)
    lead, tail = len(simple) - len(simple.lstrip()), len(simple.rstrip())
    kept: list[Word] = []
    at = 0
    for word in words:
        start, at = at, at + len(word.text)
        piece = simple[max(start, lead) : min(at, tail)]
        if not piece:
            continue
        if kept and not any(char.isalnum() for char in piece):
            last = kept[-1]
            kept[-1] = Word(text=last.text + piece, start=last.start, end=last.end, probability=last.probability)
        else:
            kept.append(Word(text=piece, start=word.start, end=word.end, probability=word.probability))
    return kept


def audible(clip: Samples) -> bool:
    """Whether there is any sound in the clip at all."""
    return bool(len(clip)) and float(np.abs(clip).max()) >= AUDIBLE
