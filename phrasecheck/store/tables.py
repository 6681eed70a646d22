"""The tables. One class a table; rows are handed out detached and are to be read, not changed: changing goes through the Store's verbs.

Times are UTC. No relationships are declared, so that no attribute can send a query of its own: what is needed is joined where it is asked for.
"""

import enum
import json
import zlib
from datetime import UTC, date, datetime
from typing import Annotated, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from phrasecheck.store.states import CallState, Permission, RejectReason, ReviewState, Verb
from phrasecheck.types import Role


class Utc(TypeDecorator[datetime]):
    """An aware UTC time; SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses naive times: they are wrong by eight hours in China."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value}")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """PostgreSQL answers in the connection's zone, SQLite in none."""
        return value and (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC))


class Packed(TypeDecorator[dict[str, Any]]):
    """A JSON object, compressed: a result with its words is ten times smaller so, and no query looks into it."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> bytes | None:
        """To bytes."""
        return None if value is None else zlib.compress(json.dumps(value, ensure_ascii=False).encode())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> dict[str, Any] | None:
        """And back."""
        return None if value is None else json.loads(zlib.decompress(value))


def _values(kind: type[enum.Enum]) -> list[str]:
    return [member.value for member in kind]


NAMING = {  # constraints need names to be changed by later migrations
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What all tables share: enums are stored as their values, times as UTC."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own protocol
        int: BigInteger().with_variant(
            Integer(), "sqlite"
        ),  # a busy insurer has more than 2**31 utterances; SQLite's are 64 bits wide anyway
        datetime: Utc(),
        dict[str, Any]: JSON(),
        enum.Enum: Enum(enum.Enum, native_enum=False, length=32, values_callable=_values),
    }


Base.metadata.naming_convention = NAMING

Key = Annotated[int, mapped_column(primary_key=True)]
CallKey = Annotated[str, mapped_column(ForeignKey("calls.id", ondelete="CASCADE"))]


class UserRow(Base):
    """An account. Accounts are closed, never deleted: the history names them. `agent` is the staff number under which calls are filed."""

    __tablename__ = "users"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(100), unique=True)
    permission: Mapped[Permission]
    team: Mapped[str | None] = mapped_column(String(100))
    agent: Mapped[str | None] = mapped_column(String(100))
    password: Mapped[str | None]  # argon2; None until the invitation is taken up
    failures: Mapped[int] = mapped_column(default=0)  # wrong passwords in a row
    locked_until: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class TokenKind(enum.StrEnum):
    """What a secret string is good for."""

    SESSION = "session"
    API = "api"
    INVITATION = "invitation"  # sets a password, once


class TokenRow(Base):
    """A secret that was handed out, by its SHA-256: who reads this table can sign in as nobody."""

    __tablename__ = "tokens"

    id: Mapped[Key]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[TokenKind]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)  # None: invites the first administrator
    name: Mapped[str] = mapped_column(String(100), default="")
    scopes: Mapped[str] = mapped_column(default="")  # separated by spaces, as in OAuth
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # used up or revoked


class CallRow(Base):
    """One recording, what is known about it, and where its checking stands."""

    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_work", "state", "uploaded_at"),
        Index("ix_calls_list", "said_at", "id"),
        Index("ix_calls_agent", "agent", "said_at", "id"),
        Index("ix_calls_team", "team", "said_at", "id"),
        Index("ix_calls_held", "said_at", sqlite_where=text("hold"), postgresql_where=text("hold")),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    source: Mapped[str]  # the file's name as the user has it
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    recording: Mapped[str] = mapped_column(String(100), index=True)  # key in the Recordings
    role: Mapped[Role]  # it is scored as this
    role_stated: Mapped[bool] = mapped_column(default=True)  # False: nobody said which; its words are judged as anybody's
    agent: Mapped[str | None] = mapped_column(String(100))
    team: Mapped[str | None] = mapped_column(String(100))
    agent_channel: Mapped[str] = mapped_column(String(8), default="auto")
    direction: Mapped[str | None] = mapped_column(String(16))
    said_at: Mapped[datetime]  # when the call took place; when it was uploaded, if nobody says
    extra: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what else the metadata table says
    idempotency_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    uploaded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    uploaded_at: Mapped[datetime]
    state: Mapped[CallState]
    reason: Mapped[str | None]  # of the last failure; the user reads it
    tries: Mapped[int] = mapped_column(default=0)  # claims since it was last queued by a person
    lease: Mapped[str | None] = mapped_column(String(32))  # the worker's proof that the call is still its own
    lease_until: Mapped[datetime | None]
    keep_until: Mapped[datetime | None] = mapped_column(index=True)  # None: for ever
    hold: Mapped[bool] = mapped_column(default=False)  # legal hold: not to be deleted, whatever keep_until says


class ResultRow(Base):
    """What one lexicon, settings and models made of a call. The current one is shown, the others are kept for comparison."""

    __tablename__ = "results"
    __table_args__ = (
        UniqueConstraint("call_id", "version"),
        Index("uq_results_current", "call_id", unique=True, sqlite_where=text("current"), postgresql_where=text("current")),
        Index("ix_results_made_at", "made_at"),
        Index("ix_results_worst", "judged_points", "call_id", sqlite_where=text("current"), postgresql_where=text("current")),
    )

    id: Mapped[Key]
    call_id: Mapped[CallKey]
    version: Mapped[str] = mapped_column(String(64))  # results.version_of
    current: Mapped[bool]
    lexicon: Mapped[str]
    points: Mapped[float | None]  # of the worst scorecard, as the machine found it; None when nobody is known to be the agent
    judged_points: Mapped[float | None]  # the same after the verdicts (scoring.judged)
    seconds: Mapped[float]
    unsure: Mapped[bool]  # it is not certain who spoke
    roles: Mapped[str | None]  # of the scorecards, separated by spaces; None: stored before this was kept
    body: Mapped[dict[str, Any]] = mapped_column(Packed, deferred=True)  # report/json.to_json
    made_at: Mapped[datetime]


class HitRow(Base):
    """A moment to be judged. The claims that results make about it come and go (their bodies keep them); the moment and its reviews stay.

    `state` repeats the last review's, for filters; nothing else here is ever changed by a person.
    """

    __tablename__ = "hits"
    __table_args__ = (UniqueConstraint("call_id", "utterance_id", "phrase_id", "quote"),)

    id: Mapped[Key]
    call_id: Mapped[CallKey]
    result_id: Mapped[int] = mapped_column(ForeignKey("results.id", ondelete="CASCADE"), index=True)  # the last that claims it
    utterance_id: Mapped[str] = mapped_column(String(32))
    phrase_id: Mapped[str] = mapped_column(String(64), index=True)
    section: Mapped[str] = mapped_column(String(64), index=True)
    quote: Mapped[str]
    at_s: Mapped[float | None]
    score: Mapped[float]
    doubtful: Mapped[bool]
    role: Mapped[Role | None]  # in which it was said; None: stored before this was kept
    state: Mapped[ReviewState] = mapped_column(default=ReviewState.NEW, index=True)


class ReviewRow(Base):
    """One person's verdict on a hit. Rows are added, never changed."""

    __tablename__ = "reviews"

    id: Mapped[Key]
    hit_id: Mapped[int] = mapped_column(ForeignKey("hits.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    verb: Mapped[Verb]
    before: Mapped[ReviewState]
    after: Mapped[ReviewState]
    reason: Mapped[RejectReason | None]
    comment: Mapped[str]
    at: Mapped[datetime]


class UtteranceRow(Base):
    """What is searched: the words of the current result's transcript, and their sound."""

    __tablename__ = "utterances"
    __table_args__ = (UniqueConstraint("call_id", "utterance_id"),)

    id: Mapped[Key]
    call_id: Mapped[CallKey]
    utterance_id: Mapped[str] = mapped_column(String(32))
    speaker: Mapped[str] = mapped_column(String(16))
    start_s: Mapped[float]
    text: Mapped[str]
    pinyin: Mapped[str]  # search.sounds; indexed by the FTS5 table said_sound (SQLite) or a GIN index of that name (v0002)


class AllowanceRow(Base):
    """«Never flag this wording»: a phrase is not to be found in these words. Removing one ends it; the row stays."""

    __tablename__ = "allowances"

    id: Mapped[Key]
    phrase_id: Mapped[str] = mapped_column(String(64), index=True)
    wording: Mapped[str]
    comparable: Mapped[str]  # normalize.normalize
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    removed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    removed_at: Mapped[datetime | None]


class SavedFilterRow(Base):
    """A list of calls that a user wants again."""

    __tablename__ = "saved_filters"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(100))
    filter: Mapped[dict[str, Any]]


class AuditRow(Base):
    """Who did what, when. Triggers refuse changes; each digest covers the one before it, so that what goes round the triggers shows."""

    __tablename__ = "audit"

    id: Mapped[Key]
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(64), index=True)
    subject: Mapped[str] = mapped_column(String(100), index=True)
    details: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))


