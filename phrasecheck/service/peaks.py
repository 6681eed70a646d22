"""The wave form of a recording, a channel at a time, as an SVG that is stretched to any width.

In: the key of a recording. Out: how loud each thousandth of it is; an SVG. The one decision: loudness is measured once and kept beside
the recording as JSON; it is drawn by the root, for a telephone call is quiet most of the time and a straight line says nothing.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import IO

import numpy as np

from phrasecheck.audio import decode
from phrasecheck.errors import NotFoundError
from phrasecheck.settings import AudioSettings
from phrasecheck.store.recordings import Recordings
from phrasecheck.types import Audio, Track

COLUMNS = 1000
NAME = "peaks.json"
HIGH = 100  # of the SVG's own box

Peaks = Mapping[str, Sequence[int]]  # channel -> loudness of each column, 0..100


def peaks(recordings: Recordings, key: str, settings: AudioSettings) -> Peaks:
    """Raises NotFoundError, AudioError."""

    def make(file: IO[bytes]) -> None:
        with recordings.local(key) as path:
            file.write(json.dumps(measured(decode(path, settings))).encode())

    recordings.keep_beside(key, NAME, make)
    found: Peaks = json.loads(b"".join(recordings.read_beside(key, NAME)))
    return found


def measured(audio: Audio) -> dict[str, list[int]]:
    """The highest sample of each column of each channel."""
    return {channel.name: _columns(channel.samples) for channel in audio.channels}


def _columns(track: Track) -> list[int]:
    edges = np.linspace(0, len(track), COLUMNS + 1).astype(int)
    tops = [float(np.abs(track[a:b]).max()) if b > a else 0.0 for a, b in pairwise(edges)]
    return [round(HIGH * min(top, 1.0) ** 0.5) for top in tops]


def svg(found: Peaks, channel: str) -> str:
    """One channel as an SVG without a width of its own. Raises NotFoundError."""
    if channel not in found:
        raise NotFoundError(f"录音里没有声道 {channel}，有 {'、'.join(found)}：请刷新页面")
    lines = "".join(f"M{x}.5 {(HIGH - top) / 2:g}v{max(top, 1)}" for x, top in enumerate(found[channel]))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COLUMNS} {HIGH}" preserveAspectRatio="none">'
        f'<path d="{lines}" stroke="#7d8894" fill="none"/></svg>'
    )
