"""Channels -> Utterances: all speech of a call, heard in one go and put in order.

In: Audio, a VAD, a recogniser and settings. Out: Utterances by start time, each with words whose times are those of the recording. The one
decision: the segments of all channels go to the recogniser together, because it is fastest when it can sort many clips by length.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from phrasecheck.settings import Settings
from phrasecheck.speech import Vad, segments
from phrasecheck.types import Audio, Channel, Samples, Segment, Utterance, Word

Progress = Callable[[float, float], None]
"""Called now and then with the seconds of speech done and the seconds there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a recogniser makes of one clip. The words joined are `text`; their times are seconds from the start of the clip. `confidence` is
    0..1; `no_speech` the probability that nobody spoke; `doubt` says (Chinese) why the text is not to be trusted, None when all is well."""

    text: str
    words: tuple[Word, ...] = ()
    confidence: float = 0.0
    no_speech: float = 0.0
    doubt: str | None = None


class Recogniser(Protocol):
    """Speech to text."""

    @property
    def name(self) -> str:
        """What the results call it: model and kind of arithmetic, so that a result can be made again."""
        ...

    def recognise(self, clips: Sequence[Samples], progress: Progress | None = None) -> list[Heard]:
        """One Heard per clip (mono float32 at 16 kHz, at most 29 s), in the same order; an empty text where nothing was said."""
        ...


def transcribe(audio: Audio, vad: Vad, recogniser: Recogniser, settings: Settings, progress: Progress | None = None) -> list[Utterance]:
    """What was said in all channels of `audio`, ordered by start; speaker and role are not decided yet (speakers.py)."""
    found = [(segment, _clip(channel, segment)) for channel in audio.channels for segment in segments(channel, vad, settings.speech)]
    heard = recogniser.recognise([clip for _, clip in found], progress)
    said = [_utterance(segment, words) for (segment, _), words in zip(found, heard, strict=True) if words.text]
    said.sort(key=lambda utterance: (utterance.start, utterance.end, utterance.channel))
    return [replace(utterance, id=f"u{number:04d}") for number, utterance in enumerate(said, 1)]


def _clip(channel: Channel, segment: Segment) -> Samples:
    return channel.samples[round(segment.start * channel.sample_rate) : round(segment.end * channel.sample_rate)]


def _utterance(segment: Segment, heard: Heard) -> Utterance:
    words = tuple(replace(word, start=_inside(segment, word.start), end=_inside(segment, word.end)) for word in heard.words)
    return Utterance(
        id="", start=segment.start, end=segment.end, channel=segment.channel, text=heard.text, words=words, confidence=heard.confidence
    )


def _inside(segment: Segment, seconds: float) -> float:
    """Seconds from the start of `segment` as seconds of the recording, never after its end."""
    return round(min(segment.start + max(0.0, seconds), segment.end), 3)
