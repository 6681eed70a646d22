"""The figures of the made-up month, added up from its plan in plain lines that use nothing of what is tested."""

from collections.abc import Callable
from datetime import date, timedelta

from tests import month
from tests.month import Planned

PRICES = {"一般": 5, "较重": 10, "严重": 20}


def of(which: Callable[[Planned], bool]) -> list[Planned]:
    """The calls that are so."""
    return [call for call in month.plan() if which(call)]


def severity(phrase: str) -> str:
    return month.lexicon().phrases[phrase].severity.value


def fatal(call: Planned) -> bool:
    return any(month.lexicon().phrases[plant.phrase].fatal for plant in call.counted)


def points(call: Planned) -> float:
    """100 less 5, 10 or 20 a violation, nothing left after a fatal one."""
    return 0 if fatal(call) else max(0, 100 - sum(PRICES[severity(plant.phrase)] for plant in call.counted))


def mean(calls: list[Planned]) -> float:
    return sum(map(points, calls)) / len(calls)


def violations(calls: list[Planned], of_severity: str | None = None) -> int:
    return sum(of_severity in (None, severity(plant.phrase)) for call in calls for plant in call.counted)


def flagged(calls: list[Planned]) -> int:
    return sum(bool(call.counted) for call in calls)


def verdicts(calls: list[Planned], *names: str) -> int:
    """Counted ones with these verdicts."""
    return sum(plant.verdict in names for call in calls for plant in call.counted)


def cleared(calls: list[Planned]) -> int:
    return sum(plant.verdict in ("reject", "upheld") for call in calls for plant in call.plants)


def waiting(calls: list[Planned]) -> int:
    return sum(plant.doubtful and plant.verdict == "none" for call in calls for plant in call.plants)


def phrases(calls: list[Planned]) -> dict[str, int]:
    """How often each phrase was said."""
    counts: dict[str, int] = {}
    for call in calls:
        for plant in call.counted:
            counts[plant.phrase] = counts.get(plant.phrase, 0) + 1
    return counts


def weeks(calls: list[Planned]) -> dict[date, list[Planned]]:
    """By the Monday of the week, as the clock in China has it."""
    mondays = [date(2026, 9, 28) + timedelta(weeks=week) for week in range(5)]
    by_week: dict[date, list[Planned]] = {monday: [] for monday in mondays}
    for call in calls:
        day = (call.said_at + timedelta(hours=8)).date()
        by_week[max(monday for monday in mondays if monday <= day)].append(call)
    return by_week