# --- reports (R1) -----------------------------------------------------------------------------------------------------------------


class ScheduleRow(Base):
    """A report that is made again and again: for the week or month that is over, once it is over."""

    __tablename__ = "schedules"

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(String(16))  # feedback.reports.Kind
    name: Mapped[str] = mapped_column(String(100))  # of the agent, team or role; empty for the director's page
    every: Mapped[str] = mapped_column(String(16))  # week or month
    formats: Mapped[str] = mapped_column(String(64))  # separated by commas
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    made_to: Mapped[date | None]  # the last day of the last report
    ended_at: Mapped[datetime | None]


# --- calls in progress (L1) ---------------------------------------------------------------------------------------------------------


class MessageState(enum.StrEnum):
    """Where a message to the outside stands."""

    WAITING = "waiting"  # due at `due_at`
    SENT = "sent"
    DEAD = "dead"  # given up; may be sent again by hand


class LiveCallRow(Base):
    """A call that is heard while it runs. `check_id` is the recorded call that it became; with that one it is deleted."""

    __tablename__ = "live_calls"
    __table_args__ = (
        Index("ix_live_calls_running", "started_at", sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    role: Mapped[Role]
    role_stated: Mapped[bool] = mapped_column(default=True)
    agent: Mapped[str | None] = mapped_column(String(100))
    team: Mapped[str | None] = mapped_column(String(100))
    door: Mapped[str] = mapped_column(String(32))
    channels: Mapped[str] = mapped_column(String(32))  # whose voice each carries, separated by commas
    rate: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    seq: Mapped[int] = mapped_column(default=0)  # of the last event
    check_id: Mapped[str | None] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), index=True)


