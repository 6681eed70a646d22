"""The real network on sounds that are not speech, and on speech."""

from pathlib import Path

import numpy as np
import pytest

from phrasecheck.audio import decode
from phrasecheck.engines.vad import FRAME, SileroVad
from phrasecheck.settings import SpeechSettings
from phrasecheck.speech import segments
from phrasecheck.types import Channel, Samples
from tests.sounds import noise, tone

pytestmark = pytest.mark.model
DEMO = Path(__file__).parents[2] / "examples" / "demo-call.flac"


@pytest.fixture(scope="module")
def vad() -> SileroVad:
    return SileroVad()


@pytest.mark.parametrize("samples", [0, 1, FRAME - 1, FRAME, FRAME + 1])
def test_one_probability_for_each_started_frame(vad: SileroVad, samples: int) -> None:
    probabilities = vad.probabilities(np.zeros(samples, np.float32))
    assert probabilities.shape == (-(-samples // FRAME),)
    assert probabilities.dtype == np.float32


def test_hours_in_pieces_are_heard_as_the_whole_at_once(vad: SileroVad, monkeypatch: pytest.MonkeyPatch) -> None:
    from faster_whisper.vad import get_vad_model

    sound = decode(DEMO).channels[0].samples[: 16_000 * 60 // FRAME * FRAME]
    whole = np.asarray(get_vad_model()(sound.copy()), np.float32).reshape(-1)  # it writes into what it is given
    monkeypatch.setattr("phrasecheck.tape.BLOCK", 100 * FRAME)
    np.testing.assert_allclose(vad.probabilities(sound)[:-1], whole[:-1], atol=1e-5)  # and silences the end of the last frame


def ring_back() -> Samples:
    """450 Hz, one second on and four off: what a caller hears in China while it rings (GB/T 3384)."""
    sound = tone(30, 450)
    sound[(np.arange(len(sound)) // 16_000) % 5 > 0] = 0
    return sound


def dtmf() -> Samples:
    """Keys 1 and 9 in turn."""
    low, high = np.concatenate([tone(0.2, 697), tone(0.2, 852)]), np.concatenate([tone(0.2, 1209), tone(0.2, 1477)])
    return np.tile((low + high).astype(np.float32), 20)


@pytest.mark.parametrize("sound", [np.zeros(16_000 * 10, np.float32), noise(30), noise(30, loudness=0.1), tone(10), ring_back(), dtmf()])
def test_what_is_not_speech_has_no_segments(vad: SileroVad, sound: Samples) -> None:
    assert segments(Channel(name="mono", samples=sound), vad, SpeechSettings()) == []


@pytest.mark.skipif(not DEMO.exists(), reason="needs the shipped recording")
def test_the_shipped_call_is_mostly_speech_on_alternate_sides(vad: SileroVad) -> None:
    audio = decode(DEMO)
    spoken = [sum(s.end - s.start for s in segments(channel, vad, SpeechSettings())) for channel in audio.channels]
    assert len(spoken) == 2
    assert 0.5 * audio.seconds < sum(spoken) < 1.2 * audio.seconds
