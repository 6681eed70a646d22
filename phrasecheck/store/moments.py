"""The store as a Source of reports: every judged moment of a period with its call, in two queries.

In: Wanted. Out: the facts of feedback/facts.py. The one decision: bodies of results are never opened; what reports count stands in the rows
of calls, results and hits, and the words around the few moments that are shown are read from the rows of what was said.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from phrasecheck.feedback.facts import CallFacts, Material, Moment, Spoken, Standing, Wanted
from phrasecheck.store.database import Database
from phrasecheck.store.states import STANDING, ReviewState
from phrasecheck.store.tables import CallRow, HitRow, ResultRow, UtteranceRow
from phrasecheck.types import Role, Speaker

PARAMETERS = 500  # of one IN (...); SQLite's own limit is far higher, old PostgreSQL drivers' is not
_JUDGED = {ReviewState.CONFIRMED: Standing.CONFIRMED, ReviewState.DISMISSED: Standing.CONFIRMED, ReviewState.APPEALED: Standing.APPEALED}


@dataclass(frozen=True, slots=True)
class Moments:
    """Reading for reports."""

    database: Database

    def material(self, wanted: Wanted) -> Material:
        """The checked calls that fit, by time, with the moments that their current results claim."""
        columns = (CallRow.id, CallRow.source, CallRow.agent, CallRow.team, CallRow.role, CallRow.said_at)
        calls = select(*columns, ResultRow.roles, ResultRow.points, ResultRow.lexicon).join(ResultRow, ResultRow.call_id == CallRow.id)
        found = (
            select(
                *(HitRow.id, HitRow.call_id, HitRow.utterance_id, HitRow.phrase_id, HitRow.quote, HitRow.at_s, HitRow.score),
                *(HitRow.doubtful, HitRow.state, HitRow.role, CallRow.role.label("call_role")),
            )
            .join(ResultRow, ResultRow.id == HitRow.result_id)
            .join(CallRow, CallRow.id == HitRow.call_id)
        )
        which = (ResultRow.current, *_fits(wanted))
        with self.database.read() as session:
            rows = session.execute(calls.where(*which).order_by(CallRow.said_at, CallRow.id)).all()
            hits = session.execute(found.where(*which).order_by(HitRow.id)).all()
        return Material(period=wanted.period, calls=tuple(map(_facts, rows)), moments=tuple(map(_moment, hits)))

    def spoken(self, call_ids: Iterable[str]) -> Mapping[str, Sequence[Spoken]]:
        """What was said in these calls, in order."""
        said: dict[str, list[Spoken]] = {}
        asked = list(call_ids)
        with self.database.read() as session:
            for start in range(0, len(asked), PARAMETERS):
                some = UtteranceRow.call_id.in_(asked[start : start + PARAMETERS])
                for row in session.scalars(select(UtteranceRow).where(some).order_by(UtteranceRow.id)):
                    said.setdefault(row.call_id, []).append(_spoken(row))
        return said

    def agents_lines(self, wanted: Wanted, words: Sequence[str]) -> Sequence[Spoken]:
        """What agents said in the calls that fit, as far as it holds one of the words."""
        holds = or_(*(UtteranceRow.text.contains(word, autoescape=True) for word in words))
        calls = select(CallRow.id).join(ResultRow, ResultRow.call_id == CallRow.id).where(ResultRow.current, *_fits(wanted))
        query = (  # through the calls; as a join SQLite would walk all that was ever said
            select(UtteranceRow)
            .where(UtteranceRow.call_id.in_(calls), UtteranceRow.speaker == Speaker.AGENT.value, holds)
            .order_by(UtteranceRow.id)
        )
        with self.database.read() as session:
            return [_spoken(row) for row in session.scalars(query)]

    def names(self, team: str | None = None) -> tuple[list[str], list[str]]:
        """The agents and the teams that calls name; with a team its own."""
        which = () if team is None else (CallRow.team == team,)
        with self.database.read() as session:
            agents = session.scalars(select(CallRow.agent).where(CallRow.agent.is_not(None), *which).distinct().order_by(CallRow.agent))
            teams = session.scalars(select(CallRow.team).where(CallRow.team.is_not(None), *which).distinct().order_by(CallRow.team))
            return [agent for agent in agents if agent], [team for team in teams if team]


def _fits(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield CallRow.said_at >= wanted.period.since
    yield CallRow.said_at < wanted.period.until
    if wanted.agent is not None:
        yield CallRow.agent == wanted.agent
    if wanted.team is not None:
        yield CallRow.team == wanted.team
    if wanted.role is not None:
        yield or_(CallRow.role == wanted.role, (" " + ResultRow.roles + " ").contains(f" {wanted.role.value} "))


def _facts(row: Any) -> CallFacts:
    old = (row.role,) if row.points is not None else ()  # a result stored before the roles of its cards were kept
    return CallFacts(
        id=row.id,
        source=row.source,
        agent=row.agent,
        team=row.team,
        role=row.role,
        roles=old if row.roles is None else tuple(map(Role, row.roles.split())),
        said_at=row.said_at,
        lexicon=row.lexicon,
    )


def _moment(row: Any) -> Moment:
    return Moment(
        key=str(row.id),
        call_id=row.call_id,
        utterance_id=row.utterance_id,
        phrase_id=row.phrase_id,
        quote=row.quote,
        at_s=row.at_s,
        score=row.score,
        role=row.role or row.call_role,
        standing=standing(row.doubtful, row.state),
    )


def standing(doubtful: bool, state: ReviewState) -> Standing:
    """What listing.COUNTS says in a condition, and why: a hit stands unless it was cleared, a doubtful one only once somebody affirmed it."""
    if state not in STANDING:
        return Standing.CLEARED
    if state is ReviewState.NEW:
        return Standing.OPEN if doubtful else Standing.COUNTED
    return _JUDGED[state]


def _spoken(row: UtteranceRow) -> Spoken:
    return Spoken(call_id=row.call_id, id=row.utterance_id, start_s=row.start_s, speaker=Speaker(row.speaker), text=row.text)