LiveKey = Annotated[str, mapped_column(ForeignKey("live_calls.id", ondelete="CASCADE"))]


class LiveEventRow(Base):
    """An event of a running call (events.py). `id` counts over all calls, in the order in which they can be read."""

    __tablename__ = "live_events"
    __table_args__ = (UniqueConstraint("live_id", "seq"),)

    id: Mapped[Key]
    live_id: Mapped[LiveKey]
    seq: Mapped[int]
    type: Mapped[str] = mapped_column(String(16), index=True)
    at: Mapped[datetime]
    body: Mapped[dict[str, Any]]


class LiveNoteRow(Base):
    """Somebody has seen an alert (`text` empty), or wants to talk about it with the agent."""

    __tablename__ = "live_notes"

    id: Mapped[Key]
    live_id: Mapped[LiveKey] = mapped_column(index=True)
    seq: Mapped[int]  # of the alert
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str]
    at: Mapped[datetime]


class LiveMessageRow(Base):
    """An alert on its way out of the house; one a target, call and phrase."""

    __tablename__ = "live_messages"
    __table_args__ = (UniqueConstraint("target", "live_id", "phrase_id"), Index("ix_live_messages_work", "state", "due_at"))

    id: Mapped[Key]
    target: Mapped[str] = mapped_column(String(100))
    live_id: Mapped[LiveKey]
    phrase_id: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]]
    state: Mapped[MessageState]
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    error: Mapped[str | None]
    made_at: Mapped[datetime]


