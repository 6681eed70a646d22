"""The core values that travel down the road: frozen, slotted, keyword-only.

Nothing here imports anything of ours. Times are seconds from the start of the recording; character offsets point into
the original text of an utterance, end exclusive. A reviewer's verdict is a new record beside a Hit, never an edit of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float32]


class Role(StrEnum):
    """What the staff member does in the call; sections 9.1 to 9.9 of the norm (9.1 holds for every role)."""

    RECEPTION = "reception"
    SALES = "sales"
    UNDERWRITING = "underwriting"
    CLAIMS_REPORT = "claims_report"
    SURVEY = "survey"
    LOSS_ASSESSMENT = "loss_assessment"
    DOCUMENTS = "documents"
    COMPLAINTS = "complaints"
    INTERNAL = "internal"


class Speaker(StrEnum):
    """Who spoke. UNSURE is neither: its hits are marked and count for nothing until somebody has listened."""

    AGENT = "agent"
    CUSTOMER = "customer"
    UNSURE = "unsure"


class Severity(StrEnum):
    """How grave a phrase is, in the words of the lexicon files."""

    MINOR = "一般"
    MAJOR = "较重"
    SEVERE = "严重"


class Method(StrEnum):
    """One way of comparing what was said with the lexicon; the order is the order of the evidence on a page."""

    EXACT = "exact"
    FUZZY = "fuzzy"
    PHONETIC = "phonetic"
    SEMANTIC = "semantic"
    ACOUSTIC = "acoustic"


class Personal(StrEnum):
    """Kinds of personal data that may be said in a call; the order is the order in which a number is tried."""

    ID_CARD = "id_card"
    MOBILE = "mobile"
    BANK_CARD = "bank_card"
    VIN = "vin"
    POLICY = "policy"  # or claim
    LANDLINE = "landline"
    PLATE = "plate"
    NUMBER = "number"  # long, and none of the above: a digit was misheard, or somebody else's numbering
    NAME = "name"
    ADDRESS = "address"


class HitState(StrEnum):
    """HIT counts; DOUBTFUL lies between hit and nothing and counts for nothing until a person has looked at it."""

    HIT = "hit"
    DOUBTFUL = "doubtful"


class Track(Protocol):
    """Mono float32 in -1..1, sliced like the array that it may be; a long recording lies on disk (tape.py), and a slice is what is read of it."""

    def __len__(self) -> int: ...

    def __getitem__(self, stretch: slice, /) -> Samples: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One audio track of a call: mono float32 in -1..1 at 16 kHz. `name` is left, right, mono or ch3, ch4 ..."""

    name: str
    samples: Track
    sample_rate: int = 16_000

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate

    def clip(self, start: float, end: float) -> Samples:
        """What is heard from second to second; nothing lies before the beginning."""
        return self.samples[max(0, round(start * self.sample_rate)) : round(end * self.sample_rate)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """A decoded recording: its channels, all of one length, and what was odd about the file (Chinese, for the user)."""

    channels: tuple[Channel, ...]
    sha256: str
    warnings: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Length of the longest channel in seconds."""
        return max((channel.seconds for channel in self.channels), default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of speech in one channel: time only, no text."""

    channel: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One recognised word with its time; `text` is a slice of the utterance's text, so the words joined are the text."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """What one speaker said without a break. `confidence` is the recogniser's mean token probability, 0..1; `doubt` says (Chinese) why the text
    may be the recogniser's own, None when nothing speaks against it; `alternatives` are the texts that it held next likeliest, best first."""

    id: str
    start: float
    end: float
    channel: str
    text: str
    speaker: Speaker = Speaker.UNSURE
    role: Role | None = None
    words: tuple[Word, ...] = ()
    confidence: float = 1.0
    doubt: str | None = None
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerDecision:
    """Which channel is the agent's (mono: both speak in it and were told apart; None: not decided), how that was decided (Chinese, for the user) and how
    surely (0..1)."""

    agent_channel: str | None
    reason: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """The ordered utterances of one call."""

    utterances: tuple[Utterance, ...]
    speakers: SpeakerDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One method's claim that `text[start:end]` comes close to a phrase. `score` is that method's own, 0..1."""

    phrase_id: str
    method: Method
    start: int
    end: int
    score: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """The decision for one phrase in one utterance. `score` is a calibrated probability, 0..1; `start`/`end` are
    characters of the original text, `start_s`/`end_s` seconds of the recording (None where no times are known)."""

    utterance_id: str
    phrase_id: str
    score: float
    state: HitState
    start: int
    end: int
    quote: str
    methods: tuple[Method, ...]
    reason: str
    evidence: tuple[Match, ...] = ()
    also: tuple[str, ...] = ()  # other phrases for the same words, likeliest first
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All that matching says of one utterance: `violation` is the calibrated probability that it violates anything,
    `phrases` the best phrases with their scores (best first, also those below the threshold)."""

    violation: float
    phrases: tuple[tuple[str, float], ...]
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What scoring takes in. Most findings come from a Hit; rules over a whole call may add some that have no words."""

    role: Role
    phrase_id: str
    points: float
    severity: Severity
    reason: str
    counted: bool = True
    own_section: bool = True
    fatal: bool = False
    utterance_id: str | None = None
    at_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """The points of one role in one call: 100 less the counted findings, each with its reason."""

    role: Role
    points: float
    findings: tuple[Finding, ...]
    utterances: int
    seconds: float
    failed: bool  # a fatal phrase (一票否决) was said
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made a result, so that it can be made again."""

    software: str
    lexicon: str
    lexicon_sha256: str
    models: Mapping[str, str]
    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One recording as the user named it, with what is known about it."""

    id: str
    source: str
    sha256: str
    seconds: float
    role: Role
    channels: tuple[str, ...]
    agent: str | None = None
    team: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """Everything one checked call comes to; the reports are drawn from this and nothing else."""

    call: Call
    transcript: Transcript
    hits: tuple[Hit, ...]
    scorecards: tuple[Scorecard, ...]
    provenance: Provenance
