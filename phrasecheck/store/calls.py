"""Calls and their queue: uploaded, claimed by a worker on a lease, done or failed.

In: recordings with what is known of them; workers that ask for one. Out: each call to one worker at a time. The one decision: a claim is proved by its random
`lease`, and every word of a worker about a call is checked against it, so one that was thought dead cannot spoil what its successor does. Clocks
of several machines should agree to within seconds (NTP); leases last minutes.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO
from uuid import uuid4

from sqlalchemy import and_, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from phrasecheck.errors import InputError, LeaseLostError, NotFoundError, RefusedError
from phrasecheck.store.audit import SYSTEM, Audit
from phrasecheck.store.database import Database
from phrasecheck.store.recordings import Recordings
from phrasecheck.store.states import CallState, next_call
from phrasecheck.store.tables import CallRow
from phrasecheck.store.webhooks import announce
from phrasecheck.types import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCall:
    """A recording as it is handed in, and what its sender knows. The same `idempotency_key` of the same sender again is the same call."""

    source: str
    role: Role | None = None  # None: nobody said
    agent: str | None = None
    team: str | None = None
    agent_channel: str = "auto"
    direction: str | None = None
    said_at: datetime | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None
    keep_until: datetime | None = None
    released: bool = True  # False: it waits as UPLOADED until `release`


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A call that a worker has for itself until `until`, unless it says `heartbeat` in time."""

    call: CallRow
    lease: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls table, which is the queue."""

    database: Database
    audit: Audit
    recordings: Recordings
    lease: timedelta
    max_tries: int

    # --- handing in ------------------------------------------------------------------------------------------------------------

    def accept(self, stream: BinaryIO, new: NewCall, user_id: int | None = None, actor: str = SYSTEM) -> CallRow:
        """Keep the recording and queue the call; once this returns, it will be checked exactly once whatever happens.

        Raises InputError when the idempotency key was used for another recording, StoreError when it cannot be kept.
        """
        while True:  # again only when somebody deleted the same recording in between
            kept = self.recordings.put(stream, new.source)
            row = self._row(new, user_id)
            row.sha256, row.recording = kept.sha256, kept.key
            try:
                with self.database.write() as session:
                    self.database.alone(session, f"recording {kept.key}")
                    if self.recordings.exists(kept.key):
                        session.add(row)
                        session.flush()
                        self.audit.add(session, actor, "call.upload", f"call:{row.id}", sha256=kept.sha256)
                        return row
            except IntegrityError:
                if row.idempotency_key is None:
                    raise
                return self._same(row)
            stream.seek(0)

    def _row(self, new: NewCall, user_id: int | None) -> CallRow:
        now = self.database.now()
        return CallRow(
            id=uuid4().hex,
            source=new.source,
            role=new.role or Role.RECEPTION,
            role_stated=new.role is not None,
            agent=new.agent,
            team=new.team,
            agent_channel=new.agent_channel,
            direction=new.direction,
            said_at=new.said_at or now,
            extra=dict(new.extra),
            idempotency_key=None if new.idempotency_key is None else f"{user_id or 0}/{new.idempotency_key}",
            uploaded_by=user_id,
            uploaded_at=now,
            state=CallState.QUEUED if new.released else CallState.UPLOADED,
            keep_until=new.keep_until,
        )

    def _same(self, row: CallRow) -> CallRow:
        """The call that has this row's idempotency key already."""
        with self.database.read() as session:
            earlier = session.scalar(select(CallRow).where(CallRow.idempotency_key == row.idempotency_key))
        if earlier is None or earlier.sha256 != row.sha256:
            key = (row.idempotency_key or "").partition("/")[2]
            raise InputError(f"幂等键「{key}」已用于另一段录音：同一个键只能重发同一个文件，请换一个键")
        return earlier

    def same_recording(self, sha256: str) -> list[CallRow]:
        """The calls with this recording, the latest first."""
        query = select(CallRow).where(CallRow.sha256 == sha256).order_by(CallRow.uploaded_at.desc())
        with self.database.read() as session:
            return list(session.scalars(query))

    def get(self, call_id: str) -> CallRow:
        """Raises NotFoundError."""
        with self.database.read() as session:
            return existing(session, call_id)

    def release(self, call_id: str, actor: str) -> CallRow:
        """UPLOADED -> QUEUED: what was missing is there."""
        return self._requeue(call_id, actor, "call.release", {CallState.UPLOADED})

    def run_again(self, call_id: str, actor: str) -> CallRow:
        """DONE or FAILED -> QUEUED, with all tries again; a result there stays until the next one comes."""
        return self._requeue(call_id, actor, "call.run_again", {CallState.DONE, CallState.FAILED})

    def cancel(self, call_id: str, actor: str) -> CallRow:
        """QUEUED or CHECKING -> FAILED. A worker that has it finds its lease lost."""
        with self.database.write() as session:
            row = existing(session, call_id, lock=True)
            if row.state not in {CallState.QUEUED, CallState.CHECKING}:
                raise RefusedError(f"通话现在是 {row.state}，只有排队中和检查中的才能取消：请刷新后再看")
            self._end(session, row, CallState.FAILED, f"已由 {actor} 取消：需要时可重新运行")
            self.audit.add(session, actor, "call.cancel", f"call:{row.id}")
            return row

    def _requeue(self, call_id: str, actor: str, action: str, of: set[CallState]) -> CallRow:
        with self.database.write() as session:
            row = existing(session, call_id, lock=True)
            if row.state not in of:
                raise RefusedError(f"通话现在是 {row.state}，应为 {'、'.join(sorted(of))} 才能重新排队：请刷新后再看")
            row.state, row.tries, row.reason = next_call(row.state, CallState.QUEUED), 0, None
            self.audit.add(session, actor, action, f"call:{row.id}")
            return row

    # --- working ---------------------------------------------------------------------------------------------------------------

    def claim(self) -> Claim | None:
        """The call that has waited longest, or one whose worker died; None when there is nothing to do. No two workers get the same."""
        now = self.database.now()
        with self.database.write() as session:
            while (row := _next(session, now)) is not None:
                if row.tries < self.max_tries:
                    row.state, row.tries = next_call(row.state, CallState.CHECKING), row.tries + 1
                    row.lease, row.lease_until = secrets.token_hex(16), now + self.lease
                    return Claim(call=row, lease=row.lease, until=row.lease_until)
                self._end(
                    session, row, CallState.FAILED, f"处理它的进程连续 {row.tries} 次中途停止（可能是录音异常或内存不足）：确认后可重新运行"
                )
                session.flush()
        return None

    def heartbeat(self, claim: Claim) -> datetime:
        """The worker is alive: a whole lease from now. Raises LeaseLostError when the call is not its own any more."""
        with self.database.write() as session:
            row = held(session, claim)
            row.lease_until = self.database.now() + self.lease
            return row.lease_until

    def give_back(self, claim: Claim) -> None:
        """The worker stops in good order: the call is queued again, the try does not count."""
        with self.database.write() as session:
            row = held(session, claim)
            row.tries -= 1
            self._end(session, row, CallState.QUEUED, None)

    def fail(self, claim: Claim, reason: str, *, again: bool) -> CallState:
        """The call could not be checked. `again`: it may go better next time, so it is queued while there are tries left; else it has FAILED."""
        with self.database.write() as session:
            row = held(session, claim)
            retried = again and row.tries < self.max_tries
            self._end(session, row, CallState.QUEUED if retried else CallState.FAILED, reason)
            return row.state

    def _end(self, session: Session, row: CallRow, state: CallState, reason: str | None) -> None:
        row.state, row.reason, row.lease, row.lease_until = next_call(row.state, state), reason, None, None
        if state is CallState.FAILED:
            announce(session, row, self.database.now())

    def waiting(self) -> int:
        """How many calls have no end yet: quick, to be asked all the time."""
        with self.database.read() as session:
            return session.scalar(select(func.count()).where(CallRow.state.in_((CallState.QUEUED, CallState.CHECKING)))) or 0

    def counts(self) -> dict[CallState, int]:
        """How many calls are in each state."""
        with self.database.read() as session:
            found = session.execute(select(CallRow.state, func.count()).group_by(CallRow.state)).all()
        return dict.fromkeys(CallState, 0) | dict(found)

    def ahead(self, call_id: str) -> int:
        """How many queued calls go before this one."""
        with self.database.read() as session:
            row = existing(session, call_id)
            earlier = or_(CallRow.uploaded_at < row.uploaded_at, and_(CallRow.uploaded_at == row.uploaded_at, CallRow.id < row.id))
            count = session.scalar(select(func.count()).where(CallRow.state == CallState.QUEUED, earlier))
        return count or 0

    # --- deleting --------------------------------------------------------------------------------------------------------------

    def expired(self, limit: int = 1000) -> list[str]:
        """Calls whose time to be kept is over and that no legal hold keeps."""
        query = select(CallRow.id).where(CallRow.keep_until < self.database.now(), CallRow.hold.is_(False)).limit(limit)
        with self.database.read() as session:
            return list(session.scalars(query))

    def set_hold(self, call_id: str, hold: bool, actor: str, why: str = "") -> None:
        """Put a legal hold on a call, or take it off."""
        with self.database.write() as session:
            existing(session, call_id, lock=True).hold = hold
            self.audit.add(session, actor, "call.hold" if hold else "call.unhold", f"call:{call_id}", why=why)

    def delete(self, call_id: str, actor: str, why: str) -> None:
        """The call with its results, hits, reviews, words and recording; the audit trail keeps that it was there. Raises RefusedError under legal hold.

        A worker that has it at that moment finds its lease lost. The recording stays while another call has the same.
        """
        with self.database.write() as session:
            row = existing(session, call_id, lock=True)
            if row.hold:
                raise RefusedError("这通电话在法律保留中，不能删除：请先由管理员解除保留")
            self.database.alone(session, f"recording {row.recording}")
            session.delete(row)
            session.flush()
            shared = session.scalar(select(func.count()).where(CallRow.recording == row.recording))
            self.audit.add(session, actor, "call.delete", f"call:{call_id}", sha256=row.sha256, why=why)
            session.flush()
            if not shared:  # before the commit: if that fails the deletion can be repeated, the other way round a file would be left behind
                self.recordings.delete(row.recording)


