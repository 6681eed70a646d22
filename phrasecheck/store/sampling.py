"""Sampling: calls drawn by a rule, shared out to inspectors; their queues; second opinions and what they show.

In: a Rule, inspectors, a seed. Out: assignments. The one decision: a call is drawn once for all, so nobody gets it twice and no two draws overlap; a second
opinion is a row of its own (OpinionRow) that changes nothing about the hit, and who gives it is shown nothing of what others said.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from phrasecheck.errors import InputError, NotFoundError, RefusedError
from phrasecheck.store.audit import Audit
from phrasecheck.store.database import Database
from phrasecheck.store.draws import Agreement, Candidate, agreement, per_agent, percentage, ranked, shared_out, some
from phrasecheck.store.listing import CLAIMED, COUNTS, OPEN
from phrasecheck.store.states import CallState, Permission, ReviewState, Verb
from phrasecheck.store.tables import AssignmentRow, CallRow, HitRow, Listened, OpinionRow, ResultRow, ReviewRow, SampleRow, UserRow
from phrasecheck.types import Role

INSPECT = frozenset({Permission.INSPECTOR, Permission.LEAD})


class RuleKind(StrEnum):
    """Which calls are drawn."""

    PERCENT = "percent"  # so many of a hundred
    PER_AGENT = "per_agent"  # so many of each agent
    FATAL = "fatal"  # all with a fatal phrase that stands
    DOUBTFUL = "doubtful"  # all with a doubtful hit that nobody has judged
    CLEAN = "clean"  # so many of those in which nothing was found: what does the machine miss?


COUNTED = frozenset({RuleKind.PERCENT, RuleKind.PER_AGENT, RuleKind.CLEAN})  # these need an amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is drawn of which calls. `amount`: percent or calls; without meaning where all are drawn. `double`: percent that get a second opinion."""

    kind: RuleKind
    amount: float = 0
    double: float = 0
    since: datetime | None = None  # said_at, inclusive
    until: datetime | None = None  # exclusive
    role: Role | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A draw and how far its calls have been listened to."""

    sample: SampleRow
    rule: Rule
    author: str
    calls: int
    assigned: int
    done: int
    missed: int  # calls in which an inspector heard what the machine did not


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A call in somebody's queue."""

    assignment: AssignmentRow
    call: CallRow
    waiting: int  # hits that nobody has judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One hit that two inspectors judged by themselves: True is a violation."""

    hit: HitRow
    first: int
    second: int
    verdicts: tuple[bool, bool]
    comment: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """Draws, assignments, opinions."""

    database: Database
    audit: Audit

    # --- drawing ---------------------------------------------------------------------------------------------------------------

    def preview(self, rule: Rule, fatal: Collection[str], seed: str) -> tuple[int, list[str]]:
        """How many calls fit, and those that this seed would draw now. Raises InputError."""
        _check(rule)
        with self.database.read() as session:
            found = _candidates(session, rule, fatal)
        return len(found), [candidate.call_id for candidate in _drawn(rule, found, seed)]

    def draw(self, rule: Rule, inspectors: Collection[int], fatal: Collection[str], seed: str, author: UserRow) -> SampleRow:
        """Draw and share out. Raises InputError (rule, inspectors), RefusedError when nothing fits."""
        _check(rule)
        with self.database.write() as session:
            self.database.alone(session, "sampling")
            loads = _loads(session, inspectors)
            found = _candidates(session, rule, fatal)
            shares = shared_out(_drawn(rule, found, seed), loads, rule.double, seed)
            if not shares:
                raise RefusedError("没有可抽的通话：符合条件的通话为 0，或都已抽过，请放宽条件")
            row = SampleRow(rule=_RULE.dump_python(rule, mode="json", exclude_none=True), seed=seed, candidates=len(found))
            row.author_id, row.made_at = author.id, self.database.now()
            session.add(row)
            session.flush()
            session.add_all(AssignmentRow(sample_id=row.id, call_id=s.call_id, user_id=s.user_id, blind=s.blind) for s in shares)
            self.audit.add(session, author.name, "sample.draw", f"sample:{row.id}", rule=row.rule, seed=seed, calls=len(shares))
            return row

    def samples(self, limit: int = 50) -> list[Drawn]:
        """The latest draws."""
        missed = AssignmentRow.outcome == Listened.MISSED
        query = (
            select(
                SampleRow,
                UserRow.name,
                func.count(AssignmentRow.call_id.distinct()),
                func.count(AssignmentRow.id),
                func.count(AssignmentRow.done_at),
                func.count(AssignmentRow.id).filter(missed),
            )
            .join(UserRow, UserRow.id == SampleRow.author_id)
            .outerjoin(AssignmentRow, AssignmentRow.sample_id == SampleRow.id)
            .group_by(SampleRow.id, UserRow.name)
            .order_by(SampleRow.id.desc())
            .limit(limit)
        )
        with self.database.read() as session:
            rows = session.execute(query).all()
        return [
            Drawn(sample=row, rule=_RULE.validate_python(row.rule), author=author, calls=calls, assigned=assigned, done=done, missed=missed)
            for row, author, calls, assigned, done, missed in rows
        ]

    def inspectors(self) -> list[tuple[UserRow, int]]:
        """Who may be given calls, with the number of those that wait for them."""
        with self.database.read() as session:
            users = list(session.scalars(select(UserRow).where(*_may_inspect()).order_by(UserRow.permission, UserRow.name)))
            loads = _open(session)
        return [(user, loads.get(user.id, 0)) for user in users]

    def hand_over(self, from_id: int, to: Collection[int], actor: str) -> int:
        """The open calls of somebody who is away, shared out to the others; a call that one of them has already goes to another. How many went."""
        with self.database.write() as session:
            self.database.alone(session, "sampling")
            loads = _loads(session, {user for user in to if user != from_id})
            rows = session.scalars(_of(from_id).order_by(AssignmentRow.id)).all()
            moved = sum(_moved(session, row, loads) for row in rows)
            self.audit.add(session, actor, "sample.hand_over", f"user:{from_id}", calls=moved, to=sorted(loads))
            return moved

    # --- the queue -------------------------------------------------------------------------------------------------------------

    def queue(self, user_id: int) -> list[Task]:
        """What waits for somebody, in the order it was drawn."""
        waiting = (
            select(func.count(HitRow.id))
            .join(ResultRow, ResultRow.id == HitRow.result_id)
            .where(HitRow.call_id == AssignmentRow.call_id, ResultRow.current, HitRow.state == ReviewState.NEW)
            .correlate(AssignmentRow)
            .scalar_subquery()
        )
        query = select(AssignmentRow, CallRow, waiting).join(CallRow, CallRow.id == AssignmentRow.call_id)
        query = query.where(AssignmentRow.user_id == user_id, AssignmentRow.done_at.is_(None)).order_by(AssignmentRow.id)
        with self.database.read() as session:
            return [Task(assignment=row, call=call, waiting=number) for row, call, number in session.execute(query)]

    def finished(self, user_id: int, since: datetime) -> int:
        """How many calls somebody has done since."""
        query = select(func.count(AssignmentRow.id)).where(AssignmentRow.user_id == user_id, AssignmentRow.done_at >= since)
        with self.database.read() as session:
            return session.scalar(query) or 0

    def assignment(self, assignment_id: int, user_id: int) -> AssignmentRow:
        """One's own. Raises NotFoundError, also for somebody else's."""
        with self.database.read() as session:
            return _own(session, assignment_id, user_id)

    def hits(self, call_id: str) -> list[HitRow]:
        """What the current result claims in a call, in its order."""
        with self.database.read() as session:
            return list(session.scalars(CLAIMED.where(HitRow.call_id == call_id).order_by(HitRow.at_s, HitRow.id)))

    def opinions(self, call_id: str, user_id: int) -> dict[int, OpinionRow]:
        """One's own opinions on a call's hits, by hit."""
        query = (
            select(OpinionRow).join(HitRow, HitRow.id == OpinionRow.hit_id).where(HitRow.call_id == call_id, OpinionRow.user_id == user_id)
        )
        with self.database.read() as session:
            return {row.hit_id: row for row in session.scalars(query)}

    def opine(self, assignment_id: int, user: UserRow, hit_id: int, violation: bool, comment: str = "") -> OpinionRow:
        """A second opinion; until the call is done it may be changed. Raises NotFoundError, RefusedError."""
        with self.database.write() as session:
            row = _own(session, assignment_id, user.id, lock=True)
            hit = session.get(HitRow, hit_id)
            if hit is None or hit.call_id != row.call_id:
                raise NotFoundError(f"这通电话里没有命中 {hit_id}：请刷新后再看")
            if not row.blind or row.done_at is not None:
                raise RefusedError("只有未完成的复评才能发表意见：请回到「我的队列」")
            same = select(OpinionRow).where(OpinionRow.hit_id == hit_id, OpinionRow.user_id == user.id)
            said = session.scalar(same) or OpinionRow(hit_id=hit_id, user_id=user.id)
            said.violation, said.comment, said.at = violation, comment.strip(), self.database.now()
            session.add(said)
            self.audit.add(session, user.name, "hit.opinion", f"call:{row.call_id}", hit=hit_id)
            return said

    def finish(self, assignment_id: int, user: UserRow, outcome: Listened, comment: str = "") -> None:
        """The call has been listened to. Raises InputError, NotFoundError, RefusedError while hits wait for this inspector."""
        if outcome is Listened.MISSED and not comment.strip():
            raise InputError("听出了漏检，请写明在几分几秒、说了什么")
        with self.database.write() as session:
            row = _own(session, assignment_id, user.id, lock=True)
            if left := _left(session, row):
                raise RefusedError(f"还有 {left} 处命中没有判断：请先逐处判断，再完成这一通")
            row.done_at, row.outcome, row.comment = self.database.now(), outcome, comment.strip()
            self.audit.add(session, user.name, "sample.done", f"call:{row.call_id}", outcome=outcome)

    # --- agreement -------------------------------------------------------------------------------------------------------------

    def judged_twice(self, since: datetime | None = None) -> list[Judged]:
        """Hits of double-checked calls on which both have said something, the latest first."""
        first, second = _assigned(blind=False), _assigned(blind=True)
        query = (
            select(HitRow, first.c.user_id, second.c.user_id, _last_verdict(first.c.user_id), OpinionRow.violation, OpinionRow.comment)
            .join(OpinionRow, OpinionRow.hit_id == HitRow.id)
            .join(second, and_(second.c.call_id == HitRow.call_id, second.c.user_id == OpinionRow.user_id))
            .join(first, and_(first.c.call_id == HitRow.call_id, first.c.sample_id == second.c.sample_id))
            .where(*([OpinionRow.at >= since] if since else []))
            .order_by(OpinionRow.id.desc())
        )
        with self.database.read() as session:
            rows = session.execute(query).all()
        return [
            Judged(hit=hit, first=a, second=b, verdicts=(verb is Verb.CONFIRM, opinion), comment=comment)
            for hit, a, b, verb, opinion, comment in rows
            if verb is not None
        ]


