"""All channels in one go, put in order, with the times of the recording."""

from collections.abc import Sequence

import numpy as np
import pytest

from phrasecheck.settings import Settings, SpeechSettings
from phrasecheck.transcribe import CONTEXT_S, Heard, Progress, transcribe
from phrasecheck.types import Audio, Channel, Samples, Speaker, Track, Word
from tests.sounds import noise, tone
from tests.test_speech import Told

SETTINGS = Settings(speech=SpeechSettings(pad_s=0.0, min_silence_s=0.5))


class Parrot:
    """Hears a tone's pitch as text; noise says nothing."""

    name = "parrot"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def recognise(self, clips: Sequence[Samples], progress: Progress | None = None) -> list[Heard]:
        self.asked.append(len(clips))
        if progress:
            progress(1.0, 1.0)
        return [self._hear(clip) for clip in clips]

    @staticmethod
    def _hear(clip: Samples) -> Heard:
        if float((clip**2).mean()) < 0.01:
            return Heard(text="", no_speech=0.9)
        words = (Word(text="您好，", start=0.0, end=0.9, probability=0.9), Word(text="请讲", start=1.0, end=99.0, probability=0.8))
        return Heard(text="您好，请讲", words=words, confidence=0.7)


def two_sides() -> Audio:
    """Left speaks at 1..2 and 5..6, right at 3..4; right's noise at 7..8 is taken for speech by the VAD."""
    left, right = noise(10.0, loudness=0.001), noise(10.0, loudness=0.001)
    for samples, start in ((left, 1), (left, 5), (right, 3)):
        samples[start * 16_000 : (start + 1) * 16_000] = tone(1.0)
    return Audio(channels=(Channel(name="left", samples=left), Channel(name="right", samples=right)), sha256="0" * 64)


class Sides:
    """Tells the two sides apart by their first sound."""

    name = "sides"

    def probabilities(self, samples: Track) -> Samples:
        talks_first = float(abs(samples[16_000:32_000]).max()) > 0.1
        return (Told((1.0, 2.0), (5.0, 6.0)) if talks_first else Told((3.0, 4.0), (7.0, 8.0))).probabilities(samples)


def test_both_sides_in_one_batch_and_in_order() -> None:
    parrot, told = Parrot(), []
    said = transcribe(two_sides(), Sides(), parrot, SETTINGS, progress=lambda done, total: told.append((done, total)))
    assert parrot.asked == [4]
    assert [done for done, _ in told] == [1.0]
    assert [(u.id, u.channel) for u in said] == [("u0001", "left"), ("u0002", "right"), ("u0003", "left")]
    assert [u.start for u in said] == sorted(u.start for u in said)
    assert {u.speaker for u in said} == {Speaker.UNSURE}
    assert {u.role for u in said} == {None}


def test_hours_are_heard_a_portion_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phrasecheck.transcribe.AT_ONCE", 3)
    whole = transcribe(two_sides(), Sides(), Parrot(), SETTINGS)
    parrot, told = Parrot(), []
    said = transcribe(two_sides(), Sides(), parrot, SETTINGS, progress=lambda done, total: told.append((done, total)))
    assert parrot.asked == [3, 1]
    assert told[0][0] == 1.0
    assert 1.0 < told[1][0] <= told[1][1] == told[0][1]  # seconds of the call, whatever the recogniser says of its portion
    assert said == whole


def test_words_carry_the_times_of_the_recording_and_join_to_the_text() -> None:
    for utterance in transcribe(two_sides(), Sides(), Parrot(), SETTINGS):
        assert "".join(word.text for word in utterance.words) == utterance.text
        first, second = utterance.words
        assert first.start == utterance.start
        assert first.end == round(utterance.start + 0.9 - CONTEXT_S, 3)  # the clip began so much earlier
        assert second.end == utterance.end  # the recogniser's 99 s lie outside the segment
        assert utterance.confidence == 0.7


class Ears(Parrot):
    """Keeps what it was given."""

    def recognise(self, clips: Sequence[Samples], progress: Progress | None = None) -> list[Heard]:
        self.clips = clips
        return [Heard(text="") for _ in clips]


def test_a_little_more_is_heard_than_the_segment_but_nothing_twice() -> None:
    ears = Ears()
    samples = np.linspace(0, 1, 16_000 * 30, dtype=np.float32)  # each sample tells its place
    settings = Settings(speech=SpeechSettings(pad_s=0.0, min_silence_s=0.1, max_segment_s=10.0))
    transcribe(
        Audio(channels=(Channel(name="mono", samples=samples),), sha256="0" * 64),
        Told((0.1, 2.0), (2.2, 25.0), (28.0, 30.0)),
        ears,
        settings,
    )
    first, *_, last = [(clip[0] * 30, clip[-1] * 30) for clip in ears.clips]
    assert first[0] == 0.0
    assert 2.1 < first[1] < 2.25  # up to the neighbour and no further
    assert last[0] == pytest.approx(28.0 - CONTEXT_S, abs=0.05)
    assert sum(map(len, ears.clips)) < len(samples)  # long speech, too, was cut and not doubled


def test_nothing_said_is_nothing_transcribed() -> None:
    silent = Audio(channels=(Channel(name="mono", samples=noise(3.0)),), sha256="0" * 64)
    assert transcribe(silent, Told(), Parrot(), Settings()) == []
