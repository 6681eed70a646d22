"""check_call(): the batch road, the stages called in order; and judge(), the part of it that is text in, values out.

In: a recording with what is known about it, engines, settings. Out: a CallResult. The one decision: everything behind the transcript is pure, so stored
transcripts can be judged again with another lexicon and no recogniser (rejudge).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from phrasecheck import __version__
from phrasecheck.matching.acoustic import Ear, Listener
from phrasecheck.matching.alternatives import reheard
from phrasecheck.matching.matcher import Line, Matcher
from phrasecheck.normalize import normalize
from phrasecheck.settings import Settings
from phrasecheck.split import Pair, joined_hits, pairs
from phrasecheck.timing import timed
from phrasecheck.types import Audio, Call, CallResult, Hit, Method, Provenance, Role, Transcript, Utterance

if TYPE_CHECKING:
    from phrasecheck.diarise import VoiceEncoder
    from phrasecheck.speech import Vad
    from phrasecheck.transcribe import Recogniser

AgentChannel = Literal["left", "right", "auto"]
Progress = Callable[[float, float], None]  # seconds of speech heard, seconds there are
Allowed = Collection[tuple[str, str]]  # phrase and comparable wording (normalize.py) that somebody said never to flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A recording to be checked and what the user knows about it. `role` None: nobody said; scored as reception, judged as anybody's words."""

    path: Path
    role: Role | None = None
    agent_channel: AgentChannel = "auto"
    agent: str | None = None
    team: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def scored_as(self) -> Role:
        """The role whose points the agent loses."""
        return self.role or Role.RECEPTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Senses:
    """What hears a call, loaded once and shared by all. Without `voice` the two who speak in a single channel are told apart by their words alone."""

    vad: "Vad"
    recogniser: "Recogniser"
    voice: "VoiceEncoder | None" = None

    @property
    def models(self) -> dict[str, str]:
        """What a result names as its models."""
        voice = {"voice": self.voice.name} if self.voice else {}
        return {"asr": self.recogniser.name, "vad": self.vad.name, **voice}


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines(Senses):
    """What holds weights: the senses, and the matcher that judges what they heard."""

    matcher: Matcher


def load_senses(settings: Settings) -> Senses:
    """Everything `hear` needs. Raises ModelError, InputError."""
    from phrasecheck.engines.registry import load_recogniser
    from phrasecheck.engines.vad import SileroVad
    from phrasecheck.engines.voice import Resemblyzer

    return Senses(vad=SileroVad(), recogniser=load_recogniser(settings), voice=Resemblyzer(settings.asr.threads))


def load_engines(settings: Settings) -> Engines:
    """Everything `check_call` needs. Raises ModelError, LexiconError, InputError."""
    from phrasecheck.build import build_matcher

    matcher, senses = build_matcher(settings), load_senses(settings)
    return Engines(vad=senses.vad, recogniser=senses.recogniser, voice=senses.voice, matcher=matcher)


def check_call(
    request: Request, engines: Engines, settings: Settings, progress: Progress | None = None, allowed: Allowed = ()
) -> CallResult:
    """One recording, from file to result. Raises AudioError when it cannot be read."""
    audio, call, transcript = hear(request, engines, settings, progress)
    models = {**engines.models, **engines.matcher.models}
    return result(call, transcript, engines.matcher, settings, models, _ear(audio, engines.recogniser, settings), allowed)


def hear(request: Request, senses: Senses, settings: Settings, progress: Progress | None = None) -> tuple[Audio, Call, Transcript]:
    """The first half of the road: a recording, what it is, and who said what in it. Raises AudioError when it cannot be read."""
    from phrasecheck.audio import decode, spelled
    from phrasecheck.diarise import listen
    from phrasecheck.speakers import assign
    from phrasecheck.transcribe import transcribe

    audio = decode(request.path, settings.audio)
    utterances = transcribe(audio, senses.vad, senses.recogniser, settings, progress)
    voices = listen(utterances, audio.channels[0], senses.voice) if senses.voice and len(audio.channels) == 1 else None
    transcript = assign(utterances, [channel.name for channel in audio.channels], request.role, request.agent_channel, voices)
    call = Call(
        id=Path(spelled(request.path)).stem,
        source=Path(spelled(request.path)).name,
        sha256=audio.sha256,
        seconds=audio.seconds,
        role=request.scored_as,
        channels=tuple(channel.name for channel in audio.channels),
        agent=request.agent,
        team=request.team,
        metadata=request.metadata,
        warnings=audio.warnings,
    )
    return audio, call, transcript


def _ear(audio: Audio, recogniser: "Recogniser", settings: Settings) -> Ear | None:
    """The sound of the call for doubtful matches; None when it is not to be asked or the recogniser has no answer."""
    if Method.ACOUSTIC not in settings.matching.methods or not isinstance(recogniser, Listener):
        return None
    channels = {channel.name: channel for channel in audio.channels}
    return Ear(listener=recogniser, clip=lambda name, start, end: channels[name].clip(start, end))


