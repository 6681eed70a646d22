"""The dashboard's numbers, counted by the database.

In: a stretch of time, and whose calls. Out: shares and counts. The one decision: nothing is loaded to be counted; calls are grouped by role, team
and week in one query and hits by phrase in another, so that a hundred thousand calls cost two walks along an index.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, distinct, extract, func, select

from phrasecheck.store.database import Database
from phrasecheck.store.listing import COUNTS
from phrasecheck.store.states import CallState, ReviewState
from phrasecheck.store.tables import CallRow, HitRow, ResultRow

MOST = 10
WEEK_S = 7 * 86_400
MONDAY_S = 4 * 86_400  # 1 January 1970 was a Thursday, the first Monday the 5th
WAITING = (CallState.UPLOADED, CallState.QUEUED, CallState.CHECKING)
AGREED = (ReviewState.CONFIRMED, ReviewState.APPEALED, ReviewState.DISMISSED)
REFUSED = (ReviewState.REJECTED, ReviewState.UPHELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Whose calls, and when: `since` inclusive, `until` exclusive, days by a clock `utc_offset` hours ahead of UTC."""

    since: datetime
    until: datetime
    team: str | None = None
    agent: str | None = None
    utc_offset: float = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Of so many calls so many with a violation. `key` is a role, a team, a section, or the Monday of a week (ISO)."""

    key: str
    calls: int
    violated: int

    @property
    def share(self) -> float:
        """0..1"""
        return self.violated / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """What became of a phrase: `counting` hits are violations, in `calls` calls; of all its hits so many were agreed with, refused, or not looked at yet."""

    phrase_id: str
    counting: int
    calls: int
    agreed: int
    refused: int
    upheld: int  # of those refused the ones whose agent had appealed
    unseen: int

    @property
    def judged(self) -> int:
        """Hits that somebody decided."""
        return self.agreed + self.refused

    @property
    def refused_share(self) -> float:
        """Of the judged ones, 0..1: near 1 the phrase is noise."""
        return self.refused / self.judged if self.judged else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The dashboard."""

    calls: int
    violated: int
    roles: Sequence[Share]
    teams: Sequence[Share]
    sections: Sequence[Share]
    weeks: Sequence[Share]  # every week of the stretch
    phrases: Sequence[Phrase]  # all that were hit, the most frequent first

    @property
    def frequent(self) -> Sequence[Phrase]:
        """The ten most frequent violations."""
        return [phrase for phrase in self.phrases if phrase.counting][:MOST]

    @property
    def noisy(self) -> Sequence[Phrase]:
        """Those that people judged, the most refused first."""
        return sorted((p for p in self.phrases if p.judged), key=lambda p: (-p.refused_share, -p.refused, p.phrase_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What lies about now: calls to be checked and calls that failed, hits nobody has looked at (doubtful ones apart), appeals."""

    calls: int
    failed: int
    hits: int
    doubtful: int
    appeals: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Counting over all calls."""

    database: Database

    def overview(self, stretch: Stretch) -> Overview:
        """All of the dashboard's shares and counts."""
        with self.database.read() as session:
            groups = session.execute(_groups(stretch)).all()
            sections = session.execute(_sections(stretch)).all()
            phrases = session.execute(_phrases(stretch)).all()
        calls = sum(number for *_, number, _ in groups)
        return Overview(
            calls=calls,
            violated=sum(violated for *_, violated in groups),
            roles=_by((role.value, number, violated) for role, _, _, number, violated in groups),
            teams=_by((team or "", number, violated) for _, team, _, number, violated in groups),
            sections=[Share(key=section, calls=calls, violated=violated) for section, violated in sections],
            weeks=_weeks(stretch, ((week, number, violated) for _, _, week, number, violated in groups)),
            phrases=[
                Phrase(phrase_id=phrase, counting=counting, calls=within, agreed=agreed, refused=refused, upheld=upheld, unseen=unseen)
                for phrase, counting, within, agreed, refused, upheld, unseen in phrases
            ],
        )

    def waiting(self, team: str | None = None, agent: str | None = None) -> Waiting:
        """Now, whatever the stretch."""
        mine = _whose(team, agent)
        with self.database.read() as session:
            shown = CallRow.state.in_((*WAITING, CallState.FAILED))
            states = session.execute(select(CallRow.state, func.count()).where(shown, *mine).group_by(CallRow.state)).all()
            calls = {row[0]: row[1] for row in states}
            reviews = session.execute(_open(mine)).all()
        hits = {(state, doubtful): number for state, doubtful, number in reviews}
        return Waiting(
            calls=sum(calls.get(state, 0) for state in WAITING),
            failed=calls.get(CallState.FAILED, 0),
            hits=hits.get((ReviewState.NEW, False), 0),
            doubtful=hits.get((ReviewState.NEW, True), 0),
            appeals=sum(number for (state, _), number in hits.items() if state is ReviewState.APPEALED),
        )

    def caught(self, since: datetime) -> dict[str, int]:
        """How many hits of each phrase count in calls since then."""
        query = (
            select(HitRow.phrase_id, func.count())
            .join(ResultRow, and_(ResultRow.id == HitRow.result_id, ResultRow.current))
            .join(CallRow, CallRow.id == HitRow.call_id)
            .where(CallRow.said_at >= since, COUNTS)
            .group_by(HitRow.phrase_id)
        )
        with self.database.read() as session:
            return {row[0]: row[1] for row in session.execute(query)}

    def teams(self) -> list[str]:
        """All that calls were filed under, by name."""
        with self.database.read() as session:
            return [team for team in session.scalars(select(CallRow.team).distinct().order_by(CallRow.team)) if team]


def _whose(team: str | None, agent: str | None) -> list[ColumnElement[bool]]:
    return [column == value for column, value in ((CallRow.team, team), (CallRow.agent, agent)) if value is not None]


def _within(stretch: Stretch) -> list[ColumnElement[bool]]:
    return [CallRow.said_at >= stretch.since, CallRow.said_at < stretch.until, *_whose(stretch.team, stretch.agent)]


def _groups(stretch: Stretch) -> Select[*tuple[Any, ...]]:
    """role, team, week, calls with a result, of them those with a violation."""
    shift = round(stretch.utc_offset * 3600) - MONDAY_S
    week = ((cast(extract("epoch", CallRow.said_at), BigInteger) + shift) // WEEK_S).label("week")
    violated = select(HitRow.id).where(HitRow.result_id == ResultRow.id, COUNTS).correlate(ResultRow).exists()
    return (
        select(CallRow.role, CallRow.team, week, func.count(), func.sum(case((violated, 1), else_=0)))
        .join(ResultRow, and_(ResultRow.call_id == CallRow.id, ResultRow.current))
        .where(*_within(stretch))
        .group_by(CallRow.role, CallRow.team, week)
    )


def _hits_of(stretch: Stretch, *columns: Any) -> Select[*tuple[Any, ...]]:
    """Through the calls of the stretch to their hits. As a join SQLite would begin with all hits there are, and walk a year for a week's sake."""
    results = select(ResultRow.id).join(CallRow, and_(ResultRow.call_id == CallRow.id, ResultRow.current)).where(*_within(stretch))
    return select(*columns).where(HitRow.result_id.in_(results))


def _sections(stretch: Stretch) -> Select[*tuple[Any, ...]]:
    """section, calls with a violation of it."""
    calls = func.count(distinct(case((COUNTS, HitRow.call_id))))
    return _hits_of(stretch, HitRow.section, calls).group_by(HitRow.section).having(calls > 0).order_by(HitRow.section)


def _phrases(stretch: Stretch) -> Select[*tuple[Any, ...]]:
    """phrase, hits that count, calls with such a hit, agreed, refused, upheld, unseen; the most frequent first."""
    counting = func.sum(case((COUNTS, 1), else_=0))
    calls = func.count(distinct(case((COUNTS, HitRow.call_id))))
    states = (AGREED, REFUSED, (ReviewState.UPHELD,), (ReviewState.NEW,))
    columns = (HitRow.phrase_id, counting, calls, *(_so_many(some) for some in states))
    return _hits_of(stretch, *columns).group_by(HitRow.phrase_id).order_by(counting.desc(), HitRow.phrase_id)


def _so_many(states: Iterable[ReviewState]) -> ColumnElement[int]:
    return func.sum(case((HitRow.state.in_(list(states)), 1), else_=0))


def _open(mine: list[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    """Hits of current results that wait for somebody: state, doubtful, how many."""
    query = (
        select(HitRow.state, HitRow.doubtful, func.count())
        .join(ResultRow, and_(ResultRow.id == HitRow.result_id, ResultRow.current))
        .where(HitRow.state.in_([ReviewState.NEW, ReviewState.APPEALED]))
        .group_by(HitRow.state, HitRow.doubtful)
    )
    return query.join(CallRow, CallRow.id == HitRow.call_id).where(*mine) if mine else query


def _by(rows: Iterable[tuple[str, int, int]]) -> list[Share]:
    """Summed by key, the highest share first."""
    calls, violated = Counter[str](), Counter[str]()
    for key, number, bad in rows:
        calls[key] += number
        violated[key] += bad
    shares = [Share(key=key, calls=calls[key], violated=violated[key]) for key in calls]
    return sorted(shares, key=lambda one: (-one.share, one.key))


def _weeks(stretch: Stretch, rows: Iterable[tuple[int, int, int]]) -> list[Share]:
    """Every week of the stretch, in order."""
    zone = timezone(timedelta(hours=stretch.utc_offset))
    known = {share.key: share for share in _by((_monday(week), number, bad) for week, number, bad in rows)}
    day, last = stretch.since.astimezone(zone).date(), (stretch.until - timedelta(microseconds=1)).astimezone(zone).date()
    day -= timedelta(days=day.weekday())
    keys = [(day + timedelta(weeks=number)).isoformat() for number in range((last - day).days // 7 + 1)]
    return [known.get(key) or Share(key=key, calls=0, violated=0) for key in keys]


def _monday(week: int) -> str:
    return (datetime(1970, 1, 5) + timedelta(weeks=int(week))).date().isoformat()