def by_pair(judged: Sequence[Judged]) -> dict[tuple[int, int], Agreement]:
    """Agreement of every two people, whoever of them was asked first."""
    pairs: dict[tuple[int, int], list[tuple[bool, bool]]] = {}
    for item in judged:
        (one, said), (other, replied) = sorted(zip((item.first, item.second), item.verdicts, strict=True))
        pairs.setdefault((one, other), []).append((said, replied))
    return {pair: agreement(verdicts) for pair, verdicts in pairs.items()}


# --- rules --------------------------------------------------------------------------------------------------------------------------

_RULE = TypeAdapter(Rule)


def _check(rule: Rule) -> None:
    if rule.kind is RuleKind.PERCENT and not 0 < rule.amount <= 100:
        raise InputError(f"抽取比例应在 0 到 100 之间，收到 {rule.amount:g}：请改后再抽")
    if rule.kind in COUNTED and rule.amount <= 0:
        raise InputError(f"抽取数量应大于 0，收到 {rule.amount:g}：请改后再抽")
    if not 0 <= rule.double <= 100:
        raise InputError(f"复评比例应在 0 到 100 之间，收到 {rule.double:g}：请改后再抽")


def _drawn(rule: Rule, found: Sequence[Candidate], seed: str) -> list[Candidate]:
    match rule.kind:
        case RuleKind.PERCENT:
            return percentage(found, rule.amount, seed)
        case RuleKind.PER_AGENT:
            return per_agent(found, rule.amount, seed)
        case RuleKind.CLEAN:
            return some(found, rule.amount, seed)
        case _:
            return ranked(found, seed)


