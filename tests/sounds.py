"""Recordings made on the spot, for the tests of everything that hears."""

import struct
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from phrasecheck.types import Samples

Floats = npt.NDArray[np.float32]


def tone(seconds: float, hertz: float = 440.0, rate: int = 16_000, loudness: float = 0.3) -> Samples:
    """A sine."""
    return (loudness * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def noise(seconds: float, rate: int = 16_000, loudness: float = 0.02) -> Samples:
    """White noise, the same each time."""
    return np.random.default_rng(7).normal(0, loudness, round(seconds * rate)).astype(np.float32)


def write(path: Path, channels: Floats, rate: int, codec: str, container: str | None = None, **metadata: str) -> Path:
    """Encode `channels` (channels, samples) into `path`; the suffix picks the container unless one is named."""
    layout = {1: "mono", 2: "stereo", 4: "quad"}[len(channels)]
    with av.open(str(path), "w", format=container) as file:
        file.metadata.update(metadata)
        stream: Any = file.add_stream(codec, rate=rate)
        stream.layout = layout
        stream.bit_rate = 64_000
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels, np.float32), "fltp", layout)
        frame.sample_rate = rate
        resampler = av.AudioResampler(format=stream.format or "s16", layout=layout, rate=rate)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return path


def gsm_wav(path: Path, seconds: int) -> Path:
    """A wav of GSM 6.10 frames of arbitrary bits: ffmpeg reads the format but cannot write it."""
    blocks = seconds * 25  # of 65 bytes and 320 samples each, at 8 kHz
    data = np.random.default_rng(7).bytes(65 * blocks)
    head = struct.pack("<4sIHHIIHHHH", b"fmt ", 20, 0x31, 1, 8000, 1625, 65, 0, 2, 320) + struct.pack("<4sII", b"fact", 4, 320 * blocks)
    body = b"WAVE" + head + struct.pack("<4sI", b"data", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path
