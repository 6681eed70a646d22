"""Silero VAD: how likely each 32 ms of a channel is speech.

In: samples at 16 kHz. Out: one probability a frame. The one decision: the network only measures; what to make of its figures is the
policy of speech.py, so that batch and live use share it. It hears a recording in pieces and keeps its state between them, so that hours
need no more memory than minutes. Weights: models/manifest.yaml, silero-vad.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from phrasecheck.tape import blocks
from phrasecheck.types import Samples, Track

FRAME = 512  # samples a probability, fixed by the network (32 ms at 16 kHz)
CONTEXT = 64  # samples before it that a frame is seen with
STATE = (1, 1, 128)


class SileroVad:
    """The VAD that faster-whisper brings. It keeps no state from one call to the next; one object may serve several threads."""

    name = "silero-vad v6"

    def __init__(self) -> None:
        from faster_whisper.vad import get_vad_model

        self._network = get_vad_model().session

    def probabilities(self, samples: Track) -> npt.NDArray[np.float32]:
        """Speech probability 0..1 of each 512 samples; the last, incomplete frame is filled up with silence."""
        hearing = self.stream()
        return np.concatenate([np.zeros(0, np.float32), *(hearing(np.pad(block, (0, -len(block) % FRAME))) for block in blocks(samples))])

    def stream(self) -> "SileroStream":
        """An ear for one channel that is heard piece by piece."""
        return SileroStream(self._network)


class SileroStream:
    """The network with what it remembers of one channel."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._h = self._c = np.zeros(STATE, np.float32)
        self._context = np.zeros((1, CONTEXT), np.float32)

    def __call__(self, samples: Samples) -> npt.NDArray[np.float32]:
        """Speech probability of each 512 samples of the next piece, which is whole frames."""
        frames = samples.reshape(-1, FRAME)
        if not len(frames):
            return np.zeros(0, np.float32)
        contexts = np.concatenate([self._context, frames[:-1, -CONTEXT:]])
        given = {"input": np.concatenate([contexts, frames], axis=1), "h": self._h, "c": self._c}
        output, self._h, self._c = self._network.run(None, given)
        self._context = frames[-1:, -CONTEXT:]
        return np.asarray(output.reshape(-1), np.float32)