def _candidates(session: Session, rule: Rule, fatal: Collection[str]) -> list[Candidate]:
    """Checked calls that fit and that were never drawn."""
    drawn = select(AssignmentRow.id).where(AssignmentRow.call_id == CallRow.id).exists()
    query = select(CallRow.id, CallRow.agent).join(ResultRow, and_(ResultRow.call_id == CallRow.id, ResultRow.current))
    query = query.where(CallRow.state == CallState.DONE, ~drawn, *_fits(rule, fatal))
    return [Candidate(call_id=call_id, agent=agent) for call_id, agent in session.execute(query.order_by(CallRow.id))]


def _fits(rule: Rule, fatal: Collection[str]) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if rule.since is not None:
        wanted.append(CallRow.said_at >= rule.since)
    if rule.until is not None:
        wanted.append(CallRow.said_at < rule.until)
    wanted += [column == value for column, value in ((CallRow.role, rule.role), (CallRow.team, rule.team)) if value is not None]
    match rule.kind:
        case RuleKind.FATAL:
            wanted.append(_with(COUNTS, HitRow.phrase_id.in_(fatal)))
        case RuleKind.DOUBTFUL:
            wanted.append(_with(OPEN))
        case RuleKind.CLEAN:
            wanted.append(~_with(or_(COUNTS, OPEN)))
    return wanted


