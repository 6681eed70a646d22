"""What a call in progress tells: frozen values, and their JSON form on the wire and in the store.

In: values. Out: flat JSON objects (docs/live-events.schema.json). The one decision: every event carries its call and a sequence number without
gaps within that call, so that whoever was away asks for what came after the last he saw.
"""

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar, get_args

from phrasecheck.types import Role, Severity, Speaker


class Cause(StrEnum):
    """Why a call ended, or what a problem is about; programs read this, people read `text`."""

    HUNG_UP = "hung_up"  # the other side said that the call is over
    LOST = "lost"  # the line dropped and did not come back in time
    SHUTDOWN = "shutdown"  # the server stopped while the call went on
    LINE = "line"  # the line dropped; it may come back
    FRAME = "frame"  # something came that cannot be read; it was left out
    GAP = "gap"  # sound is missing; silence stands in its place
    SILENCE = "silence"  # nothing was heard for a while
    UNHEARD = "unheard"  # the recogniser failed on a turn
    RECORDING = "recording"  # the recording could not be kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The first event of a call. `channels` says whose each is: agent, customer, or unsure for a line that carries both."""

    type: ClassVar[str] = "started"
    call: str
    seq: int
    at: float  # seconds of the call's audio, in this and all events
    role: Role
    channels: tuple[Speaker, ...]
    encoding: str
    rate: int
    door: str
    agent: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uttered:
    """A turn is settled: nothing of it changes any more. `alerts` are the sequence numbers of those that stand for it."""

    type: ClassVar[str] = "utterance"
    call: str
    seq: int
    at: float
    id: str
    channel: int
    speaker: Speaker
    start: float
    end: float
    text: str
    confidence: float
    doubt: str | None = None
    alerts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """What is heard of a turn that goes on; the next one of this channel, or its utterance, takes its place."""

    type: ClassVar[str] = "partial"
    call: str
    seq: int
    at: float
    channel: int
    speaker: Speaker
    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A hit told while the call runs. `partial`: the turn was not over yet. `sure` is False where it is not known who spoke. `instead`: what to say."""

    type: ClassVar[str] = "alert"
    call: str
    seq: int
    at: float
    utterance: str
    channel: int
    phrase: str
    title: str
    severity: Severity
    score: float
    quote: str
    start: float
    end: float
    reason: str
    instead: str
    partial: bool = False
    sure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Retracted:
    """An early alert did not outlast the whole turn."""

    type: ClassVar[str] = "retracted"
    call: str
    seq: int
    at: float
    alert: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overloaded:
    """The machine is behind: no early alerts, and the others come late by about `delay` seconds."""

    type: ClassVar[str] = "overloaded"
    call: str
    seq: int
    at: float
    delay: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """`line`: the line is back, and the server has `at` seconds of its audio; else the machine has caught up."""

    type: ClassVar[str] = "resumed"
    call: str
    seq: int
    at: float
    line: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something is not as it should be; the call goes on. `text` is Chinese and says what came, what was expected, what to do."""

    type: ClassVar[str] = "problem"
    call: str
    seq: int
    at: float
    cause: Cause
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The last event. `check` is the id under which the recording waits for `check`, None where there is nothing to check."""

    type: ClassVar[str] = "ended"
    call: str
    seq: int
    at: float
    cause: Cause
    raised: int
    check: str | None = None


Event = Started | Uttered | Partial | Alert | Retracted | Overloaded | Resumed | Problem | Ended
KINDS: dict[str, type[Event]] = {kind.type: kind for kind in get_args(Event)}


def to_json(event: Event) -> dict[str, Any]:
    """The event as a flat JSON object, its type first."""
    return {"type": event.type, **asdict(event)}


def from_json(data: dict[str, Any]) -> Event:
    """And back. Raises KeyError, TypeError, ValueError for what is no event."""
    kind = KINDS[data["type"]]
    known = {f.name for f in fields(kind)}
    return kind(**{name: _READ[name](value) if name in _READ else value for name, value in data.items() if name in known})


_READ: dict[str, Any] = {
    "role": Role,
    "speaker": Speaker,
    "severity": Severity,
    "channels": lambda value: tuple(map(Speaker, value)),
    "alerts": tuple,
    "cause": Cause,
}
