"""The sound that travels inside a report: the whole call pressed small, and a clip for each hit.

In: the decoded recording, and the stretches wanted. Out: data URIs. The one decision: mono MP3. Opus would be smaller, but MP3 plays in every
browser on any desk and in any phone, seeks exactly at a constant bit rate, and saves as a file that anybody can open.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from phrasecheck.audio import RATE
from phrasecheck.report.view import HitView
from phrasecheck.tape import blocks
from phrasecheck.types import Audio, Samples, Track

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """All channels of a recording as one track, `gain` times as loud."""

    tracks: Sequence[Track]
    gain: float = 1.0

    def __len__(self) -> int:
        return len(self.tracks[0])

    def __getitem__(self, stretch: slice, /) -> Samples:
        together: Samples = np.sum([track[stretch] for track in self.tracks], axis=0)
        return together * np.float32(self.gain)


def embed(audio: Audio, views: Sequence[HitView]) -> Sound:
    """The recording's sound for a report."""
    call = mixed(audio)
    whole = data_uri(blocks(call)) if audio.seconds <= WHOLE_S else None
    return Sound(call=whole, clips={view.number: _clip(call, view) for view in views if view.start < audio.seconds})


def mixed(audio: Audio) -> Mixed:
    """All channels as one, raised to a common loudness."""
    plain = Mixed(tracks=[channel.samples for channel in audio.channels])
    peak = max((float(np.abs(block).max()) for block in blocks(plain)), default=0.0)
    return Mixed(tracks=plain.tracks, gain=min(MOST_GAIN, LOUDEST / peak) if peak > 0 else 1.0)


def data_uri(sound: Iterable[Samples]) -> str:
    """Mono 16 kHz sound, block by block, as an MP3 in a data URI."""
    return "data:audio/mpeg;base64," + b64encode(_mp3(sound)).decode()


def _mp3(sound: Iterable[Samples]) -> bytes:
    import av

    buffer = BytesIO()
    with av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono", options={"b": str(BIT_RATE)})
        for block in sound:
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="fltp", layout="mono")
            frame.sample_rate = RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _clip(call: Mixed, view: HitView) -> Clip:
    start = max(view.start - MARGIN_S, 0.0)
    end = min(view.end + MARGIN_S, len(call) / RATE)
    return Clip(start=start, end=end, uri=data_uri([call[int(start * RATE) : int(end * RATE)]]))
