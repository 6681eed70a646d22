"""Recordings made on the spot, for the tests of everything that hears."""

import struct
import wave
from io import BytesIO
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


def wav(channels: Floats, rate: int) -> bytes:
    """A wav of 16 bits of `channels` (channels, samples)."""
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((len(channels), 2, rate, 0, "NONE", ""))
        file.writeframes((channels.T * 32_767).astype("<i2").tobytes())
    return buffer.getvalue()


def write(path: Path, channels: Floats, rate: int, codec: str, container: str | None = None, **metadata: str) -> Path:
    """Encode `channels` (channels, samples) into `path`; the suffix picks the container unless one is named."""
    layout = {1: "mono", 2: "stereo", 4: "quad"}.get(len(channels), f"{len(channels)}C")
    with av.open(str(path), "w", format=container) as file:
        file.metadata.update(metadata)
        stream: Any = file.add_stream(codec, rate=rate, options={"strict": "experimental"})  # ffmpeg's own Vorbis encoder asks for it
        stream.layout = layout
        stream.bit_rate = 64_000
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels.T, np.float32).reshape(1, -1), "flt", layout)
        frame.sample_rate = rate
        resampler = av.AudioResampler(format=stream.format or "s16", layout=layout, rate=rate)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return path


# --- what ffmpeg reads but cannot write, built by hand: frames of arbitrary bits are frames all the same ---------------------------


def gsm_wav(path: Path, seconds: int) -> Path:
    """GSM 6.10 in a wav."""
    blocks = seconds * 25  # of 65 bytes and 320 samples each, at 8 kHz
    data = np.random.default_rng(7).bytes(65 * blocks)
    head = struct.pack("<4sIHHIIHHHH", b"fmt ", 20, 0x31, 1, 8000, 1625, 65, 0, 2, 320) + struct.pack("<4sII", b"fact", 4, 320 * blocks)
    body = b"WAVE" + head + struct.pack("<4sI", b"data", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def gsm(path: Path, seconds: int) -> Path:
    """GSM 6.10 as bare frames: 33 bytes and 160 samples each, the first half byte of each is 13."""
    bits = np.random.default_rng(7)
    path.write_bytes(b"".join(bytes([0xD0 | int(bits.integers(16))]) + bits.bytes(32) for _ in range(seconds * 50)))
    return path


def amr_wb(path: Path, seconds: int) -> Path:
    """AMR-WB at 12.65 kbit/s: a head of one byte and 32 bytes of speech for each 20 ms (RFC 4867)."""
    bits = np.random.default_rng(7)
    path.write_bytes(b"#!AMR-WB\n" + b"".join(bytes([2 << 3 | 4]) + bits.bytes(32) for _ in range(seconds * 50)))
    return path