# --- uploads and webhooks (S2) ------------------------------------------------------------------------------------------------------


class UploadState(enum.StrEnum):
    """Where an upload in parts stands."""

    OPEN = "open"  # parts come in
    WHOLE = "whole"  # all bytes are here; what is in it is being taken in
    TAKEN = "taken"  # its items say what became of it


class Outcome(enum.StrEnum):
    """What became of one file that was sent."""

    ACCEPTED = "accepted"  # a call of its own
    KNOWN = "known"  # this recording was here before: `call_id` is the earlier call
    AGAIN = "again"  # the same, and it is checked once more
    TABLE = "table"  # metadata, applied
    REFUSED = "refused"  # `told` says why


class UploadRow(Base):
    """A file that comes in parts; the parts lie in a folder, their length is how far it is."""

    __tablename__ = "uploads"
    __table_args__ = (Index("ix_uploads_work", "state", "expires_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]  # as the user has it, with folders
    length: Mapped[int]  # bytes
    batch: Mapped[str] = mapped_column(String(64))  # files that were chosen together; a table is for its batch
    known: Mapped[dict[str, Any]]  # what its sender says of it, and wishes
    state: Mapped[UploadState]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    taken_until: Mapped[datetime | None]  # somebody is at it until then


class UploadItemRow(Base):
    """One file of an upload, and what became of it: the upload itself, or what was in the ZIP."""

    __tablename__ = "upload_items"
    __table_args__ = (UniqueConstraint("upload_id", "number"),)

    id: Mapped[Key]
    upload_id: Mapped[str] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"))
    number: Mapped[int]
    name: Mapped[str]
    outcome: Mapped[Outcome]
    call_id: Mapped[str | None] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), index=True)
    told: Mapped[str]  # the reason, in the user's words


class UploadFactRow(Base):
    """A row of a metadata table, kept for recordings of the same batch that come later."""

    __tablename__ = "upload_facts"
    __table_args__ = (UniqueConstraint("user_id", "batch", "file"),)

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    batch: Mapped[str] = mapped_column(String(64))
    file: Mapped[str]
    row: Mapped[dict[str, Any]]
    made_at: Mapped[datetime] = mapped_column(index=True)


class WebhookRow(Base):
    """An address that is told when a call ends. The secret signs, so it is kept as it is."""

    __tablename__ = "webhooks"

    id: Mapped[Key]
    url: Mapped[str]
    secret: Mapped[str] = mapped_column(String(100))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class WebhookMessageRow(Base):
    """A message on its way, written in the transaction that ended the call."""

    __tablename__ = "webhook_messages"
    __table_args__ = (Index("ix_webhook_messages_work", "state", "due_at"),)

    id: Mapped[Key]
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id"), index=True)
    call_id: Mapped[CallKey] = mapped_column(index=True)
    body: Mapped[dict[str, Any]]
    state: Mapped[MessageState]
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    error: Mapped[str | None]
    made_at: Mapped[datetime]


# --- the company's lexicon, and judging again (S4) ----------------------------------------------------------------------------------


class LexiconVersionRow(Base):
    """The company's additions as they were saved once. One is in force; none: the lexicon files of the settings stand alone."""

    __tablename__ = "lexicon_versions"
    __table_args__ = (
        Index("uq_lexicon_versions_active", "active", unique=True, sqlite_where=text("active"), postgresql_where=text("active")),
    )

    id: Mapped[Key]  # counts up from 1: the version that users see
    body: Mapped[str]  # YAML, lexiconfile
    sha256: Mapped[str] = mapped_column(String(64), index=True)  # of the whole Lexicon that it made when it was saved
    note: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime]
    active: Mapped[bool] = mapped_column(default=False)


class RescoreState(enum.StrEnum):
    """Where a rescoring stands."""

    PREVIEWING = "previewing"  # calls are being judged; nothing of it counts
    READY = "ready"  # somebody has to look and decide
    APPLYING = "applying"  # the new results are being put in place
    DONE = "done"
    CANCELLED = "cancelled"  # what was applied before stays
    FAILED = "failed"  # `reason` says why


