"""The words of the tables: permissions, states of a call, states of a hit under review; and the two state machines, written out.

In: a state and what somebody wants to do. Out: the next state, or RefusedError. The one decision: both machines are literal tables, so that what
may happen can be read here and nowhere else. Nothing in this file knows a database.
"""

from enum import StrEnum

from phrasecheck.errors import RefusedError


class Permission(StrEnum):
    """What a user may do. One each; an administrator looks after the system and has no say in verdicts."""

    ADMIN = "admin"
    LEAD = "lead"
    INSPECTOR = "inspector"
    TRAINER = "trainer"  # reads judged hits and makes reports; has no say in verdicts
    SUPERVISOR = "supervisor"  # watches the calls of a team, live and afterwards; has no say in verdicts
    AGENT = "agent"  # his own calls, and appeals


class CallState(StrEnum):
    """Where a call stands."""

    UPLOADED = "uploaded"  # its recording is kept; it waits to be released (its metadata may follow)
    QUEUED = "queued"  # waits for a worker
    CHECKING = "checking"  # a worker has it on a lease
    DONE = "done"  # has a result
    FAILED = "failed"  # `reason` says why; may be run again


# from -> to. A lease that runs out is CHECKING -> CHECKING with another worker, or FAILED after too many tries.
CALL_MOVES: dict[CallState, frozenset[CallState]] = {
    CallState.UPLOADED: frozenset({CallState.QUEUED}),
    CallState.QUEUED: frozenset({CallState.CHECKING, CallState.FAILED}),  # FAILED: cancelled
    CallState.CHECKING: frozenset({CallState.CHECKING, CallState.DONE, CallState.FAILED, CallState.QUEUED}),
    CallState.DONE: frozenset({CallState.QUEUED}),
    CallState.FAILED: frozenset({CallState.QUEUED}),
}


class ReviewState(StrEnum):
    """What people have made of a hit."""

    NEW = "new"  # nobody has looked
    CONFIRMED = "confirmed"  # an inspector agrees
    REJECTED = "rejected"  # an inspector does not: counts for nothing
    APPEALED = "appealed"  # the agent objects; stands until judged
    UPHELD = "upheld"  # the appeal was right: counts for nothing, for good
    DISMISSED = "dismissed"  # the appeal was not: stands, for good


class Verb(StrEnum):
    """What a person does to a hit."""

    CONFIRM = "confirm"
    REJECT = "reject"
    APPEAL = "appeal"
    UPHOLD = "uphold"
    DISMISS = "dismiss"


class RejectReason(StrEnum):
    """Why a hit was rejected: few enough to be counted per phrase."""

    MISHEARD = "misheard"  # the recogniser wrote what was not said
    SPEAKER = "speaker"  # not the agent's words
    QUOTED = "quoted"  # told or read out, not meant
    TONE = "tone"  # said, and no offence in it
    OTHER = "other"  # the comment says


_JUDGES = frozenset({Permission.INSPECTOR, Permission.LEAD})
_AGENT = frozenset({Permission.AGENT})
_LEAD = frozenset({Permission.LEAD})

# (from, verb) -> (to, who may). What is not here is refused; upheld and dismissed lead nowhere: the lead's judgement is final.
REVIEW_MOVES: dict[tuple[ReviewState, Verb], tuple[ReviewState, frozenset[Permission]]] = {
    (ReviewState.NEW, Verb.CONFIRM): (ReviewState.CONFIRMED, _JUDGES),
    (ReviewState.NEW, Verb.REJECT): (ReviewState.REJECTED, _JUDGES),
    (ReviewState.CONFIRMED, Verb.REJECT): (ReviewState.REJECTED, _JUDGES),  # second thoughts are another row, the first stays
    (ReviewState.REJECTED, Verb.CONFIRM): (ReviewState.CONFIRMED, _JUDGES),
    (ReviewState.NEW, Verb.APPEAL): (ReviewState.APPEALED, _AGENT),  # an unseen hit counts already
    (ReviewState.CONFIRMED, Verb.APPEAL): (ReviewState.APPEALED, _AGENT),
    (ReviewState.APPEALED, Verb.UPHOLD): (ReviewState.UPHELD, _LEAD),
    (ReviewState.APPEALED, Verb.DISMISS): (ReviewState.DISMISSED, _LEAD),
}
STANDING = frozenset({ReviewState.NEW, ReviewState.CONFIRMED, ReviewState.APPEALED, ReviewState.DISMISSED})
AFFIRMED = frozenset({ReviewState.CONFIRMED, ReviewState.APPEALED, ReviewState.DISMISSED})  # a doubtful hit counts in these only


def ruling(state: ReviewState) -> bool | None:
    """What people have said of a hit: it is one, it is none, or nothing yet."""
    return None if state is ReviewState.NEW else state in STANDING


def next_call(state: CallState, wanted: CallState) -> CallState:
    """`wanted`, if a call may go there from `state`. Raises RefusedError."""
    if wanted not in CALL_MOVES[state]:
        possible = "、".join(sorted(CALL_MOVES[state]))
        raise RefusedError(f"通话现在是 {state}，只能变为 {possible}，不能变为 {wanted}：请刷新后再看")
    return wanted


def next_review(state: ReviewState, verb: Verb, permission: Permission) -> ReviewState:
    """The state of a hit after somebody with `permission` did `verb`. Raises RefusedError, saying what is possible."""
    to, who = REVIEW_MOVES.get((state, verb), (state, frozenset()))
    if not who:
        possible = "、".join(v for s, v in REVIEW_MOVES if s is state) or "无（已是最终结论）"
        raise RefusedError(f"这处命中现在是 {state}，可做的是 {possible}，不能 {verb}：可能已被他人处理，请刷新后再看")
    if permission not in who:
        raise RefusedError(f"{verb} 需要 {'、'.join(sorted(who))} 权限，您是 {permission}：请联系有权限的人")
    return to
