"""How long calls are kept, and what went.

In: how many days each class of calls is kept (PrivacySettings). Out: `keep_until` of every call, and calls deleted when it has come. The one decision: the
class is read off the call anew on every run (an appeal makes a call that was ordinary yesterday one that stays longer), and nothing goes that is on hold,
unfinished, or has an appeal open. What went is told by the audit trail, which outlives it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from sqlalchemy import ColumnElement, case, func, literal, select, update
from sqlalchemy.orm import aliased

from phrasecheck.errors import InputError, NotFoundError, RefusedError
from phrasecheck.settings import PrivacySettings
from phrasecheck.store.audit import SYSTEM, Audit
from phrasecheck.store.calls import Calls
from phrasecheck.store.database import Database
from phrasecheck.store.listing import COUNTS
from phrasecheck.store.states import CallState, ReviewState, Verb
from phrasecheck.store.tables import AuditRow, CallRow, HitRow, ResultRow, ReviewRow

BATCH = 500
RUN, HOLD = "retention.run", "call.hold"


class Keeping(StrEnum):
    """The classes; a call is of the last that fits."""

    ORDINARY = "ordinary"
    VIOLATION = "violation"  # a hit of it stands
    APPEAL = "appeal"  # a hit of it was appealed against, whatever came of that


WHY = {Keeping.ORDINARY: "普通通话", Keeping.VIOLATION: "有违规的通话", Keeping.APPEAL: "有申诉的通话"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The calls of one class. `soon`: of those, the ones that go within the next days."""

    keeping: Keeping
    days: float | None
    calls: int
    soon: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A call on legal hold, who put it there and why; None where the trail does not say."""

    call: CallRow
    entry: AuditRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """A call that goes, and when."""

    call: CallRow
    keeping: Keeping


@dataclass(frozen=True, slots=True)
class Retention:
    """Keeping and deleting."""

    database: Database
    audit: Audit
    calls: Calls

    def run(self, policy: PrivacySettings, actor: str = SYSTEM) -> int:
        """Set every call's time, delete what has had its. How many went; what was deleted until an error stays deleted."""
        self.assign(policy)
        gone = sum(self._delete(leaving, actor) for leaving in self.leaving(self.database.now(), None))
        self.audit.note(actor, RUN, "retention", deleted=gone)
        return gone

    def run_once_a_day(self, policy: PrivacySettings) -> int | None:
        """`run`, when the hour has come and today's was not yet; None when not. Two servers at once delete nothing twice."""
        now = self.database.now().astimezone()
        if now.hour < policy.retention_hour:
            return None
        latest = self.latest_run()
        return None if latest is not None and latest.at.astimezone().date() == now.date() else self.run(policy)

    def latest_run(self) -> AuditRow | None:
        """When it ran last."""
        return next(iter(self.audit.entries(action=RUN, limit=1)), None)

    def assign(self, policy: PrivacySettings) -> None:
        """Every call's `keep_until` as its class and the settings of today want it."""
        days = days_of(policy)
        columns = (CallRow.id, CallRow.said_at, CallRow.uploaded_at, CallRow.keep_until, _CLASS)
        with self.database.read() as session:
            rows = session.execute(select(*columns)).all()
        wanted = ((row, _until(max(row.said_at, row.uploaded_at), days[Keeping(row.keeping)])) for row in rows)
        changes = iter([{"id": row.id, "keep_until": until} for row, until in wanted if row.keep_until != until])
        while some := list(islice(changes, BATCH)):  # others write in between
            with self.database.write() as session:
                session.execute(update(CallRow), some)

    def leaving(self, until: datetime, limit: int | None = 100) -> list[Leaving]:
        """What goes until then, the soonest first."""
        query = select(CallRow, _CLASS).where(CallRow.keep_until <= until, *_MAY_GO).order_by(CallRow.keep_until, CallRow.id).limit(limit)
        with self.database.read() as session:
            return [Leaving(call=call, keeping=Keeping(keeping)) for call, keeping in session.execute(query)]

    def overview(self, policy: PrivacySettings, until: datetime) -> list[Kept]:
        """How much is kept of each class."""
        counted = select(_CLASS, CallRow.hold, (CallRow.keep_until <= until).label("soon")).subquery()
        columns = (counted.c.keeping, func.count(), func.count().filter(counted.c.soon), func.count().filter(counted.c.hold))
        with self.database.read() as session:
            found = {row[0]: row[1:] for row in session.execute(select(*columns).group_by(counted.c.keeping))}
        days = days_of(policy)
        rows = ((keeping, found.get(keeping, (0, 0, 0))) for keeping in Keeping)
        return [Kept(keeping=k, days=days[k], calls=calls, soon=soon, held=held) for k, (calls, soon, held) in rows]

    def hold(self, call_id: str, hold: bool, why: str, actor: str) -> None:
        """Put a call on legal hold, or take it off. Raises InputError without a reason, NotFoundError."""
        if not why.strip():
            raise InputError("封存和解除封存都要写明理由：请填写后再提交")
        self.calls.set_hold(call_id, hold, actor, why.strip())

    def held(self) -> list[Held]:
        """The calls on hold."""
        told = (AuditRow.subject == "call:" + CallRow.id, AuditRow.action == HOLD)
        latest = select(func.max(AuditRow.id)).where(*told).correlate(CallRow).scalar_subquery()
        entry = aliased(AuditRow)
        query = select(CallRow, entry).outerjoin(entry, entry.id == latest).where(CallRow.hold).order_by(CallRow.said_at.desc())
        with self.database.read() as session:
            return [Held(call=call, entry=found) for call, found in session.execute(query)]

    def gone(self, before: int | None = None, limit: int = 50) -> list[AuditRow]:
        """The record of what was deleted, the latest first."""
        return self.audit.entries(action="call.delete", before=before, limit=limit)

    def _delete(self, leaving: Leaving, actor: str) -> bool:
        try:
            self.calls.delete(leaving.call.id, actor, f"保存期满（{WHY[leaving.keeping]}）")
        except (NotFoundError, RefusedError):  # somebody was faster, or has just put it on hold
            return False
        return True


def days_of(policy: PrivacySettings) -> Mapping[Keeping, float | None]:
    """How long each class is kept; None: for ever."""
    return {Keeping.ORDINARY: policy.keep_days, Keeping.VIOLATION: policy.keep_violation_days, Keeping.APPEAL: policy.keep_appeal_days}


def _until(since: datetime, days: float | None) -> datetime | None:
    return None if days is None else since + timedelta(days=days)


def _moments(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(HitRow.id).where(HitRow.call_id == CallRow.id, *conditions).exists()


_APPEALED = (
    select(ReviewRow.id).join(HitRow, HitRow.id == ReviewRow.hit_id).where(HitRow.call_id == CallRow.id, ReviewRow.verb == Verb.APPEAL)
)
_STANDS = _moments(COUNTS, select(ResultRow.id).where(ResultRow.id == HitRow.result_id, ResultRow.current).exists())
_CLASS: ColumnElement[str] = case(
    (_APPEALED.exists(), literal(Keeping.APPEAL.value)), (_STANDS, literal(Keeping.VIOLATION.value)), else_=literal(Keeping.ORDINARY.value)
).label("keeping")
_MAY_GO = (
    CallRow.hold.is_(False),
    CallRow.state.in_((CallState.DONE, CallState.FAILED)),
    ~_moments(HitRow.state == ReviewState.APPEALED),
)
