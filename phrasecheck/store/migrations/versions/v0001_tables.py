"""The tables, and the triggers that keep the audit trail append-only.

Revision ID: 0001. Written out in plain types: a migration must not change when tables.py does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True)
WORD = sa.String(32)


def upgrade() -> None:
    """The tables."""
    op.create_table(
        "audit",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_action", "audit", ["action"])
    op.create_index("ix_audit_subject", "audit", ["subject"])
    op.create_table(
        "users",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("permission", WORD, nullable=False),
        sa.Column("team", sa.String(length=100), nullable=True),
        sa.Column("agent", sa.String(length=100), nullable=True),
        sa.Column("password", sa.String(), nullable=True),
        sa.Column("failures", NUMBER, nullable=False),
        sa.Column("locked_until", UTC, nullable=True),
        sa.Column("closed_at", UTC, nullable=True),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )
    op.create_table(
        "allowances",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("phrase_id", sa.String(length=64), nullable=False),
        sa.Column("wording", sa.String(), nullable=False),
        sa.Column("comparable", sa.String(), nullable=False),
        sa.Column("author_id", NUMBER, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("removed_by", NUMBER, nullable=True),
        sa.Column("removed_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_allowances_author_id"),
        sa.ForeignKeyConstraint(["removed_by"], ["users.id"], name="fk_allowances_removed_by"),
        sa.PrimaryKeyConstraint("id", name="pk_allowances"),
    )
    op.create_index("ix_allowances_phrase_id", "allowances", ["phrase_id"])
    op.create_table(
        "calls",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("recording", sa.String(length=100), nullable=False),
        sa.Column("role", WORD, nullable=False),
        sa.Column("agent", sa.String(length=100), nullable=True),
        sa.Column("team", sa.String(length=100), nullable=True),
        sa.Column("agent_channel", sa.String(length=8), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=True),
        sa.Column("said_at", UTC, nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("uploaded_by", NUMBER, nullable=True),
        sa.Column("uploaded_at", UTC, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("tries", NUMBER, nullable=False),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.Column("lease_until", UTC, nullable=True),
        sa.Column("keep_until", UTC, nullable=True),
        sa.Column("hold", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["uploaded_by"], ["users.id"], name="fk_calls_uploaded_by"),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
        sa.UniqueConstraint("idempotency_key", name="uq_calls_idempotency_key"),
    )
    op.create_index("ix_calls_agent", "calls", ["agent", "said_at", "id"])
    op.create_index("ix_calls_keep_until", "calls", ["keep_until"])
    op.create_index("ix_calls_list", "calls", ["said_at", "id"])
    op.create_index("ix_calls_recording", "calls", ["recording"])
    op.create_index("ix_calls_sha256", "calls", ["sha256"])
    op.create_index("ix_calls_team", "calls", ["team", "said_at", "id"])
    op.create_index("ix_calls_work", "calls", ["state", "uploaded_at"])
    op.create_table(
        "saved_filters",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_saved_filters_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_filters"),
        sa.UniqueConstraint("user_id", "name", name="uq_saved_filters_user_id_name"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("user_id", NUMBER, nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("expires_at", UTC, nullable=False),
        sa.Column("ended_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tokens_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])
    op.create_table(
        "results",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("lexicon", sa.String(), nullable=False),
        sa.Column("points", sa.Double(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("unsure", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_results_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_results"),
        sa.UniqueConstraint("call_id", "version", name="uq_results_call_id_version"),
    )
    op.create_index(
        "uq_results_current", "results", ["call_id"], unique=True, sqlite_where=sa.text("current"), postgresql_where=sa.text("current")
    )
    op.create_table(
        "utterances",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("utterance_id", sa.String(length=32), nullable=False),
        sa.Column("speaker", sa.String(length=16), nullable=False),
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("pinyin", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_utterances_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_utterances"),
        sa.UniqueConstraint("call_id", "utterance_id", name="uq_utterances_call_id_utterance_id"),
    )
    op.create_table(
        "hits",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("result_id", NUMBER, nullable=False),
        sa.Column("utterance_id", sa.String(length=32), nullable=False),
        sa.Column("phrase_id", sa.String(length=64), nullable=False),
        sa.Column("section", sa.String(length=64), nullable=False),
        sa.Column("quote", sa.String(), nullable=False),
        sa.Column("at_s", sa.Double(), nullable=True),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("doubtful", sa.Boolean(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_hits_call_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["result_id"], ["results.id"], name="fk_hits_result_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_hits"),
        sa.UniqueConstraint("call_id", "utterance_id", "phrase_id", "quote", name="uq_hits_call_id_utterance_id_phrase_id_quote"),
    )
    op.create_index("ix_hits_phrase_id", "hits", ["phrase_id"])
    op.create_index("ix_hits_result_id", "hits", ["result_id"])
    op.create_index("ix_hits_section", "hits", ["section"])
    op.create_index("ix_hits_state", "hits", ["state"])
    op.create_table(
        "reviews",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("hit_id", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("verb", WORD, nullable=False),
        sa.Column("before", WORD, nullable=False),
        sa.Column("after", WORD, nullable=False),
        sa.Column("reason", WORD, nullable=True),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["hit_id"], ["hits.id"], name="fk_reviews_hit_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_reviews_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
    )
    op.create_index("ix_reviews_hit_id", "reviews", ["hit_id"])
    op.create_index("ix_reviews_user_id", "reviews", ["user_id"])
    _append_only("audit")
    _append_only("reviews", deletable=True)  # reviews go with their call


def _append_only(table: str, *, deletable: bool = False) -> None:
    events = ("UPDATE",) if deletable else ("UPDATE", "DELETE")
    if op.get_bind().dialect.name == "sqlite":
        for event in events:
            refusal = f"SELECT RAISE(ABORT, '{table} is append-only')"
            op.execute(f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} BEGIN {refusal}; END")
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(f"CREATE TRIGGER {table}_append_only BEFORE {' OR '.join(events)} ON {table} EXECUTE FUNCTION {table}_append_only()")
    if not deletable:
        op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {table}_append_only()")
