"""The sound that travels inside a report: the whole call pressed small, and a clip for each hit.

In: the recording, and the stretches wanted. Out: data URIs. The one decision: mono MP3. Opus would be smaller, but MP3 plays in every
browser on any desk and in any phone, seeks exactly at a constant bit rate, and saves as a file that anybody can open.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from phrasecheck.errors import AudioError
from phrasecheck.report.view import HitView
from phrasecheck.types import Samples

RATE = 16_000
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
    samples = read_mono(file)
    seconds = len(samples) / RATE
    whole = data_uri(samples) if seconds <= WHOLE_S else None
    return Sound(call=whole, clips={view.number: _clip(samples, view) for view in views if view.start < seconds})


def read_mono(file: Path) -> Samples:
    """All channels of a recording mixed to mono, 16 kHz, raised to a common loudness. Raises AudioError."""
    import av

    try:
        with av.open(str(file)) as container:
            parts = list(_decoded(av, container))
    except (av.FFmpegError, OSError, IndexError) as error:
        raise AudioError(f"报告要附上录音，但读不了 {file}：{error}。请确认文件还在，或不附录音") from error
    samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    peak = float(np.abs(samples).max(initial=0.0))
    mixed: Samples = samples * np.float32(min(MOST_GAIN, LOUDEST / peak) if peak > 0 else 1.0)
    return mixed


def _decoded(av: Any, container: Any) -> Iterator[Samples]:
    """Mono frames up to the end, or up to where a truncated file breaks off: what was checked can be heard."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    try:
        for frame in container.decode(audio=0):
            yield from (part.to_ndarray().reshape(-1) for part in resampler.resample(frame))
    except av.InvalidDataError:
        pass
    yield from (part.to_ndarray().reshape(-1) for part in resampler.resample(None))


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
