"""Lists of calls: filtered, a page at a time; and what was said in them.

In: a Filter. Out: lines of a table. The one decision: a page is one query whatever its length; scores and numbers of hits are
joined to the calls, and the next page begins behind the last line (said_at, id), so that page 1,000 costs what page 1 does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, func, or_, select

from phrasecheck.store.database import Database
from phrasecheck.store.search import said
from phrasecheck.store.states import AFFIRMED, STANDING, CallState, ReviewState
from phrasecheck.store.tables import CallRow, HitRow, ResultRow, UtteranceRow
from phrasecheck.types import Role

PAGE = 50
_Rows = Select[*tuple[Any, ...]]
_CURRENT = and_(ResultRow.call_id == CallRow.id, ResultRow.current)
_LATEST = (CallRow.said_at.desc(), CallRow.id.desc())
COUNTS = or_(and_(HitRow.doubtful.is_(False), HitRow.state.in_(STANDING)), HitRow.state.in_(AFFIRMED))  # what a hit needs to be a violation
OPEN = and_(HitRow.doubtful, HitRow.state == ReviewState.NEW)  # doubtful, and nobody has looked


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which calls; what is None does not matter. phrase, section and review ask for one hit that is all of these."""

    role: Role | None = None
    team: str | None = None
    agent: str | None = None
    since: datetime | None = None  # said_at, inclusive
    until: datetime | None = None  # exclusive
    state: CallState | None = None
    phrase: str | None = None
    section: str | None = None
    review: ReviewState | None = None
    points_at_most: float | None = None
    unsure: bool | None = None  # is it certain who spoke?
    text: str | None = None  # was said, or something that sounds like it


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One call of a list. points to unsure are None without a result."""

    call: CallRow
    points: float | None
    seconds: float | None
    unsure: bool | None
    violations: int  # hits that count
    doubtful: int  # hits that wait for somebody to look


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An utterance that was searched for. `exact`: these very characters."""

    call: CallRow
    utterance_id: str
    start_s: float
    text: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """Reading over all calls."""

    database: Database

    def page(self, wanted: Filter, after: CallRow | None = None, limit: int | None = PAGE) -> list[Line]:
        """Calls that fit, the latest first, behind the call `after`; all of them when limit is None."""
        which = _filtered(select(CallRow.id).outerjoin(ResultRow, _CURRENT), wanted)
        which = _after(which, after).order_by(*_LATEST).limit(limit)
        query = (  # hits are counted for the lines of the page alone
            select(CallRow, ResultRow.points, ResultRow.seconds, ResultRow.unsure, _hits(COUNTS), _hits(OPEN))
            .outerjoin(ResultRow, _CURRENT)
            .where(CallRow.id.in_(which))
            .order_by(*_LATEST)
        )
        with self.database.read() as session:
            rows = session.execute(query).all()
        return [
            Line(call=call, points=points, seconds=seconds, unsure=unsure, violations=violations, doubtful=doubtful)
            for call, points, seconds, unsure, violations, doubtful in rows
        ]

    def count(self, wanted: Filter) -> int:
        """How many calls fit."""
        query = _filtered(select(func.count(CallRow.id)).select_from(CallRow).outerjoin(ResultRow, _CURRENT), wanted)
        with self.database.read() as session:
            return session.scalar(query) or 0

    def said(self, words: str, wanted: Filter | None = None, limit: int = PAGE) -> list[Found]:
        """Utterances with these words or ones that sound like them, the very words first, then the latest calls."""
        if not words.strip():
            return []
        exact = UtteranceRow.text.contains(words, autoescape=True)
        base = (
            select(CallRow, UtteranceRow, exact).join(UtteranceRow, UtteranceRow.call_id == CallRow.id).outerjoin(ResultRow, _CURRENT)
        ).where(said(words))
        query = _filtered(base, wanted or Filter()).order_by(exact.desc(), CallRow.said_at.desc(), UtteranceRow.id).limit(limit)
        with self.database.read() as session:
            rows = session.execute(query).all()
        return [Found(call=c, utterance_id=u.utterance_id, start_s=u.start_s, text=u.text, exact=bool(e)) for c, u, e in rows]


def _hits(condition: ColumnElement[bool]) -> ScalarSelect[int]:
    """How many of the current result's hits are so."""
    return select(func.count(HitRow.id)).where(HitRow.result_id == ResultRow.id, condition).correlate(ResultRow).scalar_subquery()


def _after(query: _Rows, call: CallRow | None) -> _Rows:
    if call is None:
        return query
    return query.where(or_(CallRow.said_at < call.said_at, and_(CallRow.said_at == call.said_at, CallRow.id < call.id)))


def _filtered(query: _Rows, wanted: Filter) -> _Rows:
    return query.where(*_of_call(wanted), *_of_hits(wanted))


def _of_call(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    equal = (
        (CallRow.role, wanted.role),
        (CallRow.team, wanted.team),
        (CallRow.agent, wanted.agent),
        (CallRow.state, wanted.state),
        (ResultRow.unsure, wanted.unsure),
    )
    yield from (column == value for column, value in equal if value is not None)
    if wanted.since is not None:
        yield CallRow.said_at >= wanted.since
    if wanted.until is not None:
        yield CallRow.said_at < wanted.until
    if wanted.points_at_most is not None:
        yield ResultRow.points <= wanted.points_at_most
    if wanted.text is not None:
        yield select(UtteranceRow.id).where(UtteranceRow.call_id == CallRow.id, said(wanted.text)).exists()


def _of_hits(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    equal = ((HitRow.phrase_id, wanted.phrase), (HitRow.section, wanted.section), (HitRow.state, wanted.review))
    conditions = [column == value for column, value in equal if value is not None]
    if conditions:
        yield select(HitRow.id).where(HitRow.result_id == ResultRow.id, *conditions).exists()
