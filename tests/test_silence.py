"""Nobody speaks, and nothing is written: the road from file to transcript over every kind of sound that a line carries. bench/silence.py has an hour."""

from pathlib import Path

import numpy as np
import pytest

from phrasecheck.audio import decode
from phrasecheck.engines.registry import load_recogniser
from phrasecheck.engines.vad import SileroVad
from phrasecheck.settings import Settings
from phrasecheck.transcribe import Recogniser, transcribe
from tests.nonspeech import KINDS, RATE, take
from tests.sounds import write

pytestmark = pytest.mark.model
SECONDS = 5.0  # a side; 26 kinds make over four minutes


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return load_recogniser(Settings())


@pytest.mark.parametrize("kind", list(KINDS))
def test_nothing_is_written_where_nobody_speaks(recogniser: Recogniser, tmp_path: Path, kind: str) -> None:
    sides = np.stack([take(kind, SECONDS, seed) for seed in (11, 12)])
    heard = transcribe(decode(write(tmp_path / "line.wav", sides, RATE, "pcm_mulaw")), SileroVad(), recogniser, Settings())
    assert [utterance.text for utterance in heard] == []
