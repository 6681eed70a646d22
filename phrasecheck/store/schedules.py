"""Reports that are made again and again.

In: what, for whom, weekly or monthly. Out: those whose week or month is over and that were not made yet. The one decision: a schedule keeps
the last day it was made to, not a time of its own: a server that was down for a while makes what it missed, once, and two that look at the
same moment take it in turns.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from phrasecheck.errors import InputError, NotFoundError
from phrasecheck.feedback.period import Period, monday_of
from phrasecheck.feedback.reports import Kind
from phrasecheck.store.audit import Audit
from phrasecheck.store.database import Database
from phrasecheck.store.tables import ScheduleRow, UserRow

EVERY = ("week", "month")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A schedule and the period that it is to be made for."""

    schedule: ScheduleRow
    period: Period


@dataclass(frozen=True, slots=True)
class Schedules:
    """The schedules table."""

    database: Database
    audit: Audit

    def add(self, kind: Kind, name: str, every: str, formats: tuple[str, ...], author: UserRow) -> ScheduleRow:
        """From the next week or month that is over. Raises InputError."""
        if every not in EVERY:
            raise InputError(f"周期应为 week（每周）或 month（每月），收到「{every}」")
        if kind is not Kind.DIRECTOR and not name.strip():
            raise InputError("请写明是谁的报告：坐席工号、班组名或岗位")
        with self.database.write() as session:
            row = ScheduleRow(kind=kind.value, name=name.strip(), every=every, formats=",".join(formats), author_id=author.id)
            row.created_at = self.database.now()
            session.add(row)
            session.flush()
            self.audit.add(session, author.name, "schedule.add", f"schedule:{row.id}", kind=kind.value, every=every)
            return row

    def active(self) -> list[ScheduleRow]:
        """Those that run."""
        with self.database.read() as session:
            return list(session.scalars(select(ScheduleRow).where(ScheduleRow.ended_at.is_(None)).order_by(ScheduleRow.id)))

    def end(self, schedule_id: int, user: UserRow) -> None:
        """No more of it. Raises NotFoundError."""
        with self.database.write() as session:
            row = session.get(ScheduleRow, schedule_id, with_for_update=True)
            if row is None or row.ended_at is not None:
                raise NotFoundError(f"没有定期报告 {schedule_id}，或它已停止：请刷新后再看")
            row.ended_at = self.database.now()
            self.audit.add(session, user.name, "schedule.end", f"schedule:{row.id}")

    def due(self, utc_offset: float) -> list[Due]:
        """What is to be made now."""
        made = [(row, last_period(row.every, self._today(utc_offset), utc_offset)) for row in self.active()]
        return [Due(schedule=row, period=period) for row, period in made if row.made_to is None or row.made_to < period.last]

    def take(self, due: Due) -> bool:
        """It is made by who asks first; False for all others."""
        with self.database.write() as session:
            row = session.get(ScheduleRow, due.schedule.id, with_for_update=True)
            if row is None or row.ended_at is not None or (row.made_to is not None and row.made_to >= due.period.last):
                return False
            row.made_to = due.period.last
            return True

    def give_back(self, due: Due) -> None:
        """It could not be made: the next who asks may try again."""
        with self.database.write() as session:
            row = session.get(ScheduleRow, due.schedule.id, with_for_update=True)
            if row is not None:
                row.made_to = due.schedule.made_to

    def _today(self, utc_offset: float) -> date:
        return (self.database.now() + timedelta(hours=utc_offset)).date()


def last_period(every: str, today: date, utc_offset: float) -> Period:
    """The last whole week (Monday to Sunday) or month before a day."""
    last = monday_of(today) - timedelta(days=1) if every == "week" else today.replace(day=1) - timedelta(days=1)
    first = monday_of(last) if every == "week" else last.replace(day=1)
    return Period(first=first, last=last, utc_offset=utc_offset)
