"""The sound of a recording, kept on disk and heard a stretch at a time.

In: blocks of samples as they are decoded. Out: Tracks, one a channel, sliced like arrays. The one decision: the samples lie as 16-bit numbers in a
nameless temporary file, so that memory does not grow with the length of a call. 16 bits are what telephone recordings have at most.
"""

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile

import numpy as np
import numpy.typing as npt

from phrasecheck.types import Samples, Track

BLOCK = 512_000  # samples (32 s) taken up at once; whole frames of the VAD
FULL = 32_768.0  # what 1.0 is on the tape


class Tape:
    """Sound of several channels. The file goes when the tape and all its tracks are gone."""

    def __init__(self, channels: int) -> None:
        """An empty tape. Raises OSError when there is no temporary folder."""
        self.channels = channels
        self._file = TemporaryFile(prefix="phrasecheck-")  # noqa: SIM115 - closed with the tape
        self._length = 0
        weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        return self._length

    def add(self, block: npt.NDArray[np.float32]) -> None:
        """Append samples in -1..1, (samples, channels): what is louder is clipped, what is no number is silence. Raises OSError."""
        sound = np.clip(np.nan_to_num(block, posinf=0.0, neginf=0.0), -1.0, 1.0 - 1.0 / FULL)
        self._file.write(np.rint(sound * FULL).astype(np.int16).tobytes())
        self._length += len(block)

    def tracks(self) -> tuple["TapeTrack", ...]:
        """The channels, in order, as recorded so far. Raises OSError."""
        self._file.flush()
        return tuple(TapeTrack(tape=self, channel=channel) for channel in range(self.channels))

    def read(self, channel: int, start: int, stop: int) -> Samples:
        """The samples of `channel` from `start` to before `stop`. Several threads may read at once."""
        if stop <= start:
            return np.zeros(0, np.float32)
        # mapped for the moment: pages that stay mapped would count as memory of ours
        offset = start * self.channels * np.dtype(np.int16).itemsize
        stretch = np.memmap(self._file, np.int16, "r", offset, (stop - start, self.channels))
        return np.divide(np.asarray(stretch)[:, channel], FULL, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeTrack:
    """One channel of a tape: float32 in -1..1, read from disk when sliced."""

    tape: Tape
    channel: int

    def __len__(self) -> int:
        return len(self.tape)

    def __getitem__(self, stretch: slice, /) -> Samples:
        start, stop, step = stretch.indices(len(self))
        if step != 1:
            raise ValueError(f"a track is heard from start to end, not in steps of {step}")
        return self.tape.read(self.channel, start, stop)


def blocks(track: Track) -> Iterator[Samples]:
    """The whole of `track`, BLOCK samples at a time (fewer in the last)."""
    return (track[at : at + BLOCK] for at in range(0, len(track), BLOCK))
