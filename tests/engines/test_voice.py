"""The features, and the real encoder on the shipped call with its sides added up."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from phrasecheck.audio import decode
from phrasecheck.diarise import listen
from phrasecheck.engines.voice import Resemblyzer, spectrum
from phrasecheck.speakers import assign
from phrasecheck.types import Channel, Role, Samples, Speaker, Utterance, Word
from tests.sounds import noise, tone

pytestmark = pytest.mark.model
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def encoder() -> Resemblyzer:
    return Resemblyzer()


def test_the_features_are_librosas(encoder: Resemblyzer) -> None:
    rng = np.random.default_rng(0)
    clip = rng.normal(0, 10 ** (-30 / 20), 16_000).astype(np.float32)
    clip *= 10 ** (-30 / 20) / np.sqrt(np.mean(np.square(clip)))
    mels = encoder.mels(clip)
    assert mels.shape == (101, 40)
    # librosa 0.11: melspectrogram(y=clip, sr=16000, n_fft=400, hop_length=160, n_mels=40).T, frames 0 and 50, bands 0, 10, 39
    assert mels[[0, 0, 0, 50, 50, 50], [0, 10, 39] * 2] == pytest.approx(LIBROSA, rel=1e-4)
    assert encoder.mels(3 * clip) == pytest.approx(mels, rel=1e-4)  # whatever the level


LIBROSA = [0.00186442, 0.00284453, 0.00156038, 0.00391068, 0.00206224, 0.0043261]


@pytest.mark.parametrize("seconds", [0.01, 0.3, 1.6, 1.7, 9.3])
def test_clips_of_any_length_have_a_vector_and_a_spectrum(encoder: Resemblyzer, seconds: float) -> None:
    vectors, spectra = encoder.views([noise(seconds), tone(seconds)])
    assert vectors.shape == (2, 256)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert spectra.shape == (2, 30)
    assert spectra.mean(axis=1) == pytest.approx([0, 0], abs=1e-5)


@pytest.mark.parametrize("clip", [np.zeros(0, np.float32), np.zeros(8000, np.float32)])
def test_silence_has_numbers_too(encoder: Resemblyzer, clip: Samples) -> None:
    assert all(np.isfinite(view).all() for view in encoder.views([clip]))


def test_a_spectrum_is_that_of_the_loud_frames() -> None:
    mels = np.full((100, 40), 1e-3, np.float32)
    mels[:, 5] = 1.0
    quiet = np.concatenate([mels, np.full((40, 40), 1e-6, np.float32)])
    assert spectrum(quiet) == pytest.approx(spectrum(mels), abs=1e-4)
    assert spectrum(mels).argmax() == 5


def test_the_shipped_call_in_one_channel(encoder: Resemblyzer) -> None:
    """With the words of the script at their times, in utterances that hold both speakers."""
    audio = decode(EXAMPLES / "demo-call.flac")
    sides = [channel.samples[:] for channel in audio.channels]
    channel = Channel(name="mono", samples=((sides[0] + sides[1]) / 2).astype(np.float32))
    turns = yaml.safe_load((EXAMPLES / "demo-call.yaml").read_text(encoding="utf-8"))["turns"]
    utterances = [utterance(number, turns[at : at + 5]) for number, at in enumerate(range(0, len(turns), 5))]
    made = assign(utterances, ["mono"], Role.CLAIMS_REPORT, voices=listen(utterances, channel, encoder))
    assert made.speakers.agent_channel == "mono"
    assert made.speakers.confidence > 0.9
    for turn in turns:
        middle = (turn["start"] + turn["end"]) / 2
        (speaker,) = {each.speaker for each in made.utterances if each.start <= middle < each.end}
        assert speaker is Speaker(turn["speaker"])


def utterance(number: int, turns: list[dict[str, object]]) -> Utterance:
    """The turns as one utterance, the characters of each spread evenly over its time."""
    words = []
    for turn in turns:
        text, start, end = str(turn["text"]), float(str(turn["start"])), float(str(turn["end"]))
        step = (end - start) / len(text)
        words += [Word(text=char, start=start + i * step, end=start + (i + 1) * step, probability=1.0) for i, char in enumerate(text)]
    return Utterance(
        id=f"u{number}", start=words[0].start, end=words[-1].end, channel="mono", text="".join(w.text for w in words), words=tuple(words)
    )
