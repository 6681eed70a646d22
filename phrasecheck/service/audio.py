"""A recording as a browser plays it: both channels or one of them, personal data silent, any part of it at once.

In: the key of a recording, which channel, what is to be silent. Out: MP3, whole or the bytes that a Range header asks for. The one
decision: MP3 at a constant bit rate, as in the reports (report/clips.py): it plays in every browser on every desk and seeks exactly. It
is made once and kept beside the recording, with which it is deleted.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import IO

import numpy as np
from starlette.responses import Response, StreamingResponse

from phrasecheck.audio import RATE, decode
from phrasecheck.redact import silenced
from phrasecheck.service.shield import Silent
from phrasecheck.settings import AudioSettings
from phrasecheck.store.recordings import Recordings
from phrasecheck.tape import BLOCK
from phrasecheck.types import Audio, Channel, Samples

BIT_RATE = 32_000  # a channel
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
LAYOUTS = {1: "mono", 2: "stereo"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be heard: one channel or (None) all of them; with silence on a channel's stretches, «*» for every channel's."""

    channel: str | None = None
    silent: Silent

    @property
    def name(self) -> str:
        """What it is kept under: other stretches are another file."""
        told = json.dumps({name: list(spans) for name, spans in sorted(self.silent.items())})
        return f"{self.channel or 'all'}-{sha256(told.encode()).hexdigest()[:16] if self.silent else 'plain'}.mp3"


def respond(
    recordings: Recordings, key: str, wanted: Wanted, settings: AudioSettings, asked: str | None, save_as: str | None = None
) -> Response:
    """The sound, or the part of it that the Range header `asked` names (RFC 9110, 14.2; several ranges at once are answered with the whole).
    Raises NotFoundError, AudioError."""

    def make(file: IO[bytes]) -> None:
        with recordings.local(key) as path:
            _write(decode(path, settings), wanted, file)

    size = recordings.keep_beside(key, wanted.name, make)
    headers = {"Accept-Ranges": "bytes"}
    if save_as is not None:
        headers["Content-Disposition"] = f'attachment; filename="{save_as}"'
    part = ranged(asked, size)
    if part is None:
        headers["Content-Length"] = str(size)
        return StreamingResponse(recordings.read_beside(key, wanted.name), 200, headers, "audio/mpeg")
    start, stop = part
    if start >= stop:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers |= {"Content-Range": f"bytes {start}-{stop - 1}/{size}", "Content-Length": str(stop - start)}
    return StreamingResponse(recordings.read_beside(key, wanted.name, start, stop), 206, headers, "audio/mpeg")


def ranged(asked: str | None, size: int) -> tuple[int, int] | None:
    """The bytes wanted, end exclusive (empty: there are none such); None for the whole."""
    found = RANGE.fullmatch(asked or "")
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        return max(size - int(last), 0), size
    return int(first), min(int(last) + 1, size) if last else size


def _write(audio: Audio, wanted: Wanted, file: IO[bytes]) -> None:
    import av

    channels = [channel for channel in audio.channels if wanted.channel in (None, channel.name)] or list(audio.channels)
    layout = LAYOUTS.get(len(channels), "mono")
    rate = str(BIT_RATE * (2 if layout == "stereo" else 1))
    with av.open(file, "w", format="mp3", options={"write_xing": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout=layout, options={"b": rate})
        for block in _blocks(channels, wanted.silent):
            heard = block if layout == "stereo" else block.sum(axis=0, keepdims=True)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(heard.clip(-1, 1), np.float32), format="fltp", layout=layout)
            frame.sample_rate = RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _blocks(channels: Sequence[Channel], silent: Silent) -> Iterator[Samples]:
    """(channels, samples), silenced."""
    for at in range(0, len(channels[0].samples), BLOCK):
        yield np.stack([_quiet(channel, at, [*silent.get(channel.name, ()), *silent.get("*", ())]) for channel in channels])


def _quiet(channel: Channel, at: int, silent: Sequence[tuple[float, float]]) -> Samples:
    samples = channel.samples[at : at + BLOCK]
    begin, end = at / RATE, (at + len(samples)) / RATE
    within = [(max(start, begin) - begin, min(stop, end) - begin) for start, stop in silent if start < end and stop > begin]
    return silenced(samples, within, RATE) if within else samples