class ItemState(enum.StrEnum):
    """Where one call of a rescoring stands."""

    WAITING = "waiting"  # not judged yet
    SAME = "same"  # judged: nothing a person would see changes
    DIFFERS = "differs"  # judged: something does
    APPLIED = "applied"
    STALE = "stale"  # has got another result in between, or is gone: left as it is
    FAILED = "failed"  # `reason` says why


class RescoreRow(Base):
    """Stored calls against a version of the lexicon. `version_id` None: the lexicon files alone."""

    __tablename__ = "rescores"

    id: Mapped[Key]
    version_id: Mapped[int | None] = mapped_column(ForeignKey("lexicon_versions.id"))
    filter: Mapped[dict[str, Any]]
    state: Mapped[RescoreState] = mapped_column(index=True)
    reason: Mapped[str | None]
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    lease: Mapped[str | None] = mapped_column(String(32))  # whoever works on it
    lease_until: Mapped[datetime | None]


class RescoreItemRow(Base):
    """One call of a rescoring: what would change, and the result that would stand then, kept until it is applied or dropped."""

    __tablename__ = "rescore_items"
    __table_args__ = (UniqueConstraint("rescore_id", "call_id"), Index("ix_rescore_items_work", "rescore_id", "state", "id"))

    id: Mapped[Key]
    rescore_id: Mapped[int] = mapped_column(ForeignKey("rescores.id", ondelete="CASCADE"))
    call_id: Mapped[CallKey] = mapped_column(index=True)
    state: Mapped[ItemState]
    base: Mapped[str | None] = mapped_column(String(64))  # version of the result it was compared with
    points_before: Mapped[float | None]
    points_after: Mapped[float | None]
    appeared: Mapped[int] = mapped_column(default=0)
    vanished: Mapped[int] = mapped_column(default=0)
    altered: Mapped[int] = mapped_column(default=0)
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)  # rescore.Changes
    body: Mapped[dict[str, Any] | None] = mapped_column(Packed, deferred=True)
    reason: Mapped[str | None]


class PrintRow(Base):
    """Where the words of a call lie among the exemplars (prints.py), so that judging them again need not read them again."""

    __tablename__ = "prints"

    call_id: Mapped[CallKey] = mapped_column(primary_key=True)
    maker: Mapped[str] = mapped_column(String(64))  # digest of encoder, exemplars and words; another one's prints are of no use
    body: Mapped[bytes]


# --- sampling, second opinions (S5) -------------------------------------------------------------------------------------------------


class Listened(enum.StrEnum):
    """What came of listening to a call that was drawn."""

    COMPLETE = "complete"  # nothing was missed by the machine
    MISSED = "missed"  # something was; the comment says what


class SampleRow(Base):
    """A draw: the rule, the seed, who drew."""

    __tablename__ = "samples"

    id: Mapped[Key]
    rule: Mapped[dict[str, Any]]  # sampling.Rule
    seed: Mapped[str] = mapped_column(String(64))
    candidates: Mapped[int]  # calls that fitted the rule then
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime]


class AssignmentRow(Base):
    """A call that somebody is to listen to, once. `blind`: for a second opinion."""

    __tablename__ = "assignments"
    __table_args__ = (UniqueConstraint("call_id", "user_id"), Index("ix_assignments_work", "user_id", "done_at"))

    id: Mapped[Key]
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"), index=True)
    call_id: Mapped[CallKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    blind: Mapped[bool]
    done_at: Mapped[datetime | None]
    outcome: Mapped[Listened | None]
    comment: Mapped[str] = mapped_column(default="")


class OpinionRow(Base):
    """What a second inspector thinks of a hit; it changes nothing about it."""

    __tablename__ = "opinions"
    __table_args__ = (UniqueConstraint("hit_id", "user_id"),)

    id: Mapped[Key]
    hit_id: Mapped[int] = mapped_column(ForeignKey("hits.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    violation: Mapped[bool]
    comment: Mapped[str]
    at: Mapped[datetime]
