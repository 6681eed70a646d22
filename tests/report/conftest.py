"""A recording as long as the sample call, made of two tones."""

import wave
from pathlib import Path

import numpy as np
import pytest

RATE = 8000


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 s, two channels, 8 kHz, 16 bit: 440 Hz on the left, a soft 220 Hz on the right."""
    at = np.arange(80 * RATE) / RATE
    sound = np.stack([0.4 * np.sin(2 * np.pi * 440 * at), 0.05 * np.sin(2 * np.pi * 220 * at)], axis=1)
    path = tmp_path_factory.mktemp("audio") / "call-1.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return path
