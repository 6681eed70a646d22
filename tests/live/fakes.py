"""A line without weights: a tone is speech, a recogniser says what it is told, the lexicon's own words are violations."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from phrasecheck.lexicon import load_lexicon
from phrasecheck.live.session import Ask, Caller, Minds, Session
from phrasecheck.live.sound import Format
from phrasecheck.matching.fuse import FEATURES, PHRASE_FEATURES, Weights
from phrasecheck.matching.matcher import Matcher, Parts
from phrasecheck.settings import LiveSettings, Settings, SpeechSettings
from phrasecheck.transcribe import Heard, Progress
from phrasecheck.types import Samples, Word
from tests.sounds import tone

RATE = 16_000
BAD = "你问我，我问谁"  # 9.1.14
WORSE = "有意见，告去"  # 9.1.10


def hearing() -> Callable[[Samples], npt.NDArray[np.float32]]:
    """An ear for whatever is louder than nothing."""
    return lambda samples: (np.abs(samples.reshape(-1, 512)).max(1) > 0.05).astype(np.float32)


def matcher() -> Matcher:
    weights = Weights(
        window=dict.fromkeys(FEATURES, 0.0), bias=-6.0, phrase={**dict.fromkeys(PHRASE_FEATURES, 0.0), "exact": 8.0, "fuzzy": 1.0}
    )
    parts = Parts(lexicon=load_lexicon(), encoders=(), neighbours=None, qualifiers=(), weights=weights)
    return Matcher(parts, Settings().matching)


def session(
    minds: Minds, form: Format | None = None, settings: dict[str, Any] | None = None, longest: float = 24.0, **caller: Any
) -> Session:
    live = LiveSettings(**{"early_threshold": 0.5, **(settings or {})})
    speech = SpeechSettings(max_segment_s=longest)
    return Session(Caller(call="c1", **caller), form or Format(rate=16_000, channels=2), minds, Settings(live=live, speech=speech))


def speech(seconds: float) -> Samples:
    return tone(seconds)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def pcm(*parts: Samples) -> npt.NDArray[np.int16]:
    return (np.concatenate(parts) * 32_767).astype("<i2")


def stereo(left: npt.NDArray[np.int16], right: npt.NDArray[np.int16] | None = None) -> bytes:
    """The agent left; without `right` the customer says nothing."""
    return np.stack([left, np.zeros_like(left) if right is None else right], axis=1).astype("<i2").tobytes()


def heard(text: str, ask: Ask, *, confidence: float = 0.9) -> Heard:
    """The text with its characters spread evenly over the clip."""
    return _spread(text, ask.clip, confidence)


def _spread(text: str, clip: Samples, confidence: float = 0.9) -> Heard:
    step = len(clip) / RATE / max(1, len(text))
    words = tuple(Word(text=c, start=i * step, end=(i + 1) * step, probability=0.9) for i, c in enumerate(text))
    return Heard(text=text, words=words, confidence=confidence)


class Sayer:
    """A recogniser that says the same whatever it hears; it keeps how many clips came together."""

    name = "fake"

    def __init__(self, text: str = BAD, fail: Callable[[Sequence[Samples]], bool] = lambda clips: False) -> None:
        self.text = text
        self.batches: list[int] = []
        self._fail = fail

    def recognise(self, clips: Sequence[Samples], progress: Progress | None = None) -> list[Heard]:
        self.batches.append(len(clips))
        if self._fail(clips):
            raise RuntimeError("broken")
        return [_spread(self.text, clip) for clip in clips]