def rejudge(old: CallResult, matcher: Matcher, settings: Settings, allowed: Allowed = ()) -> CallResult:
    """A stored result's transcript against the matcher's lexicon; no audio is read, the part of the provenance that is the senses' stays."""
    return result(old.call, old.transcript, matcher, settings, models_of(old, matcher), allowed=allowed)


def models_of(old: CallResult, matcher: Matcher) -> dict[str, str]:
    """What names as its models a result that this matcher makes from an old one's transcript."""
    return {**{k: v for k, v in old.provenance.models.items() if k in ("asr", "vad", "voice")}, **matcher.models}


def result(
    call: Call,
    transcript: Transcript,
    matcher: Matcher,
    settings: Settings,
    models: Mapping[str, str],
    ear: Ear | None = None,
    allowed: Allowed = (),
) -> CallResult:
    """Transcript -> hits -> scorecards, with what made them."""
    return assemble(call, transcript, judge(transcript, matcher, settings, ear), matcher, settings, models, allowed)


def assemble(
    call: Call,
    transcript: Transcript,
    judged: Sequence[Hit],
    matcher: Matcher,
    settings: Settings,
    models: Mapping[str, str],
    allowed: Allowed = (),
) -> CallResult:
    """Hits -> scorecards, with what made them; also the allowed wordings that were met, for without them it would be another result."""
    from phrasecheck.scoring import findings, score

    lexicon = matcher.parts.lexicon
    claims = [((hit.phrase_id, normalize(hit.quote).text), hit) for hit in judged]
    hits = [hit for claim, hit in claims if claim not in allowed]
    met = sorted({claim for claim, _ in claims if claim in allowed})
    found = findings(hits, transcript, lexicon, settings.scoring, call.role)
    return CallResult(
        call=call,
        transcript=transcript,
        hits=tuple(hits),
        scorecards=score(found, transcript, settings.scoring, call.role),
        provenance=Provenance(
            software=f"phrasecheck {__version__}",
            lexicon=lexicon.name,
            lexicon_sha256=lexicon.sha256,
            models=models,
            settings={
                **settings.model_dump(mode="json", include={"audio", "speech", "asr", "matching", "scoring"}),
                **({"allowed": [list(claim) for claim in met]} if met else {}),
            },
        ),
    )


def judge(
    transcript: Transcript, matcher: Matcher, settings: Settings, ear: Ear | None = None, only: Collection[str] | None = None
) -> list[Hit]:
    """The hits of a call in the order they were said, with their times; also those that a pause split over two utterances. What is open is settled by
    what else was heard, and with an ear by the sound; with `only`, the utterances of these ids alone are judged."""
    utterances = [u for u in transcript.utterances if only is None or u.id in only]
    verdicts = matcher.verdicts([line_of(u) for u in utterances])
    hits = [timed(hit, u) for u, verdict in zip(utterances, verdicts, strict=True) for hit in verdict.hits]
    split = [
        p
        for p in pairs(transcript.utterances, settings.matching.join_gap_s)
        if only is None or (p.first.id in only and p.second.id in only)
    ]
    joined = matcher.verdicts([line_of_pair(pair) for pair in split])
    for pair, verdict in zip(split, joined, strict=True):
        hits = joined_hits(pair, verdict.hits, hits)
    hits = reheard(hits, {u.id: other_lines_of(u) for u in utterances}, matcher)
    if ear is not None:
        hits = matcher.acoustic.ask(hits, utterances, ear)
    return sorted(hits, key=lambda hit: (hit.start_s or 0.0, -hit.score))


def line_of(utterance: Utterance) -> Line:
    """What the matcher is asked of one utterance."""
    return Line(id=utterance.id, text=utterance.text, speaker=utterance.speaker, role=utterance.role, confidence=utterance.confidence)


def other_lines_of(utterance: Utterance) -> list[Line]:
    """The same of what else may have been heard."""
    return [replace(line_of(utterance), text=text) for text in utterance.alternatives]


def line_of_pair(pair: Pair) -> Line:
    """What it is asked of two read as one; they are recognised no more surely than the worse of them."""
    return replace(line_of(pair.first), text=pair.text, confidence=min(pair.first.confidence, pair.second.confidence))


def check_calls(
    requests: Sequence[Request],
    engines: Engines,
    settings: Settings,
    done: Callable[[Request, "CallResult | Exception"], None],
    progress: Progress | None = None,
) -> None:
    """Every recording in turn; `done` is told the result, or the error of one that could not be read. The others go on."""
    for request in requests:
        try:
            outcome: CallResult | Exception = check_call(request, engines, settings, progress)
        except Exception as error:  # whatever one recording does, the batch goes on
            outcome = error
        done(request, outcome)
