"""The time line of a call as plain geometry: lanes of speech, pins for the hits, ticks of time.

In: a CallResult and its HitViews. Out: a Timeline whose horizontal places are percents of its width and whose vertical ones are pixels, so
that the SVG (templates/timeline.svg.j2) fits any screen without stretching a letter. The one decision: one lane a channel; a call of one
channel gets one lane a speaker.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from phrasecheck.report.labels import channel, chinese, clock, pair
from phrasecheck.report.view import HitView
from phrasecheck.types import CallResult, Speaker, Utterance

PIN = 24  # height of one row of pins, pixels
ROWS = 3  # pins closer than NEAR percent of the width climb, so many rows at most
NEAR = 4.5
LANE = 40  # a lane's label and its bar
BAR = 16
AXIS = 24
STEPS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)  # seconds between ticks
TICKS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One utterance in a lane; x and width in percent."""

    utterance: Utterance
    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The speech of one channel or speaker; `label` in Chinese and English, y in pixels."""

    label: tuple[str, str]
    y: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One hit; x in percent, y (of its middle) in pixels."""

    view: HitView
    x: float
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One mark of the time axis; x in percent."""

    label: str
    x: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All there is to draw, in a box `height` pixels high."""

    seconds: float
    height: int
    bar: int
    lanes: tuple[Lane, ...]
    pins: tuple[Pin, ...]
    ticks: tuple[Tick, ...]


def timeline(result: CallResult, views: Sequence[HitView]) -> Timeline:
    """The time line of the call. Its length is the recording's, or where the last utterance ends if that is later."""
    spoken = result.transcript.utterances
    seconds = max([result.call.seconds, *(utterance.end for utterance in spoken), 1.0])
    rows, pins = _pins(views, seconds)
    top = rows * PIN + 4
    groups = _lanes(result)
    lanes = tuple(
        Lane(label=label, y=top + place * LANE, bars=tuple(_bar(utterance, seconds) for utterance in group))
        for place, (label, group) in enumerate(groups)
    )
    height = top + max(len(lanes), 1) * LANE + AXIS
    return Timeline(seconds=seconds, height=height, bar=BAR, lanes=lanes, pins=pins, ticks=_ticks(seconds))


def _lanes(result: CallResult) -> list[tuple[tuple[str, str], list[Utterance]]]:
    spoken = result.transcript.utterances
    channels = result.call.channels or tuple(dict.fromkeys(utterance.channel for utterance in spoken))
    if len(channels) > 1:
        agents = result.transcript.speakers.agent_channel
        ordered = sorted(channels, key=lambda name: name != agents)
        return [(_channel_label(name, agents), [u for u in spoken if u.channel == name]) for name in ordered]
    return [(pair(speaker), [u for u in spoken if u.speaker is speaker]) for speaker in _speakers(spoken)]


def _speakers(spoken: Iterable[Utterance]) -> list[Speaker]:
    heard = {utterance.speaker for utterance in spoken}
    return [speaker for speaker in Speaker if speaker in heard]


def _channel_label(name: str, agents: str | None) -> tuple[str, str]:
    if agents is None:
        return channel(name)
    (who, who_en), (where, where_en) = pair(Speaker.AGENT if name == agents else Speaker.CUSTOMER), channel(name)
    return f"{who}（{where}）", f"{who_en} ({where_en.lower()})"


def _bar(utterance: Utterance, seconds: float) -> Bar:
    width = max(_percent(utterance.end - utterance.start, seconds), 0.2)
    return Bar(utterance=utterance, x=_percent(utterance.start, seconds), width=width)


def _pins(views: Sequence[HitView], seconds: float) -> tuple[int, tuple[Pin, ...]]:
    """Rows needed, and the pins: each in the lowest row where it has room, the topmost where it has none."""
    last = [-100.0] * ROWS
    placed: list[tuple[HitView, float, int]] = []
    for view in sorted(views, key=lambda view: view.start):
        x = _percent(view.start, seconds)
        row = next((row for row in range(ROWS) if x - last[row] >= NEAR), ROWS - 1)
        last[row] = x
        placed.append((view, x, row))
    rows = max((row + 1 for _, _, row in placed), default=0)
    return rows, tuple(Pin(view=view, x=x, y=(rows - row) * PIN - PIN // 2) for view, x, row in placed)


def _ticks(seconds: float) -> tuple[Tick, ...]:
    step = next((step for step in STEPS if seconds / step <= TICKS), STEPS[-1])
    return tuple(Tick(label=clock(at), x=_percent(at, seconds)) for at in range(0, int(seconds) + 1, step))


def _percent(part: float, seconds: float) -> float:
    return round(100 * part / seconds, 3)


def pin_title(view: HitView) -> str:
    """What a pin says when pointed at."""
    return f"{clock(view.start)} {view.hit.phrase_id} {chinese(view.hit.state)}：{view.hit.quote}"
