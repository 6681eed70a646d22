"""The sound that travels inside a report: the whole call pressed small, and a clip for each hit.

In: the recording, and the stretches wanted. Out: data URIs. The one decision: mono MP3. Opus would be smaller, but MP3 plays in every
browser on any desk and in any phone, seeks exactly at a constant bit rate, and saves as a file that anybody can open.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from phrasecheck.audio import RATE, decode
from phrasecheck.report.view import HitView
from phrasecheck.types import Samples

BIT_RATE = 24_000  # 180 kB a minute; telephone speech needs no more
MARGIN_S = 1.5  # kept before and after a hit
WHOLE_S = 3600.0  # longer calls bring their clips only: 11 MB an hour is what a browser opens without a wait
LOUDEST = 0.9
MOST_GAIN = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A stretch of the call in seconds, and its sound as a data URI."""

    start: float
    end: float
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """`call` is the whole recording as a data URI (None if too long); `clips` by the number of the hit."""

    call: str | None
    clips: dict[int, Clip]


def embed(file: Path, views: Sequence[HitView]) -> Sound:
    """The recording's sound for a report. Raises AudioError when the file cannot be read."""
    samples = mixed(file)
    seconds = len(samples) / RATE
    whole = data_uri(samples) if seconds <= WHOLE_S else None
    return Sound(call=whole, clips={view.number: _clip(samples, view) for view in views if view.start < seconds})


def mixed(file: Path) -> Samples:
    """All channels of a recording as one, 16 kHz, raised to a common loudness. Raises AudioError."""
    channels = decode(file).channels
    samples = np.zeros(max(len(channel.samples) for channel in channels), np.float32)
    for channel in channels:
        samples[: len(channel.samples)] += channel.samples
    peak = float(np.abs(samples).max(initial=0.0))
    return samples * np.float32(min(MOST_GAIN, LOUDEST / peak) if peak > 0 else 1.0)


def data_uri(samples: Samples) -> str:
    """Mono 16 kHz samples as an MP3 in a data URI."""
    return "data:audio/mpeg;base64," + b64encode(_mp3(samples)).decode()


def _mp3(samples: Samples) -> bytes:
    import av

    buffer = BytesIO()
    with av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono", options={"b": str(BIT_RATE)})
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="fltp", layout="mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return buffer.getvalue()


def _clip(samples: Samples, view: HitView) -> Clip:
    start = max(view.start - MARGIN_S, 0.0)
    end = min(view.end + MARGIN_S, len(samples) / RATE)
    return Clip(start=start, end=end, uri=data_uri(samples[int(start * RATE) : int(end * RATE)]))
