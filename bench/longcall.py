"""python -m bench.longcall [HOURS]: how much memory a long call needs (3 hours unless told).

The shipped call over and over as one stereo A-law wav in a temporary folder, through the road of `phrasecheck check`: once without speech recognition
(every segment says a courtesy, every fiftieth a forbidden phrase, so that there is something to judge and to report), then with the recogniser beside
it, which hears the longest segments there are: nothing takes more. A row a stage: seconds, and the peak of resident memory up to its end. The
temporary folder takes 58 MB an hour for the wav, and 230 MB for the decoded sound.
"""

import json
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import av

from bench.data import table
from phrasecheck.audio import decode
from phrasecheck.build import build_matcher
from phrasecheck.engines.registry import load_recogniser
from phrasecheck.engines.vad import SileroVad
from phrasecheck.pipeline import Engines, Request, check_call
from phrasecheck.report.html import render
from phrasecheck.report.json import to_json
from phrasecheck.settings import load_settings
from phrasecheck.speech import segments
from phrasecheck.transcribe import Heard, Progress
from phrasecheck.types import Samples, Word

DEMO = Path(__file__).parents[1] / "examples" / "demo-call.flac"
RATE = 8_000
COURTESY, FORBIDDEN = "您好，请问有什么可以帮您？", "你问我，我问谁？"
LONGEST = 32  # clips: the largest batch that the recogniser takes


@dataclass(slots=True)
class Stages:
    """What each stage took."""

    rows: list[list[object]] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times what is done inside and looks at the memory when it ends."""
        started = time.perf_counter()
        yield
        self.rows.append([name, f"{time.perf_counter() - started:.1f}", f"{peak() / 2**20:.0f}"])


class Fixed:
    """A recogniser without weights: a courtesy for each clip, every fiftieth time a forbidden phrase. It keeps the longest clips."""

    name = "fixed"

    def __init__(self) -> None:
        self.longest: list[Samples] = []

    def recognise(self, clips: Sequence[Samples], progress: Progress | None = None) -> list[Heard]:
        """One Heard a clip."""
        self.longest = sorted([*self.longest, *clips], key=len, reverse=True)[:LONGEST]
        return [_said(FORBIDDEN if number % 50 == 0 else COURTESY, len(clip) / 16_000) for number, clip in enumerate(clips)]


def _said(text: str, seconds: float) -> Heard:
    return Heard(text=text, words=(Word(text=text, start=0.0, end=seconds, probability=0.9),), confidence=0.9)


def peak() -> int:
    """The largest resident memory of this process so far, in bytes."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def long_call(path: Path, hours: float) -> Path:
    """The shipped call again and again, stereo A-law at 8 kHz."""
    once = _alaw(DEMO)
    times = max(1, round(hours * 3600 * RATE * 2 / len(once)))
    size = times * len(once)
    with path.open("wb") as file:
        file.write(struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", size + 36, b"WAVE", b"fmt ", 16, 6, 2, RATE, RATE * 2, 2, 8, b"data", size))
        for _ in range(times):
            file.write(once)
    return path


def _alaw(recording: Path) -> bytes:
    buffer = BytesIO()
    with av.open(str(recording)) as source, av.open(buffer, "w", format="alaw") as file:
        stream = file.add_stream("pcm_alaw", rate=RATE, layout="stereo")
        for frame in source.decode(audio=0):
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def main() -> None:
    """Print the table."""
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    stages, settings, fixed = Stages(), load_settings(), Fixed()
    with tempfile.TemporaryDirectory() as folder:
        path = long_call(Path(folder) / "call.wav", hours)
        with stages.stage("VAD and matcher loaded"):
            engines = Engines(vad=SileroVad(), recogniser=fixed, matcher=build_matcher(settings))
        with stages.stage("decoded"):
            audio = decode(path)
        with stages.stage("speech found"):
            found = sum(len(segments(channel, engines.vad, settings.speech)) for channel in audio.channels)
        with stages.stage("checked without speech recognition: decoded and speech found again, matched, scored"):
            result = check_call(Request(path=path, agent_channel="left"), engines, settings)
        with stages.stage("HTML and JSON"):
            page = render(result, engines.matcher.parts.lexicon, audio)
            json.dumps(to_json(result), ensure_ascii=False)
    with stages.stage("recogniser loaded"):
        recogniser = load_recogniser(settings)
    with stages.stage(f"the {LONGEST} longest segments heard"):
        recogniser.recognise(fixed.longest)
    print(f"{audio.seconds / 3600:.2f} h, {found} segments, {len(result.hits)} hits, HTML of {len(page) / 2**20:.1f} MB\n")
    print(table(["stage", "seconds", "peak resident memory, MB"], stages.rows))


if __name__ == "__main__":
    main()
