"""What people make of hits: confirmed, rejected, appealed, judged.

In: a hit, a verb, the account that does it. Out: a review beside the hit, the hit's new state, and the call's new points, in one
transaction. The one decision: whether it may happen is asked of the literal table in states.py while the call's row is locked, so of two
who judge at once the second is told what the first has done; one whose page is old is told the same (`seen`), even where the table would
let him overrule the first.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from phrasecheck.errors import InputError, NotFoundError, RefusedError
from phrasecheck.store.audit import Audit
from phrasecheck.store.calls import existing
from phrasecheck.store.database import Database
from phrasecheck.store.listing import CLAIMED
from phrasecheck.store.results import judge
from phrasecheck.store.states import REVIEW_MOVES, Permission, RejectReason, ReviewState, Verb, next_review
from phrasecheck.store.tables import CallRow, HitRow, ResultRow, ReviewRow, UserRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A hit with its call, and the last that was said of it."""

    hit: HitRow
    call: CallRow
    last: ReviewRow


@dataclass(frozen=True, slots=True)
class Reviews:
    """The reviews table. `window` is how long an agent may appeal: from the last review, or from the result when there is none."""

    database: Database
    audit: Audit
    window: timedelta

    def add(
        self,
        hit_id: int,
        verb: Verb,
        user: UserRow,
        *,
        reason: RejectReason | None = None,
        comment: str = "",
        seen: ReviewState | None = None,
    ) -> ReviewRow:
        """One verdict; `seen` is the state that its author saw. Raises RefusedError (state, permission, window), InputError (reason left out or too many),
        NotFoundError."""
        _check(verb, reason, comment)
        with self.database.write() as session:
            hit = _locked(session, hit_id)
            if seen is not None and hit.state is not seen:
                raise RefusedError(self._overtaken(session, hit))
            after = next_review(hit.state, verb, user.permission)
            if verb is Verb.APPEAL:
                self._check_appeal(session, hit, user)
            row = ReviewRow(hit_id=hit.id, user_id=user.id, verb=verb, before=hit.state, after=after)
            row.reason, row.comment, row.at = reason, comment.strip(), self.database.now()
            session.add(row)
            hit.state = after
            judge(session, session.get_one(ResultRow, hit.result_id))
            self.audit.add(session, user.name, f"hit.{verb}", f"call:{hit.call_id}", hit=hit.id, phrase=hit.phrase_id, reason=reason)
            return row

    def _overtaken(self, session: Session, hit: HitRow) -> str:
        last = session.execute(
            select(UserRow.name, ReviewRow.at)
            .join(UserRow, UserRow.id == ReviewRow.user_id)
            .where(ReviewRow.hit_id == hit.id)
            .order_by(ReviewRow.id.desc())
        ).first()
        who = f"{last.name} 于 {last.at.astimezone():%H:%M} " if last else "有人"
        return f"这处命中刚刚{who}处理过，您的操作没有保存：请看过现在的结论再决定"

    def _check_appeal(self, session: Session, hit: HitRow, user: UserRow) -> None:
        if user.agent is None or existing(session, hit.call_id).agent != user.agent:
            raise RefusedError("只能对自己的通话申诉：如果这是您的通话，请让管理员核对工号")
        if hit.doubtful and hit.state is ReviewState.NEW:
            raise RefusedError("存疑的命中不计分，不需要申诉：等复核人确认后仍可申诉")
        since = session.scalar(select(ReviewRow.at).where(ReviewRow.hit_id == hit.id).order_by(ReviewRow.id.desc()).limit(1))
        if self.database.now() > self.until(since or session.get_one(ResultRow, hit.result_id).made_at):
            raise RefusedError(f"申诉应在 {self.window.days} 天内提出，这处命中已过期限：请联系质检主管")

    def until(self, since: datetime) -> datetime:
        """How long may be appealed against what was said, or found, at that time."""
        return since + self.window

    def hit(self, hit_id: int) -> HitRow:
        """Raises NotFoundError."""
        with self.database.read() as session:
            return _existing(session, hit_id)

    def of_call(self, call_id: str) -> list[ReviewRow]:
        """The whole history of a call's hits, in order; also of moments that the current result claims no more."""
        query = select(ReviewRow).join(HitRow, HitRow.id == ReviewRow.hit_id).where(HitRow.call_id == call_id).order_by(ReviewRow.id)
        with self.database.read() as session:
            return list(session.scalars(query))

    def waiting(self, states: Sequence[ReviewState] = (ReviewState.NEW, ReviewState.APPEALED), limit: int = 100) -> list[HitRow]:
        """Hits of current results in these states, the longest there first."""
        with self.database.read() as session:
            return list(session.scalars(CLAIMED.where(HitRow.state.in_(states)).order_by(HitRow.id).limit(limit)))

    def queue(
        self,
        states: Collection[ReviewState],
        *,
        agent: str | None = None,
        team: str | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> list[Queued]:
        """Moments in these states with their calls, what was touched last first, behind the review `after`."""
        latest = select(func.max(ReviewRow.id)).where(ReviewRow.hit_id == HitRow.id).correlate(HitRow).scalar_subquery()
        where: list[ColumnElement[bool]] = [HitRow.state.in_(states)]
        where += [column == value for column, value in ((CallRow.agent, agent), (CallRow.team, team)) if value is not None]
        where += [ReviewRow.id < after] if after is not None else []
        query = (
            select(HitRow, CallRow, ReviewRow)
            .join(CallRow, CallRow.id == HitRow.call_id)
            .join(ReviewRow, ReviewRow.id == latest)
            .where(*where)
            .order_by(ReviewRow.id.desc())
            .limit(limit)
        )
        with self.database.read() as session:
            return [Queued(hit=hit, call=call, last=last) for hit, call, last in session.execute(query)]


def possible(state: ReviewState, permission: Permission) -> list[Verb]:
    """What somebody with this permission may do to a hit in this state."""
    return [verb for (before, verb), (_, who) in REVIEW_MOVES.items() if before is state and permission in who]


def _locked(session: Session, hit_id: int) -> HitRow:
    """The hit, with its call locked as those do who store a result: its points are made from all of its hits."""
    existing(session, _existing(session, hit_id).call_id, lock=True)
    session.expire_all()
    return _existing(session, hit_id)


def _existing(session: Session, hit_id: int) -> HitRow:
    hit = session.get(HitRow, hit_id)
    if hit is None:
        raise no_hit(hit_id)
    return hit


def no_hit(hit_id: int) -> NotFoundError:
    """What is said of a hit that is not there, or not to be seen."""
    return NotFoundError(f"没有命中 {hit_id}：通话可能已被删除，请在列表里核对")


def _check(verb: Verb, reason: RejectReason | None, comment: str) -> None:
    if (verb is Verb.REJECT) != (reason is not None):
        raise InputError(f"驳回命中要选一个原因（{'、'.join(RejectReason)}），其他操作不选：请改后再提交")
    if reason is RejectReason.OTHER and not comment.strip():
        raise InputError("原因选「其他」时请在备注里写明")