def _next(session: Session, now: datetime) -> CallRow | None:
    """The first of those that are queued and of those whose worker died, locked. Asked for both at once, the database reads and sorts the whole queue; each
    by itself it finds at the head of an index."""
    first = select(CallRow).order_by(CallRow.uploaded_at, CallRow.id).limit(1).with_for_update(skip_locked=True)
    dead = session.scalar(first.where(CallRow.state == CallState.CHECKING, CallRow.lease_until < now))
    queued = session.scalar(first.where(CallRow.state == CallState.QUEUED))
    return min((row for row in (dead, queued) if row is not None), key=lambda row: (row.uploaded_at, row.id), default=None)


def existing(session: Session, call_id: str, *, lock: bool = False) -> CallRow:
    """The call's row, locked against others if wanted. Raises NotFoundError."""
    row = session.get(CallRow, call_id, with_for_update=lock or None)
    if row is None:
        raise NotFoundError(f"没有通话 {call_id}：可能已被删除，请在列表里核对")
    return row


def held(session: Session, claim: Claim) -> CallRow:
    """The claimed call's row, locked. Raises LeaseLostError when it is another worker's by now, or gone."""
    row = session.get(CallRow, claim.call.id, with_for_update=True)
    if row is None or row.state is not CallState.CHECKING or row.lease != claim.lease:
        raise LeaseLostError(f"通话 {claim.call.id} 已交给别的进程或已删除：这次的结果不保存")
    return row
