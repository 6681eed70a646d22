"""What matching needs of an encoder, said where it is consumed; engines/encoder.py answers it.

A Reading speaks of every window of one text at once: its tone, its meaning, its vector.
"""

from collections.abc import Iterable, Sequence
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
    """Readings of one text by several encoders, row for row over the windows that all of them have, in the order of the first: a long turn
    ends sooner for one that spends more tokens on it, and its pieces stand in another order for one that hears another piece as the worst."""
    if not readings or all(r.windows == readings[0].windows for r in readings):
        return list(readings)
    rows_of = [{window: row for row, window in enumerate(reading.windows)} for reading in readings]
    common = tuple(window for window in readings[0].windows if all(window in rows for rows in rows_of))
    return [_only(reading, common, [rows[window] for window in common]) for reading, rows in zip(readings, rows_of, strict=True)]


def _only(reading: Reading, cut: tuple[tuple[int, int], ...], rows: list[int]) -> Reading:
    return Reading(windows=cut, tone=reading.tone[rows], meaning=reading.meaning[rows], vectors=reading.vectors[rows])


class Encoder(Protocol):
    """What matching needs of an encoder."""

    @property
    def phrases(self) -> tuple[str, ...]:
        """Ids of the phrases that the columns of `meaning` stand for."""

    @property
    def name(self) -> str:
        """What results quote: name and hash."""

    def read(self, texts: Sequence[str]) -> Iterable[Reading]:
        """One Reading a text, in order, each as soon as it is there."""
