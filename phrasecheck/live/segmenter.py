"""One channel as it comes -> moments at which something of it should be heard.

In: samples at 16 kHz, piece by piece. Out: Marks. The one decision: a turn is heard after a short pause already (PAUSED), when nobody knows yet
whether it is over, so that waiting and hearing take place at the same time; what counts is the hearing after the pause went on (SETTLED).
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
    SETTLED = 2  # it is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A stretch of speech in seconds, and its sound, which begins at `begin`. Two marks with one `turn` and `end` are the same words."""

    kind: Kind
    turn: int
    start: float
    end: float
    begin: float
    clip: Samples


class Segmenter:
    """The policy of speech.py, frame by frame."""

    def __init__(self, hearing: Hearing, speech: SpeechSettings, live: LiveSettings) -> None:
        self._hearing = hearing
        self._speech = speech
        self._live = live
        self._frames: deque[Samples] = deque()  # the sound from frame `_first` on
        self._first = 0
        self._rest: Samples = np.zeros(0, np.float32)
        self._now = 0  # frames heard
        self._free = 0  # no earlier frame is heard again
        self._turn = 0
        self._start: int | None = None
        self._quiet: int | None = None
        self._told = 0  # the frame up to which the running turn was marked
        self._paused = False  # the running pause was marked
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
        return list(self._settle(self._quiet or self._now)) if self._start is not None else []

    def _step(self, probability: float) -> Iterator[Mark]:
        here = self._now - 1
        if probability >= self._speech.threshold:
            if self._start is None:
                self._start, self._told = here, here
            self._quiet, self._paused = None, False
            self.spoke_at = self._now / PER_SECOND
        elif self._start is not None and probability < max(self._speech.threshold - RELEASE, 0.01):
            self._quiet = here if self._quiet is None else self._quiet
        if self._start is None:
            return
        pause = 0 if self._quiet is None else self._now - self._quiet
        if self._quiet is not None and pause >= self._live.settle_s * PER_SECOND:
            yield from self._settle(self._quiet)
        elif self._quiet is not None and pause >= self._live.glance_s * PER_SECOND:
            if not self._paused:
                self._paused, self._told = True, self._quiet
                yield from self._mark(Kind.PAUSED, self._start, self._quiet)
        elif self._now - self._start > self._live.max_turn_s * PER_SECOND:
            yield from self._cut()
        elif self._now - self._told >= self._live.early_s * PER_SECOND:
            self._told = self._now
            latest = self._now - round(self._live.early_window_s * PER_SECOND)
            yield from self._mark(Kind.GROWN, max(self._start, latest), self._now)

    def _settle(self, end: int) -> Iterator[Mark]:
        assert self._start is not None
        yield from self._mark(Kind.SETTLED, self._start, end)
        self._start, self._quiet, self._paused = None, None, False
        self._turn += 1
        self._free = min(self._now, end + round(self._speech.pad_s * PER_SECOND))

    def _cut(self) -> Iterator[Mark]:
        """Settle the running turn up to its quietest point of late; the rest is the beginning of the next."""
        assert self._start is not None
        since = self._start + round(EARLIEST_CUT * (self._now - self._start))
        power = np.array([float(np.mean(np.square(frame))) for frame in self._sound(since, self._now)])
        quietest = since + int(np.argmin(np.convolve(power, np.ones(CALM) / CALM, mode="same")[:-CALM]))
        yield from self._mark(Kind.SETTLED, self._start, quietest, over=False)
        self._start, self._free, self._told = quietest, quietest, max(self._told, quietest)
        self._turn += 1

    def _mark(self, kind: Kind, start: int, end: int, *, over: bool = True) -> Iterator[Mark]:
        """`over`: the speech ends at `end`, and a pause follows that belongs to nobody else."""
        if (end - start) / PER_SECOND < self._speech.min_speech_s:
            return
        pad, context = (round(s * PER_SECOND) for s in (self._speech.pad_s, CONTEXT_S))
        first, last = max(start - pad, self._free), end + pad * over
        begin, until = max(first - context, self._free), min(last + context * over, self._now)
        yield Mark(
            kind=kind,
            turn=self._turn,
            start=round(first / PER_SECOND, 3),
            end=round(last / PER_SECOND, 3),
            begin=begin / PER_SECOND,
            clip=np.concatenate(list(self._sound(begin, until))),
        )

    def _sound(self, first: int, last: int) -> Iterator[Samples]:
        return (self._frames[frame - self._first] for frame in range(max(first, self._first), last))

    def _forget(self) -> None:
        """Sound that no mark can ask for any more."""
        needed = self._now if self._start is None else self._start
        needed -= round((self._speech.pad_s + CONTEXT_S) * PER_SECOND)
        while self._frames and self._first < needed:
            self._frames.popleft()
            self._first += 1
