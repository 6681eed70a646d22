"""A channel -> the stretches of it that are speech.

In: a Channel and anything that gives speech probabilities. Out: Segments, in order, padded, never overlapping. The one decision: speech
longer than `max_segment_s` is cut where it is quietest, because a recogniser that starts within a syllable mishears the whole word.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from phrasecheck.settings import SpeechSettings
from phrasecheck.tape import blocks
from phrasecheck.types import Channel, Segment, Track

FRAME = 512  # samples a probability
RELEASE = 0.15  # speech once heard goes on until the probability is this far below the threshold (as in Silero's own policy)
EARLIEST_CUT = 0.5  # a cut lies in the later half of what may be kept, so that no scrap is left over
CALM = 5  # frames (160 ms) over which loudness is averaged when looking for the quietest point: a pause, not the closure of a plosive


class Vad(Protocol):
    """Voice activity detection."""

    @property
    def name(self) -> str:
        """What the results call it."""
        ...

    def probabilities(self, samples: Track) -> npt.NDArray[np.float32]:
        """Speech probability 0..1 of each started 512 samples at 16 kHz."""
        ...


def segments(channel: Channel, vad: Vad, settings: SpeechSettings) -> list[Segment]:
    """The speech of `channel`, in order; no segment is longer than `settings.max_segment_s`."""
    per_second = channel.sample_rate / FRAME
    spans = [
        (start / per_second, end / per_second)
        for start, end in _spans(vad.probabilities(channel.samples), settings, per_second)
        if (end - start) / per_second >= settings.min_speech_s
    ]
    padded = list(_padded(spans, settings.pad_s, channel.seconds))
    too_long = any(end - start > settings.max_segment_s for start, end in padded)
    loudness = _loudness(channel.samples) if too_long else np.zeros(0, np.float32)  # it reads the whole channel once more
    return [
        Segment(channel=channel.name, start=round(start, 3), end=round(end, 3))
        for span in padded
        for start, end in _cut(span, settings.max_segment_s, loudness, per_second)
    ]


def _spans(probabilities: npt.NDArray[np.float32], settings: SpeechSettings, per_second: float) -> Iterator[tuple[int, int]]:
    """Runs of speech in frames: begun above the threshold, ended by `min_silence_s` below the lower one."""
    release = max(settings.threshold - RELEASE, 0.01)
    patience = settings.min_silence_s * per_second
    start, quiet = None, None
    for index, probability in enumerate(probabilities):
        if probability >= settings.threshold:
            start, quiet = index if start is None else start, None
        elif start is not None and probability < release:
            quiet = index if quiet is None else quiet
            if index + 1 - quiet >= patience:
                yield start, quiet
                start, quiet = None, None
    if start is not None:
        yield start, len(probabilities) if quiet is None else quiet


def _padded(spans: list[tuple[float, float]], pad: float, seconds: float) -> Iterator[tuple[float, float]]:
    """Spans widened by `pad` on either side; two that would meet share the pause between them."""
    for index, (start, end) in enumerate(spans):
        before = spans[index - 1][1] if index else -2 * pad
        after = spans[index + 1][0] if index + 1 < len(spans) else seconds + 2 * pad
        yield max(0.0, start - min(pad, (start - before) / 2)), min(seconds, end + min(pad, (after - end) / 2))


def _loudness(samples: Track) -> npt.NDArray[np.float32]:
    """Power of each whole frame, averaged over its neighbours."""
    wholes = (block[: len(block) // FRAME * FRAME].reshape(-1, FRAME) for block in blocks(samples))
    power = np.concatenate([np.zeros(0, np.float32), *(np.mean(np.square(whole), axis=1) for whole in wholes)])
    if not len(power):
        return power
    return np.convolve(power, np.ones(CALM) / CALM, mode="same").astype(np.float32)[: len(power)]


def _cut(span: tuple[float, float], longest: float, loudness: npt.NDArray[np.float32], per_second: float) -> Iterator[tuple[float, float]]:
    start, end = span
    while end - start > longest:
        low, high = (int((start + share * longest) * per_second) for share in (EARLIEST_CUT, 1.0))
        quietest = low + int(np.argmin(loudness[low:high])) + 0.5  # the middle of the frame
        yield start, quietest / per_second
        start = quietest / per_second
    yield start, end
