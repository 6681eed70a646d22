"""A call that was watched live and checked afterwards: which alerts held, what the second look added.

In: the call's events and its result. Out: pairs. The one decision: alerts and hits are one when they share time in the recording; the result
decides, the alerts are only what people were told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from phrasecheck.types import CallResult, Hit, HitState

SLACK_S = 1.0  # two hearings of one call differ by this much at most


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook:
    """`held`: alerts with the hit that bears them out (its state may be doubtful). `fallen`: alerts without one. `added`: hits that nobody was alerted to."""

    held: tuple[tuple[Mapping[str, Any], Hit], ...]
    fallen: tuple[Mapping[str, Any], ...]
    added: tuple[Hit, ...]


def second_look(events: Sequence[Mapping[str, Any]], result: CallResult) -> SecondLook:
    """Retracted alerts count for nothing."""
    retracted = {event["alert"] for event in events if event["type"] == "retracted"}
    alerts = [event for event in events if event["type"] == "alert" and event["seq"] not in retracted]
    best = [(alert, _borne_out(alert, result.hits)) for alert in alerts]
    held = tuple((alert, hit) for alert, hit in best if hit is not None)
    return SecondLook(
        held=held,
        fallen=tuple(alert for alert, hit in best if hit is None),
        added=tuple(h for h in result.hits if h.state is HitState.HIT and not any(_meet(alert, h) for alert, _ in held)),
    )


def _borne_out(alert: Mapping[str, Any], hits: Sequence[Hit]) -> Hit | None:
    """The hit for the alert's words: of the same phrase if there is one, else the likeliest."""
    near = [hit for hit in hits if _meet(alert, hit)]
    return max(near, key=lambda hit: (hit.phrase_id == alert["phrase"], hit.score), default=None)


def _meet(alert: Mapping[str, Any], hit: Hit) -> bool:
    if hit.start_s is None or hit.end_s is None:
        return False
    return bool(min(alert["end"], hit.end_s) - max(alert["start"], hit.start_s) > -SLACK_S)
