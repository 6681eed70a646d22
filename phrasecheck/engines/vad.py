"""Silero VAD: how likely each 32 ms of a channel is speech.

In: samples at 16 kHz. Out: one probability a frame. The one decision: the network only measures; what to make of its figures is the
policy of speech.py, so that batch and live use share it. It hears a recording in pieces and keeps its state between them, so that hours
need no more memory than minutes. Weights: models/manifest.yaml, silero-vad.
"""

import numpy as np
import numpy.typing as npt

from phrasecheck.tape import blocks
from phrasecheck.types import Track

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
        found = [np.zeros(0, np.float32)]
        h = c = np.zeros(STATE, np.float32)
        context = np.zeros((1, CONTEXT), np.float32)
        for block in blocks(samples):
            frames = np.pad(block, (0, -len(block) % FRAME)).reshape(-1, FRAME)
            contexts = np.concatenate([context, frames[:-1, -CONTEXT:]])
            output, h, c = self._network.run(None, {"input": np.concatenate([contexts, frames], axis=1), "h": h, "c": c})
            context = frames[-1:, -CONTEXT:]
            found.append(output.reshape(-1))
        return np.concatenate(found)
