"""Lists of calls: filtered, a page at a time; and what was said in them.

In: a Filter. Out: lines of a table. The one decision: a page is one query whatever its length; scores and numbers of hits are joined to
the calls, and the next page begins behind the last line (said_at, id), so that page 1,000 costs what page 1 does. Words that are searched
for are looked up in the index first; only when that names too many (a greeting) are calls looked at one after another, for then a page is
soon full.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, ColumnElement, ScalarSelect, Select, and_, func, literal_column, or_, select
from sqlalchemy.orm import Session

from phrasecheck.store.database import Database
from phrasecheck.store.search import indexed, said
from phrasecheck.store.states import AFFIRMED, STANDING, CallState, ReviewState
from phrasecheck.store.tables import CallRow, HitRow, ResultRow, UtteranceRow
from phrasecheck.types import Role

PAGE = 50
MANY = 5000  # utterances that sound like what is searched for: from here on every page is soon full of them
COUNTED = 10_000
_OF_RESULTS = ("phrase", "section", "review", "doubtful", "points_at_most", "unsure")
_Rows = Select[*tuple[Any, ...]]
_CURRENT = and_(ResultRow.call_id == CallRow.id, ResultRow.current)
COUNTS = or_(and_(HitRow.doubtful.is_(False), HitRow.state.in_(STANDING)), HitRow.state.in_(AFFIRMED))  # what a hit needs to be a violation
CLAIMED = select(HitRow).join(ResultRow, ResultRow.id == HitRow.result_id).where(ResultRow.current)  # what current results claim
OPEN = and_(HitRow.doubtful, HitRow.state == ReviewState.NEW)  # doubtful, and nobody has looked


class Order(StrEnum):
    """What comes first. The worst are those of the fewest points; calls without points are not among them."""

    LATEST = "latest"
    OLDEST = "oldest"
    WORST = "worst"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which calls; what is None does not matter. phrase, section, review and doubtful ask for one hit that is all of these."""

    role: Role | None = None
    team: str | None = None
    agent: str | None = None
    since: datetime | None = None  # said_at, inclusive
    until: datetime | None = None  # exclusive
    state: CallState | None = None
    phrase: str | None = None
    section: str | None = None
    review: ReviewState | None = None
    doubtful: bool | None = None  # was it doubtful when it was found?
    points_at_most: float | None = None  # after the verdicts
    unsure: bool | None = None  # is it certain who spoke?
    text: str | None = None  # was said, or something that sounds like it


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One call of a list. points to unsure are None without a result."""

    call: CallRow
    points: float | None  # after the verdicts
    machine_points: float | None  # before
    seconds: float | None
    unsure: bool | None
    violations: int  # hits that count
    doubtful: int  # hits that wait for somebody to look
    hits: int  # all of them
    fresh: int  # hits nobody has judged
    appealed: int  # hits under appeal


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

    def page(self, wanted: Filter, after: CallRow | None = None, limit: int | None = PAGE, order: Order = Order.LATEST) -> list[Line]:
        """Calls that fit, behind the call `after`; all of them when limit is None."""
        with self.database.read() as session:
            which = self._filtered(session, select(CallRow.id).outerjoin(ResultRow, _CURRENT), wanted)
            which = which.where(*_behind(session, after, order)).order_by(*_by(order)).limit(limit)
            query = (  # hits are counted for the lines of the page alone
                select(CallRow, ResultRow.judged_points, ResultRow.points, ResultRow.seconds, ResultRow.unsure, *_COUNTED)
                .outerjoin(ResultRow, _CURRENT)
                .where(CallRow.id.in_(which))
                .order_by(*_by(order))
            )
            return [Line(**dict(zip(_FIELDS, row, strict=True))) for row in session.execute(query)]

    def count(self, wanted: Filter) -> int:
        """How many calls fit; with words no more than COUNTED are counted, for every one of them would have to be read."""
        which = select(CallRow.id)
        if any(getattr(wanted, name) is not None for name in _OF_RESULTS):
            which = which.join(ResultRow, _CURRENT)
        with self.database.read() as session:
            which = self._filtered(session, which, wanted, every=True).limit(None if wanted.text is None else COUNTED)
            return session.scalar(select(func.count()).select_from(which.subquery())) or 0

    def said(self, words: str, wanted: Filter | None = None, limit: int = PAGE) -> list[Found]:
        """Utterances with these words or ones that sound like them, the very words first (unless there are very many), then the latest calls."""
        if not words.strip():
            return []
        exact = UtteranceRow.text.contains(words.strip(), autoescape=True)
        base = select(CallRow, UtteranceRow, exact).join(UtteranceRow, UtteranceRow.call_id == CallRow.id).outerjoin(ResultRow, _CURRENT)
        latest = (CallRow.said_at.desc(), CallRow.id.desc(), UtteranceRow.id)
        with self.database.read() as session:
            index = self._index(session, words)
            query = self._filtered(session, base.where(said(words)), wanted or Filter())
            query = query.order_by(*latest) if index is None else query.where(index).order_by(exact.desc(), *latest)
            rows = session.execute(query.limit(limit)).all()
        return [Found(call=c, utterance_id=u.utterance_id, start_s=u.start_s, text=u.text, exact=bool(e)) for c, u, e in rows]

    def hits(self, call_ids: Sequence[str]) -> dict[str, list[HitRow]]:
        """The moments that the current results of these calls claim, by call, in the order of the call."""
        query = CLAIMED.where(HitRow.call_id.in_(call_ids)).order_by(HitRow.call_id, HitRow.at_s, HitRow.id)
        found: dict[str, list[HitRow]] = {}
        with self.database.read() as session:
            for hit in session.scalars(query):
                found.setdefault(hit.call_id, []).append(hit)
        return found

    def names(self) -> tuple[list[str], list[str]]:
        """The teams and the agents that calls name."""
        with self.database.read() as session:
            teams, agents = (session.scalars(select(c).where(c.is_not(None)).distinct().order_by(c)) for c in (CallRow.team, CallRow.agent))
            return [team for team in teams if team], [agent for agent in agents if agent]

    def ids(self, session: Session, wanted: Filter) -> _Rows:
        """The ids of the calls that fit, as a query."""
        return self._filtered(session, select(CallRow.id).outerjoin(ResultRow, _CURRENT), wanted)

    def _filtered(self, session: Session, query: _Rows, wanted: Filter, *, every: bool = False) -> _Rows:
        query = query.where(*_of_call(wanted), *_of_hits(wanted))
        return query if wanted.text is None else query.where(self._with_words(session, wanted.text, every=every))

    def _with_words(self, session: Session, words: str, *, every: bool) -> ColumnElement[bool]:
        """Calls in which these words were said; `every`: all of them are wanted, however many."""
        index = indexed(words, sqlite=self.database.is_sqlite) if every else self._index(session, words)
        if index is None:
            return select(UtteranceRow.id).where(UtteranceRow.call_id == CallRow.id, said(words)).exists()
        return CallRow.id.in_(select(UtteranceRow.call_id).where(index, said(words)))

    def _index(self, session: Session, words: str) -> ColumnElement[bool] | None:
        """The index's candidates, if they are worth looking up."""
        index = indexed(words, sqlite=self.database.is_sqlite)
        if index is None:
            return None
        candidates = select(UtteranceRow.id).where(index).limit(MANY).subquery()
        return index if (session.scalar(select(func.count()).select_from(candidates)) or 0) < MANY else None


