"""Silero VAD: how likely each 32 ms of a channel is speech.

In: samples at 16 kHz. Out: one probability a frame. The one decision: the network only measures; what to make of its figures is the
policy of speech.py, so that batch and live use share it. Weights: models/manifest.yaml, silero-vad.
"""

import numpy as np
import numpy.typing as npt

from phrasecheck.types import Samples

FRAME = 512  # samples a probability, fixed by the network (32 ms at 16 kHz)


class SileroVad:
    """The VAD that faster-whisper brings. It keeps no state from one call to the next; one object may serve several threads."""

    name = "silero-vad v6"

    def __init__(self) -> None:
        from faster_whisper.vad import get_vad_model

        self._model = get_vad_model()

    def probabilities(self, samples: Samples) -> npt.NDArray[np.float32]:
        """Speech probability 0..1 of each 512 samples; the last, incomplete frame is filled up with silence."""
        if not len(samples):
            return np.zeros(0, np.float32)
        filled = np.pad(samples, (0, -len(samples) % FRAME))
        return np.asarray(self._model(filled), np.float32).reshape(-1)
