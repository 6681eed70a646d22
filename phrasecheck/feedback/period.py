"""A stretch of days, and its weeks.

In: two dates, both included, and how far the clock is ahead of UTC. Out: a Period. The one decision: weeks begin on Monday; the first and the last
may be cut short by the period's ends, and every week of the period is there, also one without calls.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from phrasecheck.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From the morning of `first` to the end of `last`."""

    first: date
    last: date
    utc_offset: float = 8

    @property
    def zone(self) -> timezone:
        """The clock by which days are counted."""
        return timezone(timedelta(hours=self.utc_offset))

    @property
    def since(self) -> datetime:
        """Inclusive."""
        return datetime.combine(self.first, datetime.min.time(), self.zone)

    @property
    def until(self) -> datetime:
        """Exclusive."""
        return datetime.combine(self.last + timedelta(days=1), datetime.min.time(), self.zone)

    @property
    def weeks(self) -> tuple[date, ...]:
        """The Mondays of its weeks."""
        monday, days = monday_of(self.first), (self.last - monday_of(self.first)).days
        return tuple(monday + timedelta(weeks=week) for week in range(days // 7 + 1))

    @property
    def label(self) -> str:
        """«2026-10-01 至 2026-10-31»"""
        return f"{self.first.isoformat()} 至 {self.last.isoformat()}"

    def day(self, at: datetime) -> date:
        """The day on which something was."""
        return at.astimezone(self.zone).date()


def period(first: date | None, last: date | None, today: date, utc_offset: float) -> Period:
    """What a user asked for; without a beginning the month of the end, without both the month that is over. Raises InputError."""
    if last is None:
        last = today if first is not None else today.replace(day=1) - timedelta(days=1)
    first = first or last.replace(day=1)
    if first > last:
        raise InputError(f"起始日期应不晚于截止日期，收到 {first} 至 {last}：请对调或改正")
    return Period(first=first, last=last, utc_offset=utc_offset)


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())
