"""The tables. One class a table; rows are handed out detached and are to be read, not changed: changing goes through the Store's verbs.

Times are UTC. No relationships are declared, so that no attribute can send a query of its own: what is needed is joined where it is asked for.
"""

import enum
import json
import zlib
from datetime import UTC, datetime
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
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    source: Mapped[str]  # the file's name as the user has it
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    recording: Mapped[str] = mapped_column(String(100), index=True)  # key in the Recordings
    role: Mapped[Role]
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
    )

    id: Mapped[Key]
    call_id: Mapped[CallKey]
    version: Mapped[str] = mapped_column(String(64))  # results.version_of
    current: Mapped[bool]
    lexicon: Mapped[str]
    points: Mapped[float | None]  # of the worst scorecard; None when nobody is known to be the agent
    seconds: Mapped[float]
    unsure: Mapped[bool]  # it is not certain who spoke
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
    pinyin: Mapped[str]  # search.sounds


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
