"""What people make of hits: confirmed, rejected, appealed, judged.

In: a hit, a verb, the account that does it. Out: a review beside the hit, and the hit's new state. The one decision: whether it may happen
is asked of the literal table in states.py while the hit's row is locked, so of two who judge at once the second is told what the first has done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from phrasecheck.errors import InputError, NotFoundError, RefusedError
from phrasecheck.store.audit import Audit
from phrasecheck.store.calls import existing
from phrasecheck.store.database import Database
from phrasecheck.store.states import RejectReason, ReviewState, Verb, next_review
from phrasecheck.store.tables import HitRow, ResultRow, ReviewRow, UserRow


@dataclass(frozen=True, slots=True)
class Reviews:
    """The reviews table. `window` is how long an agent may appeal: from the last review, or from the result when there is none."""

    database: Database
    audit: Audit
    window: timedelta

    def add(self, hit_id: int, verb: Verb, user: UserRow, *, reason: RejectReason | None = None, comment: str = "") -> ReviewRow:
        """One verdict. Raises RefusedError (state, permission, window), InputError (reason left out or too many), NotFoundError."""
        _check(verb, reason, comment)
        with self.database.write() as session:
            hit = session.get(HitRow, hit_id, with_for_update=True)
            if hit is None:
                raise NotFoundError(f"没有命中 {hit_id}：通话可能已被删除，请在列表里核对")
            after = next_review(hit.state, verb, user.permission)
            if verb is Verb.APPEAL:
                self._check_appeal(session, hit, user)
            row = ReviewRow(hit_id=hit.id, user_id=user.id, verb=verb, before=hit.state, after=after)
            row.reason, row.comment, row.at = reason, comment, self.database.now()
            session.add(row)
            hit.state = after
            self.audit.add(session, user.name, f"hit.{verb}", f"call:{hit.call_id}", hit=hit.id, phrase=hit.phrase_id, reason=reason)
            return row

    def _check_appeal(self, session: Session, hit: HitRow, user: UserRow) -> None:
        if user.agent is None or existing(session, hit.call_id).agent != user.agent:
            raise RefusedError("只能对自己的通话申诉：如果这是您的通话，请让管理员核对工号")
        if hit.doubtful and hit.state is ReviewState.NEW:
            raise RefusedError("存疑的命中不计分，不需要申诉：等复核人确认后仍可申诉")
        since = session.scalar(select(ReviewRow.at).where(ReviewRow.hit_id == hit.id).order_by(ReviewRow.id.desc()).limit(1))
        since = since or session.get_one(ResultRow, hit.result_id).made_at
        if self.database.now() > since + self.window:
            raise RefusedError(f"申诉应在 {self.window.days} 天内提出，这处命中已过期限：请联系质检主管")

    def of_call(self, call_id: str) -> list[ReviewRow]:
        """The whole history of a call's hits, in order; also of moments that the current result claims no more."""
        query = select(ReviewRow).join(HitRow, HitRow.id == ReviewRow.hit_id).where(HitRow.call_id == call_id).order_by(ReviewRow.id)
        with self.database.read() as session:
            return list(session.scalars(query))

    def waiting(self, states: Sequence[ReviewState] = (ReviewState.NEW, ReviewState.APPEALED), limit: int = 100) -> list[HitRow]:
        """Hits of current results in these states, the longest there first."""
        query = (
            select(HitRow)
            .join(ResultRow, ResultRow.id == HitRow.result_id)
            .where(ResultRow.current, HitRow.state.in_(states))
            .order_by(HitRow.id)
            .limit(limit)
        )
        with self.database.read() as session:
            return list(session.scalars(query))


def _check(verb: Verb, reason: RejectReason | None, comment: str) -> None:
    if (verb is Verb.REJECT) != (reason is not None):
        raise InputError(f"驳回命中要选一个原因（{'、'.join(RejectReason)}），其他操作不选：请改后再提交")
    if reason is RejectReason.OTHER and not comment.strip():
        raise InputError("原因选「其他」时请在备注里写明")
