"""The queue as people see it: who is next, how fast it goes, what failed.

In: the calls table. Out: calls in the order in which they will be checked, and seconds a call. The one decision: the pace is measured at the results,
however many workers there are: the time between two results that follow each other while there was work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from sqlalchemy import select

from phrasecheck.store.database import Database
from phrasecheck.store.states import CallState
from phrasecheck.store.tables import CallRow, ResultRow

RECENT = timedelta(days=1)
MEASURED, ENOUGH = 50, 3  # results looked at; with fewer gaps nothing is said


@dataclass(frozen=True, slots=True)
class Queue:
    """Reading over what waits and what failed."""

    database: Database

    def line(self, state: CallState, limit: int) -> list[CallRow]:
        """Calls in this state in the order of the queue; those that failed the latest first."""
        order = (CallRow.uploaded_at.desc(), CallRow.id) if state is CallState.FAILED else (CallRow.uploaded_at, CallRow.id)
        with self.database.read() as session:
            return list(session.scalars(select(CallRow).where(CallRow.state == state).order_by(*order).limit(limit)))

    def failed(self) -> list[str]:
        """All that failed."""
        with self.database.read() as session:
            return list(session.scalars(select(CallRow.id).where(CallRow.state == CallState.FAILED).order_by(CallRow.uploaded_at)))

    def pace(self) -> float | None:
        """Seconds from one result to the next, as of late; None when there were too few."""
        last = select(ResultRow.id).order_by(ResultRow.id.desc()).limit(MEASURED + 1).subquery()  # by id: no index knows the times
        query = (
            select(ResultRow.made_at, CallRow.uploaded_at)
            .join(last, last.c.id == ResultRow.id)
            .join(CallRow, CallRow.id == ResultRow.call_id)
            .where(ResultRow.made_at > self.database.now() - RECENT)
            .order_by(ResultRow.made_at.desc())
        )
        with self.database.read() as session:
            found = [(made, uploaded) for made, uploaded in session.execute(query)]
        return pace_of(found[::-1])


def pace_of(ends: Sequence[tuple[datetime, datetime]]) -> float | None:
    """From (when a result was there, when its recording came), in the order of the results. Time in which there was nothing to do is left out; the
    median, because what was run again long after its upload seems to have waited all the time."""
    gaps = [(made - max(before, uploaded)).total_seconds() for (before, _), (made, uploaded) in pairwise(ends)]
    return median(gaps) if len(gaps) >= ENOUGH else None
