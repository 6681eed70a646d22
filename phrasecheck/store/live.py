"""Calls in progress: their events by number, who has seen an alert, and what is said of it to others.

In: events as JSON. Out: the same with a number over all calls. The one decision: an event is told to nobody before it is stored, so that whoever
missed it can read it; the numbers are given out one writer at a time, so that nobody who reads up to n finds one below n later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from phrasecheck.errors import InputError, NotFoundError, RefusedError
from phrasecheck.store.audit import Audit
from phrasecheck.store.database import Database
from phrasecheck.store.tables import LiveCallRow, LiveEventRow, LiveMessageRow, LiveNoteRow, MessageState, UserRow
from phrasecheck.types import Role

LONGEST_NOTE = 2000
BACKOFF = (1, 5, 30, 120, 600, 1800)  # seconds before the second, third ... attempt; then the message is dead


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLive:
    """A call as it begins."""

    id: str
    role: Role | None  # None: nobody said
    agent: str | None
    team: str | None
    door: str
    channels: str
    rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event with its number over all calls, and whose call it is."""

    id: int
    call: str
    agent: str | None
    team: str | None
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody wrote to an alert; an empty text: he has seen it."""

    call: str
    seq: int
    name: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LiveCalls:
    """The tables of calls in progress."""

    database: Database
    audit: Audit

    # --- calls and events ------------------------------------------------------------------------------------------------------

    def begin(self, new: NewLive) -> LiveCallRow:
        """Raises RefusedError when there was a call of this id before."""
        row = LiveCallRow(
            id=new.id,
            role=new.role or Role.RECEPTION,
            role_stated=new.role is not None,
            agent=new.agent,
            team=new.team,
            door=new.door,
            channels=new.channels,
            rate=new.rate,
            started_at=self.database.now(),
            seq=0,
        )
        try:
            with self.database.write() as session:
                session.add(row)
        except IntegrityError as error:
            raise RefusedError(f"通话号 {new.id} 已经用过：每通电话应有自己的编号；断线后接回请带上 after") from error
        return row

    def tell(self, events: Sequence[Mapping[str, Any]]) -> list[Told]:
        """Store events, in order. An «ended» ends its call, and takes what was only heard in passing with it."""
        now = self.database.now()
        rows = [LiveEventRow(live_id=e["call"], seq=e["seq"], type=e["type"], at=now, body=dict(e)) for e in events]
        with self.database.write() as session:
            self.database.alone(session, "live events")
            session.add_all(rows)
            calls = {call: session.get_one(LiveCallRow, call) for call in {e["call"] for e in events}}
            for event in events:
                calls[event["call"]].seq = event["seq"]
                if event["type"] == "ended":
                    calls[event["call"]].ended_at, calls[event["call"]].check_id = now, event["check"]
            session.flush()
            if over := [event["call"] for event in events if event["type"] == "ended"]:
                session.execute(delete(LiveEventRow).where(LiveEventRow.live_id.in_(over), LiveEventRow.type == "partial"))
            return [_told(row, calls[row.live_id]) for row in rows]

    def last(self) -> int:
        """The number of the last event of all."""
        with self.database.read() as session:
            return session.scalar(select(func.max(LiveEventRow.id))) or 0

    def since(self, number: int, limit: int = 500) -> list[Told]:
        """Events behind this one, of all calls."""
        return self._events(_EVENTS.where(LiveEventRow.id > number).limit(limit))

    def events(self, call: str, after: int = 0) -> list[Told]:
        """Events of one call behind its own number `after`."""
        return self._events(_EVENTS.where(LiveEventRow.live_id == call, LiveEventRow.seq > after))

    def so_far(self) -> list[Told]:
        """What there is to know of the calls that run now, without what was heard in passing."""
        running = select(LiveCallRow.id).where(LiveCallRow.ended_at.is_(None))  # in the join SQLite would walk all events there are
        return self._events(_EVENTS.where(LiveEventRow.live_id.in_(running), LiveEventRow.type != "partial"))

    def _events(self, query: Select[LiveEventRow, LiveCallRow]) -> list[Told]:
        with self.database.read() as session:
            return [_told(row, call) for row, call in session.execute(query).all()]

    def get(self, call: str) -> LiveCallRow:
        """Raises NotFoundError."""
        with self.database.read() as session:
            row = session.get(LiveCallRow, call)
        if row is None:
            raise NotFoundError(f"没有实时通话 {call}：可能已过保存期，请在列表里核对")
        return row

    def running(self) -> list[LiveCallRow]:
        """Calls that have not ended, the oldest first."""
        with self.database.read() as session:
            return list(session.scalars(select(LiveCallRow).where(LiveCallRow.ended_at.is_(None)).order_by(LiveCallRow.started_at)))

    def of_check(self, call_id: str) -> LiveCallRow | None:
        """The live call that became this recorded one."""
        with self.database.read() as session:
            return session.scalar(select(LiveCallRow).where(LiveCallRow.check_id == call_id))

    def prune(self, older: timedelta) -> int:
        """Delete ended calls that became no recorded call and began so long ago; those that did go with theirs."""
        old = LiveCallRow.started_at < self.database.now() - older
        with self.database.write() as session:
            gone = session.scalars(
                delete(LiveCallRow).where(old, LiveCallRow.ended_at.is_not(None), LiveCallRow.check_id.is_(None)).returning(LiveCallRow.id)
            ).all()
        return len(gone)

    # --- people ----------------------------------------------------------------------------------------------------------------

    def note(self, call: str, seq: int, user: int, text: str = "") -> Note:
        """Somebody has seen an alert, or writes to it. Raises NotFoundError for what is no alert, InputError for too long a text."""
        if len(text) > LONGEST_NOTE:
            raise InputError(f"备注应不超过 {LONGEST_NOTE} 字，收到 {len(text)} 字：请缩短")
        now = self.database.now()
        with self.database.write() as session:
            found = session.scalar(select(LiveEventRow.type).where(LiveEventRow.live_id == call, LiveEventRow.seq == seq))
            if found != "alert":
                raise NotFoundError(f"通话 {call} 没有第 {seq} 号提醒：请刷新后再看")
            writer = session.get(UserRow, user)
            if writer is None:
                raise NotFoundError(f"没有用户 {user}：请重新登录")
            session.add(LiveNoteRow(live_id=call, seq=seq, user_id=user, text=text.strip(), at=now))
            self.audit.add(session, writer.name, "live.note" if text.strip() else "live.seen", f"live:{call}", alert=seq)
            return Note(call=call, seq=seq, name=writer.name, text=text.strip(), at=now)

    def notes(self, calls: Sequence[str]) -> list[Note]:
        """What was written to alerts of these calls, in order."""
        query = select(LiveNoteRow, UserRow.name).join(UserRow, UserRow.id == LiveNoteRow.user_id).where(LiveNoteRow.live_id.in_(calls))
        with self.database.read() as session:
            found = session.execute(query.order_by(LiveNoteRow.id)).all()
        return [Note(call=row.live_id, seq=row.seq, name=name, text=row.text, at=row.at) for row, name in found]

    # --- messages to the outside ------------------------------------------------------------------------------------------------

    def queue(self, target: str, call: str, phrase: str, body: Mapping[str, Any], due: datetime) -> bool:
        """A message to `target`; False when it was told of this phrase in this call already."""
        row = LiveMessageRow(target=target, live_id=call, phrase_id=phrase, body=dict(body), state=MessageState.WAITING, tries=0)
        row.due_at, row.made_at = due, self.database.now()
        try:
            with self.database.write() as session:
                session.add(row)
        except IntegrityError:
            return False
        return True

    def due(self, limit: int = 20) -> list[LiveMessageRow]:
        """Messages whose time has come; the next attempt is put off at once, so that a sender that dies does not send for ever."""
        now = self.database.now()
        query = select(LiveMessageRow).where(LiveMessageRow.state == MessageState.WAITING, LiveMessageRow.due_at <= now)
        with self.database.write() as session:
            rows = list(session.scalars(query.order_by(LiveMessageRow.due_at).limit(limit).with_for_update(skip_locked=True)))
            for row in rows:
                row.tries += 1
                row.due_at = now + timedelta(seconds=BACKOFF[min(row.tries, len(BACKOFF)) - 1])
        return rows

    def sent(self, message: int) -> None:
        """It arrived."""
        self._set(message, MessageState.SENT, None)

    def failed(self, message: int, error: str, *, final: bool = False) -> MessageState:
        """It did not; after the last attempt, or when no other will do better, it is dead."""
        with self.database.read() as session:
            row = session.get_one(LiveMessageRow, message)
        state = MessageState.DEAD if final or row.tries > len(BACKOFF) else MessageState.WAITING
        self._set(message, state, error[:500])
        return state

    def again(self, message: int, actor: str) -> None:
        """Send a dead message once more. Raises NotFoundError."""
        with self.database.write() as session:
            row = session.get(LiveMessageRow, message)
            if row is None or row.state is not MessageState.DEAD:
                raise NotFoundError(f"没有可重发的消息 {message}：请刷新后再看")
            row.state, row.tries, row.due_at = MessageState.WAITING, 0, self.database.now()
            self.audit.add(session, actor, "live.message_again", f"message:{message}", target=row.target)

    def dead(self, limit: int = 200) -> list[LiveMessageRow]:
        """Messages that were given up, the latest first."""
        query = select(LiveMessageRow).where(LiveMessageRow.state == MessageState.DEAD).order_by(LiveMessageRow.id.desc()).limit(limit)
        with self.database.read() as session:
            return list(session.scalars(query))

    def _set(self, message: int, state: MessageState, error: str | None) -> None:
        with self.database.write() as session:
            session.execute(update(LiveMessageRow).where(LiveMessageRow.id == message).values(state=state, error=error))


_EVENTS = select(LiveEventRow, LiveCallRow).join(LiveCallRow, LiveCallRow.id == LiveEventRow.live_id).order_by(LiveEventRow.id)


def _told(row: LiveEventRow, call: LiveCallRow) -> Told:
    return Told(id=row.id, call=row.live_id, agent=call.agent, team=call.team, body=row.body)
