"""What matching needs of an encoder, said where it is consumed; engines/encoder.py answers it.

A Reading speaks of every window of one text at once: its tone, its meaning, its vector.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an encoder makes of one text. Per window: `tone` (windows,), the logit of "violates anything"; `meaning` (windows, phrases), logits
    over `Encoder.phrases`; `vectors` (windows, width), unit length. Empty text has no windows."""

    windows: tuple[tuple[int, int], ...]
    tone: Floats
    meaning: Floats
    vectors: Floats


def aligned(readings: Sequence[Reading]) -> list[Reading]:
    """Readings of one text by several encoders over the windows that all of them have: a long turn ends sooner for one that spends more tokens on it."""
    if not readings or all(r.windows == readings[0].windows for r in readings):
        return list(readings)
    common = set(readings[0].windows).intersection(*(r.windows for r in readings))
    return [_only(reading, [i for i, window in enumerate(reading.windows) if window in common]) for reading in readings]


def _only(reading: Reading, rows: list[int]) -> Reading:
    cut = tuple(reading.windows[i] for i in rows)
    return Reading(windows=cut, tone=reading.tone[rows], meaning=reading.meaning[rows], vectors=reading.vectors[rows])


class Encoder(Protocol):
    """What matching needs of an encoder."""

    @property
    def phrases(self) -> tuple[str, ...]:
        """Ids of the phrases that the columns of `meaning` stand for."""

    @property
    def name(self) -> str:
        """What results quote: name and hash."""

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """One Reading a text, in order."""
