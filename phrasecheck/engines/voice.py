"""How a stretch of speech sounds, whatever is said in it.

In: clips, each of one speaker. Out: two views of each, alike where the voice is: a vector of the speaker encoder, and the mean spectrum. The one
decision: the encoder alone does not do on the telephone. It learnt from wide-band recordings and confuses voices of one sex, which the spectrum of one
call (where line and handset stay the same) tells apart; the features of both are Resemblyzer's. Weights: models/manifest.yaml, speaker-encoder, which
phrasecheck/training/speaker.py makes.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from phrasecheck.engines.machine import cores
from phrasecheck.resources import resource
from phrasecheck.types import Samples, Vector

Floats = npt.NDArray[np.float32]

RATE = 16_000
HOP, WINDOW, MELS = 160, 400, 40  # 10 ms, 25 ms (resemblyzer/hparams.py, as the next two)
FRAMES = 160  # 1.6 s: what the network was trained on
LOUDNESS = 10 ** (-30 / 20)  # root mean square that clips are brought to: without a logarithm the features grow with it
STEP = 80  # frames between two looks at a longer clip
TELEPHONE = 30  # bands below 3.8 kHz, which every recording has
SOFTEST = 30  # percentile of loudness below which a frame counts as a pause


class Resemblyzer:
    """The network on onnxruntime. Thread-safe."""

    name = "resemblyzer 0.1.4"

    def __init__(self, threads: int = 0) -> None:
        """Raises PhrasecheckError when the weights are missing."""
        import onnxruntime
        from faster_whisper.feature_extractor import FeatureExtractor

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or cores()
        model = resource("models/speaker-encoder/encoder.onnx")
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._filters = FeatureExtractor.get_mel_filters(RATE, WINDOW, MELS).astype(np.float32)

    def views(self, clips: Iterable[Samples]) -> tuple[Floats, Floats]:
        """(clips, 256) and (clips, 30) for mono clips at 16 kHz, of which there must be one at least."""
        vectors, spectra = zip(*((self._vector(mels), spectrum(mels)) for mels in map(self.mels, clips)), strict=True)
        return np.stack(vectors), np.stack(spectra)

    def _vector(self, mels: Floats) -> Vector:
        """Of length 1. More than 1.6 s are looked at several times, and the looks are averaged."""
        starts = range(0, max(len(mels) - FRAMES, 0) + 1, STEP)
        looks = np.stack([mels[start : start + FRAMES] for start in starts])
        mean = self._session.run(["vectors"], {"mels": looks})[0].mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)

    def mels(self, clip: Samples) -> Floats:
        """(frames, 40): what librosa.feature.melspectrogram gives, of the clip at LOUDNESS."""
        level = float(np.sqrt(np.mean(np.square(clip)))) if len(clip) else 0.0
        sound = np.pad(clip * np.float32(LOUDNESS / max(level, 1e-6)), WINDOW // 2)
        frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP] * np.hanning(WINDOW + 1)[:-1]
        power = np.square(np.abs(np.fft.rfft(frames)))
        return np.asarray(power @ self._filters.T, np.float32)


def spectrum(mels: Floats) -> Vector:
    """The mean shape of the spectrum where the clip is loud, in natural logarithms, whatever its level."""
    logs = np.log(mels[:, :TELEPHONE] + 1e-7)
    loudness = logs.mean(axis=1)
    mean = logs[loudness >= np.percentile(loudness, SOFTEST)].mean(axis=0)
    return np.asarray(mean - mean.mean(), np.float32)