def _hits(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """How many of the current result's hits are so."""
    return select(func.count(HitRow.id)).where(HitRow.result_id == ResultRow.id, *conditions).correlate(ResultRow).scalar_subquery()


_COUNTED = (_hits(COUNTS), _hits(OPEN), _hits(), _hits(HitRow.state == ReviewState.NEW), _hits(HitRow.state == ReviewState.APPEALED))
_FIELDS = ("call", "points", "machine_points", "seconds", "unsure", "violations", "doubtful", "hits", "fresh", "appealed")


def _by(order: Order) -> tuple[Any, ...]:
    if order is Order.WORST:
        return ResultRow.judged_points, ResultRow.call_id
    return (CallRow.said_at, CallRow.id) if order is Order.OLDEST else (CallRow.said_at.desc(), CallRow.id.desc())


def _behind(session: Session, call: CallRow | None, order: Order) -> Iterator[ColumnElement[bool]]:
    if order is Order.WORST:
        yield ResultRow.judged_points.is_not(None)
        yield literal_column("results.current", Boolean())  # in the very words of the index
    if call is None:
        return
    if order is Order.WORST:
        points = session.scalar(select(ResultRow.judged_points).where(ResultRow.call_id == call.id, ResultRow.current))
        yield or_(ResultRow.judged_points > points, and_(ResultRow.judged_points == points, ResultRow.call_id > call.id))
    elif order is Order.OLDEST:
        yield or_(CallRow.said_at > call.said_at, and_(CallRow.said_at == call.said_at, CallRow.id > call.id))
    else:
        yield or_(CallRow.said_at < call.said_at, and_(CallRow.said_at == call.said_at, CallRow.id < call.id))


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
        yield ResultRow.judged_points <= wanted.points_at_most


def _of_hits(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    equal = (
        (HitRow.phrase_id, wanted.phrase),
        (HitRow.section, wanted.section),
        (HitRow.state, wanted.review),
        (HitRow.doubtful, wanted.doubtful),
    )
    conditions = [column == value for column, value in equal if value is not None]
    if conditions:
        yield ResultRow.id.in_(select(HitRow.result_id).where(*conditions))
