"""Rescorings: which calls, where each stands, and what would change in it.

In: a filter, a version of the lexicon, results judged anew. Out: a list of differences, and the new results in place once somebody said so. The one
decision: every call is a row with a state of its own and every step is one transaction, so a rescoring goes on where it stood whatever dies in
between, and what is put in place is what was looked at: a call that got another result meanwhile is left alone.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import JSON, Select, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session, undefer

from phrasecheck.errors import LeaseLostError, NotFoundError, RefusedError
from phrasecheck.prints import Prints
from phrasecheck.report.json import from_json, to_json
from phrasecheck.rescore import Changes
from phrasecheck.store.audit import Audit
from phrasecheck.store.database import Database
from phrasecheck.store.listing import Filter, Listing
from phrasecheck.store.results import Results
from phrasecheck.store.states import CallState
from phrasecheck.store.tables import CallRow, ItemState, PrintRow, RescoreItemRow, RescoreRow, RescoreState, ResultRow, UserRow
from phrasecheck.types import CallResult

LEASE = timedelta(minutes=2)
AT_WORK = (RescoreState.PREVIEWING, RescoreState.APPLYING)
JUDGED = (ItemState.SAME, ItemState.DIFFERS)
_FILTER = TypeAdapter(Filter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a rescoring is: calls by state, and what changes in them."""

    rescore: RescoreRow
    author: str
    items: Mapping[ItemState, int]
    appeared: int
    vanished: int
    altered: int

    @property
    def total(self) -> int:
        """Calls in it."""
        return sum(self.items.values())

    @property
    def done(self) -> int:
        """Calls that need nothing more in this state of the rescoring."""
        open_ones = JUDGED if self.rescore.state is RescoreState.APPLYING else ()
        return self.total - sum(self.items.get(state, 0) for state in (ItemState.WAITING, *open_ones))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A call in which something changes."""

    item: RescoreItemRow
    call: CallRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A call to be judged: its row, its current result with that one's version, and its prints if they are kept."""

    item: int
    call_id: str
    base: str
    result: CallResult
    prints: PrintRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What judging a call anew came to. `prints` are given when they are new."""

    open: Open
    result: CallResult
    changes: Changes
    prints: Prints | None = None


@dataclass(frozen=True, slots=True)
class Rescores:
    """The rescores table with its items."""

    database: Database
    audit: Audit
    listing: Listing
    results: Results

    # --- what people do ----------------------------------------------------------------------------------------------------------

    def begin(self, version: int | None, wanted: Filter, author: UserRow) -> RescoreRow:
        """A preview over the calls that have a result and fit. Raises RefusedError when there are none."""
        with self.database.write() as session:
            row = RescoreRow(
                version_id=version, filter=_FILTER.dump_python(wanted, mode="json", exclude_none=True), state=RescoreState.PREVIEWING
            )
            row.author_id, row.made_at = author.id, self.database.now()
            session.add(row)
            session.flush()
            calls = self.listing.ids(session, wanted).where(CallRow.state == CallState.DONE, ResultRow.id.is_not(None))
            calls = calls.add_columns(literal(row.id), literal(ItemState.WAITING.value), *(literal(0) for _ in range(3)), literal({}, JSON))
            columns = ["call_id", "rescore_id", "state", "appeared", "vanished", "altered", "changes"]
            session.execute(insert(RescoreItemRow).from_select(columns, calls, include_defaults=False))
            if not session.scalar(select(func.count()).where(RescoreItemRow.rescore_id == row.id)):
                raise RefusedError("没有符合条件、已有结果的通话：请放宽条件，或等检查结束")
            self.audit.add(session, author.name, "rescore.begin", f"rescore:{row.id}", version=version or 0, filter=row.filter)
            return row

    def apply(self, number: int, author: UserRow) -> None:
        """READY -> APPLYING: what was previewed is to stand. Raises RefusedError."""
        self._move(number, author, "rescore.apply", {RescoreState.READY}, RescoreState.APPLYING)

    def cancel(self, number: int, author: UserRow) -> None:
        """Nothing more of it; what was applied before stays. Raises RefusedError."""
        self._move(number, author, "rescore.cancel", {*AT_WORK, RescoreState.READY}, RescoreState.CANCELLED)

    def _move(self, number: int, author: UserRow, action: str, of: set[RescoreState], to: RescoreState) -> None:
        with self.database.write() as session:
            row = _existing(session, number, lock=True)
            if row.state not in of:
                raise RefusedError(f"重新评判 {number} 现在是 {row.state}，应为 {'、'.join(sorted(of))} 才能这样做：请刷新后再看")
            row.state, row.lease, row.lease_until = to, None, None
            if to is RescoreState.CANCELLED:
                _end(session, row, self.database)
            self.audit.add(session, author.name, action, f"rescore:{number}")

    # --- what the worker does ----------------------------------------------------------------------------------------------------

    def claim(self) -> RescoreRow | None:
        """One that has work to be done, for whoever asks first; None when there is nothing to do."""
        now = self.database.now()
        query = (
            select(RescoreRow)
            .where(RescoreRow.state.in_(AT_WORK), or_(RescoreRow.lease_until.is_(None), RescoreRow.lease_until < now))
            .order_by(RescoreRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self.database.read() as session:  # nearly always there is none, and looking should not stand in a writer's way
            if session.scalar(query) is None:
                return None
        with self.database.write() as session:
            row = session.scalar(query)
            if row is not None:
                row.lease, row.lease_until = secrets.token_hex(16), now + LEASE
            return row

    def waiting(self, rescore: RescoreRow, limit: int) -> list[Open]:
        """The next calls to be judged."""
        query = (
            select(RescoreItemRow.id, ResultRow, PrintRow)
            .join(ResultRow, (ResultRow.call_id == RescoreItemRow.call_id) & ResultRow.current)
            .outerjoin(PrintRow, PrintRow.call_id == RescoreItemRow.call_id)
            .where(RescoreItemRow.rescore_id == rescore.id, RescoreItemRow.state == ItemState.WAITING)
            .order_by(RescoreItemRow.id)
            .limit(limit)
            .options(undefer(ResultRow.body))
        )
        with self.database.read() as session:
            return [
                Open(item=item, call_id=result.call_id, base=result.version, result=from_json(result.body), prints=prints)
                for item, result, prints in session.execute(query)
            ]

    def judged(self, rescore: RescoreRow, done: Sequence[Judged], failed: Mapping[int, str]) -> None:
        """What some calls came to, or why they could not be judged (by item); without any the preview is READY. Raises LeaseLostError."""
        with self.database.write() as session:
            row = self._held(session, rescore)
            for one in done:
                session.execute(update(RescoreItemRow).where(RescoreItemRow.id == one.open.item).values(**_values(one)))
                if one.prints is not None:
                    session.merge(PrintRow(call_id=one.open.call_id, maker=one.prints.maker, body=one.prints.packed()))
            for item, reason in failed.items():
                session.execute(update(RescoreItemRow).where(RescoreItemRow.id == item).values(state=ItemState.FAILED, reason=reason))
            if not done and not failed:
                row.state, row.lease, row.lease_until = RescoreState.READY, None, None

    def put_next(self, rescore: RescoreRow, limit: int) -> int:
        """Puts the next new results in place; 0: there are none left, and it is DONE. Raises LeaseLostError."""
        with self.database.write() as session:
            row = self._held(session, rescore)
            actor = session.scalar(select(UserRow.name).where(UserRow.id == row.author_id)) or ""
            items = list(session.scalars(_next(row, JUDGED, limit).options(undefer(RescoreItemRow.body))))
            for item in items:
                item.state = self._put(session, item)
                item.body = None
            if items:
                put_in = [item.call_id for item in items if item.state is ItemState.APPLIED]
                self.audit.add(session, actor, "call.rescore", f"rescore:{row.id}", calls=put_in)
            else:
                row.state = RescoreState.DONE
                _end(session, row, self.database)
            return len(items)

    def _put(self, session: Session, item: RescoreItemRow) -> ItemState:
        call = session.get(CallRow, item.call_id, with_for_update=True)
        current = session.scalar(select(ResultRow.version).where(ResultRow.call_id == item.call_id, ResultRow.current))
        if call is None or call.state is not CallState.DONE or current != item.base or item.body is None:
            return ItemState.STALE
        self.results.put(session, call, from_json(item.body))
        return ItemState.APPLIED

    def fail(self, rescore: RescoreRow, reason: str) -> None:
        """It cannot go on."""
        with self.database.write() as session:
            row = self._held(session, rescore)
            row.state, row.reason = RescoreState.FAILED, reason
            _end(session, row, self.database)

    def let_go(self, rescore: RescoreRow) -> None:
        """Somebody else may go on with it."""
        with self.database.write() as session:
            same = (RescoreRow.id == rescore.id, RescoreRow.lease == rescore.lease)
            session.execute(update(RescoreRow).where(*same).values(lease=None, lease_until=None))

    def _held(self, session: Session, claimed: RescoreRow) -> RescoreRow:
        row = _existing(session, claimed.id, lock=True)
        if row.lease is None or row.lease != claimed.lease:
            raise LeaseLostError(f"重新评判 {claimed.id} 已取消或交给别的进程：不再继续")
        row.lease_until = self.database.now() + LEASE
        return row

    # --- prints ------------------------------------------------------------------------------------------------------------------

    def without_prints(self, prefix: str, limit: int) -> list[str]:
        """Calls with a result but without prints whose maker begins so, the latest first."""
        query = (
            select(ResultRow.call_id)
            .outerjoin(PrintRow, PrintRow.call_id == ResultRow.call_id)
            .where(ResultRow.current, or_(PrintRow.call_id.is_(None), ~PrintRow.maker.startswith(prefix, autoescape=True)))
            .order_by(ResultRow.id.desc())
            .limit(limit)
        )
        with self.database.read() as session:
            return list(session.scalars(query))

    def keep(self, prints: Mapping[str, Prints]) -> None:
        """Prints by call; a call that was deleted meanwhile is passed over."""
        with self.database.write() as session:
            there = set(session.scalars(select(CallRow.id).where(CallRow.id.in_(list(prints)))))
            for call_id in there:
                session.merge(PrintRow(call_id=call_id, maker=prints[call_id].maker, body=prints[call_id].packed()))

    # --- what people read --------------------------------------------------------------------------------------------------------

    def get(self, number: int) -> Standing:
        """Raises NotFoundError."""
        with self.database.read() as session:
            return _standings(session, [_existing(session, number)])[0]

    def latest(self, limit: int = 20) -> list[Standing]:
        """The latest first."""
        with self.database.read() as session:
            rows = session.scalars(select(RescoreRow).order_by(RescoreRow.id.desc()).limit(limit)).all()
            return _standings(session, rows)

    def differences(self, number: int, after: int = 0, limit: int = 50) -> list[Difference]:
        """Calls in which something changes, or that went wrong, behind the item `after`."""
        shown = or_(
            RescoreItemRow.appeared > 0,
            RescoreItemRow.vanished > 0,
            RescoreItemRow.altered > 0,
            RescoreItemRow.points_before != RescoreItemRow.points_after,
            RescoreItemRow.state.in_([ItemState.FAILED, ItemState.STALE]),
        )
        query = (
            select(RescoreItemRow, CallRow)
            .join(CallRow, CallRow.id == RescoreItemRow.call_id)
            .where(RescoreItemRow.rescore_id == number, RescoreItemRow.id > after, shown)
            .order_by(RescoreItemRow.id)
            .limit(limit)
        )
        with self.database.read() as session:
            return [Difference(item=item, call=call) for item, call in session.execute(query)]

    def wanted(self, row: RescoreRow) -> Filter:
        """The filter it was begun with."""
        return _FILTER.validate_python(row.filter)


def _existing(session: Session, number: int, *, lock: bool = False) -> RescoreRow:
    row = session.get(RescoreRow, number, with_for_update=lock)
    if row is None:
        raise NotFoundError(f"没有重新评判 {number}：请在列表里核对")
    return row


def _end(session: Session, row: RescoreRow, database: Database) -> None:
    """No more work, and nothing kept that is not needed."""
    row.lease, row.lease_until, row.ended_at = None, None, database.now()
    session.execute(update(RescoreItemRow).where(RescoreItemRow.rescore_id == row.id).values(body=None))


def _next(row: RescoreRow, states: Iterable[ItemState], limit: int) -> Select[RescoreItemRow]:
    wanted = (RescoreItemRow.rescore_id == row.id, RescoreItemRow.state.in_(list(states)))
    return select(RescoreItemRow).where(*wanted).order_by(RescoreItemRow.id).limit(limit)


def _values(one: Judged) -> dict[str, Any]:
    changes = one.changes
    return {
        "state": ItemState.DIFFERS if changes else ItemState.SAME,
        "base": one.open.base,
        "points_before": changes.points_before,
        "points_after": changes.points_after,
        "appeared": len(changes.of("appeared")),
        "vanished": len(changes.of("vanished")),
        "altered": len(changes.of("altered")),
        "changes": asdict(changes),
        "body": to_json(one.result),
    }


def _standings(session: Session, rows: Sequence[RescoreRow]) -> list[Standing]:
    item = RescoreItemRow
    sums = (
        select(item.rescore_id, item.state, func.count(), func.sum(item.appeared), func.sum(item.vanished), func.sum(item.altered))
        .where(item.rescore_id.in_([row.id for row in rows]))
        .group_by(item.rescore_id, item.state)
    )
    items: dict[int, dict[ItemState, int]] = {row.id: {} for row in rows}
    totals = {row.id: Counter[str]() for row in rows}
    for number, state, count, appeared, vanished, altered in session.execute(sums):
        items[number][state] = count
        totals[number].update(appeared=appeared, vanished=vanished, altered=altered)
    names = dict(session.execute(select(UserRow.id, UserRow.name).where(UserRow.id.in_([row.author_id for row in rows]))).all())
    return [
        Standing(
            rescore=row,
            author=names.get(row.author_id, ""),
            items=items[row.id],
            appeared=totals[row.id]["appeared"],
            vanished=totals[row.id]["vanished"],
            altered=totals[row.id]["altered"],
        )
        for row in rows
    ]
