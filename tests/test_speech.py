"""The policy over given probabilities: what is a segment, where it ends, where a long one is cut."""

import numpy as np
import numpy.typing as npt
import pytest

from phrasecheck.settings import SpeechSettings
from phrasecheck.speech import FRAME, _loudness, segments
from phrasecheck.types import Channel, Track
from tests.sounds import noise

RATE = 16_000
SETTINGS = SpeechSettings(threshold=0.5, min_speech_s=0.2, min_silence_s=0.5, pad_s=0.2, max_segment_s=10.0)


class Told:
    """A VAD that is told where speech is."""

    name = "told"

    def __init__(self, *speech: tuple[float, float], probability: float = 0.9, between: float = 0.0) -> None:
        self.speech, self.probability, self.between = speech, probability, between

    def probabilities(self, samples: Track) -> npt.NDArray[np.float32]:
        frames = np.arange(-(-len(samples) // FRAME)) * FRAME / RATE
        inside = np.any([(start <= frames) & (frames < end) for start, end in self.speech], axis=0) if self.speech else frames < 0
        return np.where(inside, self.probability, self.between).astype(np.float32)


def channel(seconds: float) -> Channel:
    return Channel(name="left", samples=noise(seconds))


def found(seconds: float, vad: Told, settings: SpeechSettings = SETTINGS) -> list[tuple[float, float]]:
    return [(segment.start, segment.end) for segment in segments(channel(seconds), vad, settings)]


def test_silence_and_no_sound_at_all_have_no_segments() -> None:
    assert found(5.0, Told()) == []
    assert found(0.0, Told()) == []
    assert found(0.001, Told()) == []


def test_speech_is_padded_but_not_beyond_the_recording() -> None:
    ((start, end),) = found(10.0, Told((2.0, 4.0)))
    assert start == pytest.approx(1.8, abs=0.04)
    assert end == pytest.approx(4.2, abs=0.04)
    assert found(3.0, Told((0.0, 3.0))) == [(0.0, 3.0)]


def test_a_short_pause_joins_and_a_long_one_parts() -> None:
    assert len(found(10.0, Told((1.0, 2.0), (2.3, 3.0)))) == 1
    assert len(found(10.0, Told((1.0, 2.0), (2.7, 3.5)))) == 2


def test_padding_never_overlaps() -> None:
    wide = SETTINGS.model_copy(update={"pad_s": 1.0})
    first, second = found(10.0, Told((1.0, 2.0), (2.8, 4.0)), wide)
    assert first[1] == second[0] == pytest.approx(2.4, abs=0.04)


def test_a_click_is_no_speech() -> None:
    assert found(5.0, Told((1.0, 1.1))) == []


def test_speech_goes_on_while_the_vad_wavers() -> None:
    """Between the two thresholds speech neither begins nor ends."""
    assert found(5.0, Told(between=0.4)) == []
    assert len(found(10.0, Told((1.0, 2.0), (4.0, 5.0), between=0.4))) == 1


def test_loudness_is_that_of_the_whole_however_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = noise(3.0)
    whole = _loudness(sound)
    assert len(whole) == len(sound) // FRAME
    monkeypatch.setattr("phrasecheck.tape.BLOCK", 10 * FRAME)
    np.testing.assert_array_equal(_loudness(sound), whole)


def test_long_speech_is_cut_where_it_is_quietest() -> None:
    samples = noise(25.0)
    for quiet in (7.0, 15.0):
        samples[int((quiet - 0.2) * RATE) : int((quiet + 0.2) * RATE)] = 0
    vad = Told((0.0, 25.0))
    parts = segments(Channel(name="mono", samples=samples), vad, SETTINGS)
    assert all(part.end - part.start <= 10.0 for part in parts)
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
    assert parts[0].end == pytest.approx(7.0, abs=0.2)
    assert parts[1].end == pytest.approx(15.0, abs=0.2)
    assert (parts[0].start, parts[-1].end) == (0.0, 25.0)
