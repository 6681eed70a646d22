"""One channel as it comes -> moments at which something of it should be heard.

In: samples at 16 kHz, piece by piece. Out: Marks. The one decision: what counts (SETTLED) are the segments of speech.py, to the sample, so that a
line is heard as its recording will be; turns settled sooner are heard worse (0.6 s of pause instead of 1.0: four false alarms more in twelve
calls). Nothing waits for it: the sound is whole some time before nobody may speak any more (WHOLE), and is heard then; for early alerts a turn is
heard at each short pause (PAUSED) and every few seconds (GROWN) as well.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from phrasecheck.live.sound import RATE
from phrasecheck.settings import LiveSettings, SpeechSettings
from phrasecheck.speech import CALM, EARLIEST_CUT, FRAME, RELEASE
from phrasecheck.transcribe import CONTEXT_S
from phrasecheck.types import Samples

PER_SECOND = RATE / FRAME

Hearing = Callable[[Samples], npt.NDArray[np.float32]]
"""Whole frames of 512 samples -> the speech probability of each; it remembers the channel so far."""


class Kind(IntEnum):
    """What a mark means; the higher, the more it is wanted."""

    GROWN = 0  # the turn goes on
    PAUSED = 1  # a short pause: perhaps it is over
    WHOLE = 2  # if it is over, this is its sound, with all that is heard behind it
    SETTLED = 3  # it is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A stretch of speech in seconds, and its sound, which begins at `begin`."""

    kind: Kind
    turn: int
    start: float
    end: float
    begin: float
    clip: Samples

    def same(self, other: "Mark") -> bool:
        """Whether both are the same words in the same sound."""
        return (self.turn, self.start, self.end, len(self.clip)) == (other.turn, other.start, other.end, len(other.clip))


class Segmenter:
    """The policy of speech.py, frame by frame. Times are seconds since the channel began, as there."""

    def __init__(self, hearing: Hearing, speech: SpeechSettings, live: LiveSettings) -> None:
        self._hearing = hearing
        self._speech = speech
        self._live = live
        self._frames: deque[Samples] = deque()  # the sound from frame `_first` on
        self._first = 0
        self._rest: Samples = np.zeros(0, np.float32)
        self._now = 0  # frames heard
        self._free = 0.0  # nothing earlier is heard again
        self._turn = 0
        self._start: int | None = None  # the frame with which the running speech began
        self._from = 0.0  # where the running turn begins, padding included: a cut makes several turns of one speech
        self._quiet: int | None = None
        self._told = 0  # the frame up to which the running turn was marked
        self._marked = Kind.GROWN  # how the running pause was marked
        self.spoke_at = 0.0  # seconds, of the last frame with speech

    def feed(self, samples: Samples) -> list[Mark]:
        """The marks that the next piece makes."""
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // FRAME * FRAME
        self._rest = samples[whole:]
        frames = samples[:whole].reshape(-1, FRAME)
        marks: list[Mark] = []
        for frame, probability in zip(frames, self._hearing(samples[:whole]), strict=True):
            self._frames.append(frame)
            self._now += 1
            marks += self._step(float(probability))
        self._forget()
        return marks

    def end(self) -> list[Mark]:
        """The channel is over: what is open is settled."""
        return list(self._settle(self._now if self._quiet is None else self._quiet)) if self._start is not None else []

    def _step(self, probability: float) -> Iterator[Mark]:
        here = self._now - 1
        if probability >= self._speech.threshold:
            if self._start is None:
                self._start, self._told = here, here
                self._from = max(here / PER_SECOND - self._speech.pad_s, self._free)
            self._quiet, self._marked = None, Kind.GROWN
            self.spoke_at = self._now / PER_SECOND
        elif self._start is not None and probability < max(self._speech.threshold - RELEASE, 0.01):
            self._quiet = here if self._quiet is None else self._quiet
        if self._start is None:
            return
        yield from self._cut()
        pause = 0 if self._quiet is None else self._now - self._quiet
        if self._quiet is not None and pause >= self._speech.min_silence_s * PER_SECOND:
            yield from self._settle(self._quiet)
        elif self._quiet is not None and pause >= self._live.glance_s * PER_SECOND:
            kind = Kind.WHOLE if pause >= (self._speech.pad_s + CONTEXT_S) * PER_SECOND else Kind.PAUSED
            if kind > self._marked:
                self._marked, self._told = kind, self._quiet
                yield from self._mark(kind, self._from if kind is Kind.WHOLE else self._latest(self._quiet), self._padded(self._quiet))
        elif self._now - self._told >= self._live.early_s * PER_SECOND:
            self._told = self._now
            yield from self._mark(Kind.GROWN, self._latest(self._now), self._now / PER_SECOND)

    def _latest(self, end: int) -> float:
        """Where a hearing begins that does not count: not the whole of a long turn."""
        return max(self._from, end / PER_SECOND - self._live.early_window_s)

    def _padded(self, end: int) -> float:
        return end / PER_SECOND + self._speech.pad_s

    def _settle(self, end: int) -> Iterator[Mark]:
        for mark in self._mark(Kind.SETTLED, self._from, self._padded(end)):
            self._free = min(self._now / PER_SECOND, mark.end)
            yield mark
        self._start, self._quiet, self._marked = None, None, Kind.GROWN
        self._turn += 1

    def _cut(self) -> Iterator[Mark]:
        """When the running turn is certain to become too long, settle it up to its quietest point; the rest is the beginning of the next."""
        longest = self._speech.max_segment_s
        low, high = (int((self._from + share * longest) * PER_SECOND) for share in (EARLIEST_CUT, 1.0))
        end = self._now if self._quiet is None else self._quiet
        if self._now < high + CALM // 2 or self._padded(end) - self._from <= longest:
            return
        frames = self._sound((low - CALM // 2) * FRAME, (high + CALM // 2) * FRAME).reshape(-1, FRAME)
        loudness = np.convolve(np.mean(np.square(frames), axis=1), np.ones(CALM) / CALM, mode="valid")
        cut = (low + int(np.argmin(loudness)) + 0.5) / PER_SECOND
        yield from self._mark(Kind.SETTLED, self._from, cut, over=False)
        self._from = self._free = round(cut, 3)
        self._told = max(self._told, int(cut * PER_SECOND))
        self._turn += 1

    def _mark(self, kind: Kind, start: float, end: float, *, over: bool = True) -> Iterator[Mark]:
        """`over`: behind `end` lies a pause that belongs to nobody else, and a little of it is heard too."""
        assert self._start is not None
        spoken = (self._now if self._quiet is None else self._quiet) - self._start
        if spoken / PER_SECOND < self._speech.min_speech_s:
            return
        start, end = round(start, 3), round(end, 3)
        begin, until = max(start - CONTEXT_S, self._free), min(end + CONTEXT_S * over, self._now / PER_SECOND)
        clip = self._sound(round(begin * RATE), round(until * RATE))
        yield Mark(kind=kind, turn=self._turn, start=start, end=end, begin=begin, clip=clip)

    def _sound(self, first: int, last: int) -> Samples:
        """From sample to sample."""
        frames = [self._frames[frame - self._first] for frame in range(first // FRAME, -(-last // FRAME))]
        offset = first // FRAME * FRAME
        return np.concatenate(frames)[first - offset : last - offset]

    def _forget(self) -> None:
        """Sound that no mark can ask for any more."""
        needed = self._from if self._start is not None else self._now / PER_SECOND - self._speech.pad_s
        while self._frames and self._first < int((needed - CONTEXT_S) * PER_SECOND):
            self._frames.popleft()
            self._first += 1
