"""Workers for a team's day in a browser: everything but the weights is real.

In: settings and a store. Out: an Executor. The one decision: it works in a thread, and what was said is told by the recording: the shipped call says its
script, another one says the lines of its length; matching is the real one over a fake encoder.
"""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread

import numpy as np
import yaml

from phrasecheck.audio import decode
from phrasecheck.cluster import Progress as HowFar
from phrasecheck.current import CurrentMatcher
from phrasecheck.lexicon import Lexicon
from phrasecheck.matching.matcher import Matcher
from phrasecheck.matching.reading import Encoder
from phrasecheck.pipeline import Allowed, Progress, Request, result
from phrasecheck.rescoring import Rescoring
from phrasecheck.settings import Settings
from phrasecheck.store.store import Store
from phrasecheck.types import Call, CallResult, Speaker, SpeakerDecision, Transcript, Utterance, Word
from phrasecheck.worker import work
from tests import sounds
from tests.desk_lexicons import KNOWN, build
from tests.matching.fakes import FakeEncoder

EXAMPLES = Path(__file__).parents[2] / "examples"
DEMO = EXAMPLES / "demo-call.flac"
RUDE = {"你着急有什么用": "9.4.08", "我哪知道啊": "9.1.01", "你等着吧": "9.4.05", "怎么又来问我": "9.1.11", "你回去等着吧": "9.8.03"}
PHONE = "一三八零五七一二三四五"
Line = tuple[Speaker, str]
LINES: dict[int, Sequence[Line]] = {  # by seconds
    20: (
        (Speaker.AGENT, "您好，请问有什么可以帮您？"),
        (Speaker.CUSTOMER, f"我的电话是{PHONE}，麻烦记一下。"),
        (Speaker.AGENT, "好的，我记下来了，请稍等。"),
    ),
    24: ((Speaker.CUSTOMER, "钱什么时候能到？"), (Speaker.AGENT, "这个我哪知道啊，你问别人去。"), (Speaker.CUSTOMER, "算了。")),
    28: ((Speaker.AGENT, "您好，保单已经寄出，请您留意查收。"), (Speaker.CUSTOMER, "好的，谢谢。")),
}


def tone(seconds: int) -> bytes:
    """A recording of that length, in two channels."""
    return sounds.wav(np.stack([sounds.tone(seconds, hertz, 8000) for hertz in (300, 200)]), 8000)


def archive() -> bytes:
    """A ZIP of three recordings."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for seconds in LINES:
            file.writestr(f"今天/call-{seconds}.wav", tone(seconds))
    return buffer.getvalue()


class Crew:
    """An Executor of one thread."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        self.matchers = CurrentMatcher(settings, store, _build)
        self._stop, self._thread = Event(), Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def submit(self, call_id: str) -> None:
        """It looks ten times a second anyway."""

    def alive(self) -> int:
        """One, or none."""
        return int(self._thread.is_alive())

    def progress(self) -> HowFar:
        """By the table."""
        return HowFar(calls=self._store.calls.counts(), workers=self.alive())

    def cancel(self, call_id: str, actor: str) -> None:
        """By the table."""
        self._store.calls.cancel(call_id, actor)

    def stop(self, wait_s: float = 30.0) -> None:
        """End."""
        self._stop.set()
        self._thread.join(wait_s)

    def _run(self) -> None:
        rescoring = Rescoring(self._store, self._settings, self.matchers)
        while not self._stop.is_set():
            claim = self._store.calls.claim()
            if claim is not None:
                work(self._store, claim, self._check, self._stop)
            elif not rescoring.turn():
                self._stop.wait(0.1)

    def _check(self, request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        audio = decode(request.path)
        call = Call(
            id="call",
            source="call",
            sha256=audio.sha256,
            seconds=audio.seconds,
            role=request.scored_as,
            channels=tuple(channel.name for channel in audio.channels),
            agent=request.agent,
            team=request.team,
        )
        with self.matchers.use() as matcher:
            return result(call, _said(audio.seconds, request), matcher, self._settings, {"asr": "fake", **matcher.models}, allowed=allowed)


def _build(settings: Settings, lexicon: Lexicon | None, encoders: Sequence[Encoder] | None) -> Matcher:
    return build(settings, lexicon, encoders or (FakeEncoder(RUDE, KNOWN),))


def _said(seconds: float, request: Request) -> Transcript:
    lines = LINES.get(round(seconds))
    if lines is None:
        turns = yaml.safe_load((EXAMPLES / "demo-call.yaml").read_text(encoding="utf-8"))["turns"]
        spoken = [(Speaker(turn["speaker"]), turn["text"], turn["start"], turn["end"]) for turn in turns]
    else:
        spoken = [(speaker, text, 1.0 + 6 * place, 6.0 + 6 * place) for place, (speaker, text) in enumerate(lines)]
    utterances = tuple(_utterance(f"u{place}", *one, request) for place, one in enumerate(spoken))
    return Transcript(utterances=utterances, speakers=SpeakerDecision(agent_channel="left", reason="左声道说了坐席的话", confidence=0.97))


def _utterance(id: str, speaker: Speaker, text: str, start: float, end: float, request: Request) -> Utterance:
    agent, each = speaker is Speaker.AGENT, (end - start) / len(text)
    words = tuple(Word(text=c, start=start + i * each, end=start + (i + 1) * each, probability=0.9) for i, c in enumerate(text))
    return Utterance(
        id=id,
        start=start,
        end=end,
        channel="left" if agent else "right",
        text=text,
        speaker=speaker,
        role=request.role if agent else None,
        words=words,
        confidence=0.9,
    )
