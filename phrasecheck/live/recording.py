"""A running call as a recording that grows: a WAV of 16 bits at the line's own rate.

In: the line's bytes, all channels together or one by one. Out: a file that can be checked like any other. The one decision: its header is right
after every write, so that what a crash leaves behind is a whole recording of the call so far. A line that carries one known voice is written as
stereo with the other side silent, because which side is the agent's is then known to `check` too. The file is locked as long as somebody writes
it, so that a server that starts knows which calls another one left behind.
"""

import fcntl
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from phrasecheck.live.sound import Cutter, Format
from phrasecheck.types import Speaker

APART_S = 5.0  # channels that come one by one may be so far apart; then the late one is silent

Pcm = npt.NDArray[np.int16]


class Recording:
    """One file. Not thread-safe."""

    def __init__(self, path: Path, form: Format, channels: Sequence[Speaker]) -> None:
        """Makes the file. Raises OSError."""
        self.path = path
        self._form = form
        self._one = Format(encoding=form.encoding, rate=form.rate)
        self.resume()
        self._waiting: list[Pcm] = [np.zeros(0, np.int16) for _ in channels]
        self._owed = [0] * len(channels)  # samples that silence stands for already
        self._places = places(channels)
        self.agent_channel = agent_channel(channels)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._held = path.open("wb", buffering=0)  # what was written survives the process
        fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._file = wave.open(self._held, "wb")  # noqa: SIM115 - it grows as long as the call lasts
        self._file.setparams((2 if self._places else 1, 2, form.rate, 0, "NONE", ""))

    def resume(self) -> None:
        """The next sound begins with a whole sample, whatever came last."""
        self._cut = Cutter(self._form.width * self._form.channels)
        self._cuts = [Cutter(self._form.width) for _ in range(self._form.channels)]

    def write(self, chunk: bytes, channel: int | None = None) -> None:
        """The next sound, as Session.feed gets it."""
        if channel is None:
            self._write(list(self._form.pcm(self._cut(chunk)).T))
            return
        self._waiting[channel] = np.concatenate(
            [self._waiting[channel], self._due(channel, self._one.pcm(self._cuts[channel](chunk))[:, 0])]
        )
        longest, limit = max(map(len, self._waiting)), round(APART_S * self._form.rate)
        for index, sound in enumerate(self._waiting):
            if longest - len(sound) > limit:
                self._owed[index] += longest - limit - len(sound)
                self._waiting[index] = np.pad(sound, (0, longest - limit - len(sound)))
        self._flush(min(map(len, self._waiting)))

    def _due(self, channel: int, sound: Pcm) -> Pcm:
        late = min(self._owed[channel], len(sound))
        self._owed[channel] -= late
        return sound[late:]

    def _flush(self, samples: int) -> None:
        self._write([sound[:samples] for sound in self._waiting])
        self._waiting = [sound[samples:] for sound in self._waiting]

    def _write(self, sides: Sequence[Pcm]) -> None:
        if not self._places:
            frames = sides[0].reshape(-1, 1)
        else:
            frames = np.zeros((len(sides[0]), 2), np.int16)
            for place, side in zip(self._places, sides, strict=True):
                frames[:, place] = side
        if len(frames):
            self._file.writeframes(frames.astype("<i2").tobytes())

    def close(self) -> float:
        """Nothing more comes. Seconds recorded."""
        longest = max(map(len, self._waiting))
        self._waiting = [np.pad(sound, (0, longest - len(sound))) for sound in self._waiting]
        self._flush(longest)
        seconds = self._file.getnframes() / self._form.rate
        self._file.close()
        self._held.close()
        return float(seconds)


def abandoned(path: Path) -> bool:
    """Is there a recording that nobody writes any more?"""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def places(channels: Sequence[Speaker]) -> tuple[int, ...]:
    """Where each channel of the line goes: left 0, right 1; none for a single voice that is not known."""
    if len(channels) == 2:
        return 0, 1
    return {Speaker.AGENT: (0,), Speaker.CUSTOMER: (1,)}.get(channels[0], ())


def agent_channel(channels: Sequence[Speaker]) -> str:
    """What `check` is told about the sides."""
    if Speaker.AGENT in channels:
        return ("left", "right")[channels.index(Speaker.AGENT)]
    return "left" if tuple(channels) == (Speaker.CUSTOMER,) else "auto"
