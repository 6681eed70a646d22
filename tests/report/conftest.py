"""A recording as long as the sample call, made of two tones."""

from pathlib import Path

import numpy as np
import pytest

from tests.sounds import tone, wav

RATE = 8000


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 s, two channels, 8 kHz, 16 bit: 440 Hz on the left, a soft 220 Hz on the right."""
    path = tmp_path_factory.mktemp("audio") / "call-1.wav"
    path.write_bytes(wav(np.stack([tone(80, 440, RATE, 0.4), tone(80, 220, RATE, 0.05)]), RATE))
    return path
