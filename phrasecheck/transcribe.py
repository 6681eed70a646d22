"""Channels -> Utterances: all speech of a call, heard in one go and put in order.

In: Audio, a VAD, a recogniser and settings. Out: Utterances by start time, each with words whose times are those of the recording. The one
decision: the segments of all channels go to the recogniser together, because it is fastest when it can sort many clips by length; but only so
many at once that hours of talk need no more memory than minutes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from phrasecheck.settings import Settings
from phrasecheck.speech import Vad, segments
from phrasecheck.types import Audio, Channel, Samples, Segment, Utterance, Word

CONTEXT_S = 0.25  # heard before and after a segment: 0.4 points of character errors less on twelve calls; the utterance's times stay narrow
AT_ONCE = 200  # segments given to the recogniser together: 300 MB if all were as long as they may be, 80 MB in a call

Progress = Callable[[float, float], None]
"""Called now and then with the seconds of speech done and the seconds there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a recogniser makes of one clip. The words joined are `text`; their times are seconds from the start of the clip. `confidence` is
    0..1; `no_speech` the probability that nobody spoke; `doubt` says (Chinese) why the text is not to be trusted, None when all is well;
    `alternatives` are the texts held next likeliest, best first."""

    text: str
    words: tuple[Word, ...] = ()
    confidence: float = 0.0
    no_speech: float = 0.0
    doubt: str | None = None
    alternatives: tuple[str, ...] = ()


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
    found = [(channel, segment) for channel in audio.channels for segment in segments(channel, vad, settings.speech)]
    wide = widened(found)
    heard: list[Heard] = []
    for at in range(0, len(found), AT_ONCE):
        heard += recogniser.recognise(
            [channel.clip(around.start, around.end) for channel, around in wide[at : at + AT_ONCE]], progress and _after(wide, at, progress)
        )
    said = [
        _utterance(segment, around.start, words) for (_, segment), (_, around), words in zip(found, wide, heard, strict=True) if words.text
    ]
    said.sort(key=lambda utterance: (utterance.start, utterance.end, utterance.channel))
    return [replace(utterance, id=f"u{number:04d}") for number, utterance in enumerate(said, 1)]


def _after(found: Sequence[tuple[Channel, Segment]], at: int, progress: Progress) -> Progress:
    """`progress` for the clips from `at` on, told in seconds of all of `found`."""
    lengths = [segment.end - segment.start for _, segment in found]
    before, total = sum(lengths[:at]), sum(lengths)
    return lambda done, _: progress(before + done, total)


def widened(found: Sequence[tuple[Channel, Segment]]) -> list[tuple[Channel, Segment]]:
    """The segments with CONTEXT_S more on either side, as far as no neighbour lies there: what is heard twice would be written twice."""
    wide = []
    for number, (channel, segment) in enumerate(found):
        before = [earlier.end for other, earlier in found[max(number - 1, 0) : number] if other is channel]
        after = [later.start for other, later in found[number + 1 : number + 2] if other is channel]
        start = max(segment.start - CONTEXT_S, *before, 0.0)
        wide.append((channel, replace(segment, start=start, end=min(segment.end + CONTEXT_S, *after, channel.seconds))))
    return wide


def _utterance(segment: Segment, began: float, heard: Heard) -> Utterance:
    """What was heard of a clip that began at `began`, with the times of its segment."""
    words = tuple(replace(word, start=_inside(segment, began + word.start), end=_inside(segment, began + word.end)) for word in heard.words)
    return Utterance(
        id="",
        start=segment.start,
        end=segment.end,
        channel=segment.channel,
        text=heard.text,
        words=words,
        confidence=heard.confidence,
        doubt=heard.doubt,
        alternatives=heard.alternatives,
    )


def _inside(segment: Segment, seconds: float) -> float:
    """The nearest moment within `segment`."""
    return round(min(max(segment.start, seconds), segment.end), 3)
