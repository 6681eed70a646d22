"""What telephone systems send -> mono float32 at 16 kHz.

In: bytes of PCM16, A-law or mu-law at 8 or 16 kHz, cut anywhere. Out: samples a channel. The one decision: a chunk may end in the middle of a
frame; the rest waits for the next, so that a bad cut shifts nothing.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from phrasecheck.errors import InputError
from phrasecheck.types import Samples

RATE = 16_000
RATES = (8_000, 16_000)
Encoding = Literal["pcm16", "alaw", "ulaw"]
ENCODINGS: tuple[str, ...] = get_args(Encoding)
MOST_CHANNELS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How the bytes of a line are to be read. PCM16 is little-endian; channels are interleaved."""

    encoding: Encoding = "pcm16"
    rate: int = 8_000
    channels: int = 1

    def __post_init__(self) -> None:
        """Raises InputError for what cannot be read."""
        if self.encoding not in ENCODINGS:
            raise InputError(f"音频编码应为 {'、'.join(ENCODINGS)}，收到「{self.encoding}」：请改通话接入的设置")
        if self.rate not in RATES:
            raise InputError(f"采样率应为 8000 或 16000，收到 {self.rate}：请在电话系统里转换")
        if not 1 <= self.channels <= MOST_CHANNELS:
            raise InputError(f"声道数应为 1 或 2，收到 {self.channels}：坐席、客户各一个声道，或合在一个声道")

    @property
    def width(self) -> int:
        """Bytes of one sample of one channel."""
        return 2 if self.encoding == "pcm16" else 1

    @property
    def bytes_a_second(self) -> int:
        """Of all channels together."""
        return self.rate * self.width * self.channels

    def pcm(self, data: bytes) -> npt.NDArray[np.int16]:
        """(samples, channels) of whole frames."""
        flat = np.frombuffer(data, "<i2") if self.encoding == "pcm16" else _table(self.encoding)[np.frombuffer(data, np.uint8)]
        return flat.astype(np.int16, copy=False).reshape(-1, self.channels)


@cache
def _table(encoding: str) -> npt.NDArray[np.int16]:
    """The 16-bit value of each byte (ITU-T G.711)."""
    code = np.arange(256)
    if encoding == "ulaw":
        code = ~code & 0xFF
        size = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
        return np.where(code & 0x80, -size, size).astype(np.int16)
    code ^= 0x55
    exponent, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    size = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int16)


class Upsampler:
    """One channel to 16 kHz, piece by piece, without seams: the resampler that recordings go through as well."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._graph = _graph(rate) if rate != RATE else None

    def __call__(self, samples: npt.NDArray[np.int16]) -> Samples:
        """The next piece; a few milliseconds of it come with the one after."""
        if self._graph is None:
            return samples.astype(np.float32) / np.float32(32_768)
        if not len(samples):
            return np.zeros(0, np.float32)
        import av

        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.reshape(1, -1)), "s16", "mono")
        frame.sample_rate, frame.pts = self._rate, None
        self._graph.push(frame)
        made = [np.zeros(0, np.float32)]
        with suppress(av.BlockingIOError):  # no more before the next piece
            while True:
                made.append(self._graph.pull().to_ndarray().reshape(-1))
        return np.concatenate(made)


def _graph(rate: int) -> Any:
    """What av.AudioResampler makes, sample for sample, but without its threads: one for each core and channel, idle all through a call."""
    from av.filter import Graph

    graph = Graph()
    graph.threads = 1
    taken = graph.add_abuffer(sample_rate=rate, format="s16", layout="mono")
    made = graph.add("aformat", f"sample_rates={RATE}:sample_fmts=flt:channel_layouts=mono")
    graph.link_nodes(taken, made, graph.add("abuffersink")).configure()
    return graph


class Cutter:
    """Bytes that come in any pieces -> whole frames."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rest = b""

    def __call__(self, data: bytes) -> bytes:
        """All whole frames there are."""
        data = self._rest + data
        whole = len(data) // self._size * self._size
        self._rest = data[whole:]
        return data[:whole]
