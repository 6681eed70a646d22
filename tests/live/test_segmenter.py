"""A line is cut as its recording will be: the same segments, heard with the same sound around them."""

import numpy as np
import numpy.typing as npt
import pytest

from phrasecheck.live.segmenter import Kind, Mark, Segmenter
from phrasecheck.settings import LiveSettings, SpeechSettings
from phrasecheck.speech import segments
from phrasecheck.transcribe import widened
from phrasecheck.types import Channel, Samples, Segment, Track
from tests.live.fakes import RATE, hearing, silence
from tests.sounds import noise


class Loud:
    """A VAD to which whatever is not silent is speech."""

    name = "loud"

    def probabilities(self, samples: Track) -> npt.NDArray[np.float32]:
        sound = samples[:]
        return hearing()(np.pad(sound, (0, -len(sound) % 512)))


def talk(seed: int, pauses: tuple[float, float] = (0.1, 2.0)) -> Samples:
    """Half a minute of bursts, loud and less loud, with pauses in between; whole frames."""
    chance = np.random.default_rng(seed)
    parts = [silence(chance.uniform(0, 2))]
    while sum(map(len, parts)) < 30 * RATE:
        parts += [noise(chance.uniform(0.05, 6)) * np.float32(chance.uniform(0.5, 1)), silence(chance.uniform(*pauses))]
    sound = np.concatenate([*parts, silence(2)])
    return sound[: len(sound) // 512 * 512]


def live(sound: Samples, speech: SpeechSettings, piece: int) -> list[Mark]:
    segmenter = Segmenter(hearing(), speech, LiveSettings())
    marks = [mark for at in range(0, len(sound), piece) for mark in segmenter.feed(sound[at : at + piece])]
    return [mark for mark in (*marks, *segmenter.end()) if mark.kind is Kind.SETTLED]


def recorded(sound: Samples, speech: SpeechSettings) -> list[tuple[Segment, Samples]]:
    channel = Channel(name="left", samples=sound)
    found = [(channel, segment) for segment in segments(channel, Loud(), speech)]
    return [(segment, channel.clip(wide.start, wide.end)) for (_, segment), (_, wide) in zip(found, widened(found), strict=True)]


@pytest.mark.parametrize("piece", [160, 1600, 50_000])
@pytest.mark.parametrize("seed", range(8))
def test_settled_turns_are_the_segments_of_the_recording(seed: int, piece: int) -> None:
    """Pauses around the one that ends a segment, and speech too long for one; what follows so closely that it limits the sound after a segment is
    not known yet in a line, so pauses that end one are a little longer here."""
    speech = SpeechSettings(min_silence_s=1.4, max_segment_s=5.0)
    sound = talk(seed)
    marks, expected = live(sound, speech, piece), recorded(sound, speech)
    assert len(expected) > 4
    assert [(mark.start, mark.end) for mark in marks] == [(segment.start, segment.end) for segment, _ in expected]
    for mark, (_, clip) in zip(marks, expected, strict=True):
        np.testing.assert_array_equal(mark.clip, clip)


def test_what_does_not_count_is_heard_from_the_last_seconds_only() -> None:
    segmenter = Segmenter(hearing(), SpeechSettings(), LiveSettings(early_window_s=3, early_s=2))
    marks = segmenter.feed(np.concatenate([noise(7), silence(0.5), noise(1), silence(1.2)]))
    assert [mark.kind for mark in marks] == [Kind.GROWN] * 3 + [Kind.PAUSED, Kind.PAUSED, Kind.WHOLE, Kind.SETTLED]
    assert [round(mark.begin, 1) for mark in marks] == [0.0, 0.8, 2.8, 3.8, 5.3, 0.0, 0.0]
    assert marks[-2].same(marks[-1])
    assert not marks[-3].same(marks[-1])