def _with(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(HitRow.id).where(HitRow.result_id == ResultRow.id, *conditions).correlate(ResultRow).exists()


# --- people -------------------------------------------------------------------------------------------------------------------------


def _may_inspect() -> tuple[ColumnElement[bool], ...]:
    return UserRow.permission.in_(INSPECT), UserRow.closed_at.is_(None)


def _open(session: Session) -> Mapping[int, int]:
    query = select(AssignmentRow.user_id, func.count()).where(AssignmentRow.done_at.is_(None)).group_by(AssignmentRow.user_id)
    return dict(session.execute(query).all())


def _loads(session: Session, inspectors: Collection[int]) -> dict[int, int]:
    """The open calls of these inspectors. Raises InputError."""
    able = set(session.scalars(select(UserRow.id).where(UserRow.id.in_(inspectors), *_may_inspect())))
    if not able or able != set(inspectors):
        raise InputError("请至少选一位在岗的质检员，且所选的人都应有质检权限：请刷新后再选")
    loads = _open(session)
    return {user: loads.get(user, 0) for user in sorted(able)}


def _of(user_id: int) -> Select[AssignmentRow]:
    return select(AssignmentRow).where(AssignmentRow.user_id == user_id, AssignmentRow.done_at.is_(None))


def _moved(session: Session, row: AssignmentRow, loads: dict[int, int]) -> bool:
    taken = set(session.scalars(select(AssignmentRow.user_id).where(AssignmentRow.call_id == row.call_id)))
    free = [user for user in loads if user not in taken]
    if not free:
        return False
    row.user_id = min(free, key=lambda user: (loads[user], user))
    loads[row.user_id] += 1
    session.flush()
    return True


# --- rows ---------------------------------------------------------------------------------------------------------------------------


def _own(session: Session, assignment_id: int, user_id: int, *, lock: bool = False) -> AssignmentRow:
    row = session.get(AssignmentRow, assignment_id, with_for_update=lock or None)
    if row is None or row.user_id != user_id:
        raise NotFoundError(f"您的队列里没有任务 {assignment_id}：可能已转给别人，请回到「我的队列」")
    return row


def _left(session: Session, row: AssignmentRow) -> int:
    """Hits that this inspector has still to judge."""
    said = select(OpinionRow.id).where(OpinionRow.hit_id == HitRow.id, OpinionRow.user_id == row.user_id).exists()
    open_ = ~said if row.blind else HitRow.state == ReviewState.NEW
    query = select(func.count(HitRow.id)).join(ResultRow, ResultRow.id == HitRow.result_id)
    return session.scalar(query.where(HitRow.call_id == row.call_id, ResultRow.current, open_)) or 0


def _assigned(*, blind: bool) -> Any:
    columns = (AssignmentRow.call_id, AssignmentRow.user_id, AssignmentRow.sample_id)
    return select(*columns).where(AssignmentRow.blind.is_(blind)).subquery("second" if blind else "first")


def _last_verdict(user_id: ColumnElement[int]) -> Any:
    """What somebody last said of a hit, appeals apart."""
    verbs = (Verb.CONFIRM, Verb.REJECT)
    return (
        select(ReviewRow.verb)
        .where(ReviewRow.hit_id == HitRow.id, ReviewRow.user_id == user_id, ReviewRow.verb.in_(verbs))
        .order_by(ReviewRow.id.desc())
        .limit(1)
        .correlate(HitRow)
        .scalar_subquery()
    )
