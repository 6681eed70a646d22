"""What the QA desk, the live wall and the reports keep beside calls and hits; one function a part, in plain types.

Revision ID: 0002.
"""

from itertools import pairwise

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True)
WORD = sa.String(32)


def upgrade() -> None:
    """Part by part."""
    _uploads()
    _review()
    _lexicons()
    _live()
    _feedback()
    _finding()


def _uploads() -> None:
    """Uploads in parts, webhooks (S2)."""
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("length", NUMBER, nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("known", sa.JSON(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("made_at", UTC, nullable=False),
        sa.Column("expires_at", UTC, nullable=False),
        sa.Column("taken_until", UTC, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_uploads_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
    )
    op.create_index("ix_uploads_work", "uploads", ["state", "expires_at"])
    op.create_index("ix_uploads_user_id", "uploads", ["user_id"])
    op.create_table(
        "upload_items",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("upload_id", sa.String(length=32), nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("outcome", WORD, nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=True),
        sa.Column("told", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name="fk_upload_items_upload_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_upload_items_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_upload_items"),
        sa.UniqueConstraint("upload_id", "number", name="uq_upload_items_upload_id_number"),
    )
    op.create_index("ix_upload_items_call_id", "upload_items", ["call_id"])
    op.create_table(
        "upload_facts",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("row", sa.JSON(), nullable=False),
        sa.Column("made_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_upload_facts_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_upload_facts"),
        sa.UniqueConstraint("user_id", "batch", "file", name="uq_upload_facts_user_id_batch_file"),
    )
    op.create_index("ix_upload_facts_made_at", "upload_facts", ["made_at"])
    op.create_table(
        "webhooks",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("author_id", NUMBER, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("ended_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_webhooks_author_id"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_table(
        "webhook_messages",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("webhook_id", NUMBER, nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("tries", NUMBER, nullable=False),
        sa.Column("due_at", UTC, nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("made_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], name="fk_webhook_messages_webhook_id"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_webhook_messages_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_messages"),
    )
    op.create_index("ix_webhook_messages_work", "webhook_messages", ["state", "due_at"])
    op.create_index("ix_webhook_messages_webhook_id", "webhook_messages", ["webhook_id"])
    op.create_index("ix_webhook_messages_call_id", "webhook_messages", ["call_id"])


def _review() -> None:
    """Sampling and second opinions (S5)."""
    op.create_table(
        "samples",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("candidates", NUMBER, nullable=False),
        sa.Column("author_id", NUMBER, nullable=False),
        sa.Column("made_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_samples_author_id"),
        sa.PrimaryKeyConstraint("id", name="pk_samples"),
    )
    op.create_table(
        "assignments",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("sample_id", NUMBER, nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("done_at", UTC, nullable=True),
        sa.Column("outcome", WORD, nullable=True),
        sa.Column("comment", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name="fk_assignments_sample_id"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_assignments_call_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_assignments_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assignments"),
        sa.UniqueConstraint("call_id", "user_id", name="uq_assignments_call_id_user_id"),
    )
    op.create_index("ix_assignments_sample_id", "assignments", ["sample_id"])
    op.create_index("ix_assignments_work", "assignments", ["user_id", "done_at"])
    op.create_table(
        "opinions",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("hit_id", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("violation", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["hit_id"], ["hits.id"], name="fk_opinions_hit_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_opinions_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_opinions"),
        sa.UniqueConstraint("hit_id", "user_id", name="uq_opinions_hit_id_user_id"),
    )
    op.create_index("ix_opinions_user_id", "opinions", ["user_id"])


def _lexicons() -> None:
    """Versions of the company's lexicon (S4)."""
    op.create_table(
        "lexicon_versions",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("author_id", NUMBER, nullable=False),
        sa.Column("made_at", UTC, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_lexicon_versions_author_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lexicon_versions"),
    )
    op.create_index("ix_lexicon_versions_sha256", "lexicon_versions", ["sha256"])
    op.create_index(
        "uq_lexicon_versions_active",
        "lexicon_versions",
        ["active"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "rescores",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("version_id", NUMBER, nullable=True),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("author_id", NUMBER, nullable=False),
        sa.Column("made_at", UTC, nullable=False),
        sa.Column("ended_at", UTC, nullable=True),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.Column("lease_until", UTC, nullable=True),
        sa.ForeignKeyConstraint(["version_id"], ["lexicon_versions.id"], name="fk_rescores_version_id"),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_rescores_author_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rescores"),
    )
    op.create_index("ix_rescores_state", "rescores", ["state"])
    op.create_table(
        "rescore_items",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("rescore_id", NUMBER, nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("base", sa.String(length=64), nullable=True),
        sa.Column("points_before", sa.Double(), nullable=True),
        sa.Column("points_after", sa.Double(), nullable=True),
        sa.Column("appeared", NUMBER, nullable=False),
        sa.Column("vanished", NUMBER, nullable=False),
        sa.Column("altered", NUMBER, nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["rescore_id"], ["rescores.id"], name="fk_rescore_items_rescore_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_rescore_items_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_rescore_items"),
        sa.UniqueConstraint("rescore_id", "call_id", name="uq_rescore_items_rescore_id_call_id"),
    )
    op.create_index("ix_rescore_items_work", "rescore_items", ["rescore_id", "state", "id"])
    op.create_index("ix_rescore_items_call_id", "rescore_items", ["call_id"])
    op.create_table(
        "prints",
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("maker", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_prints_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", name="pk_prints"),
    )


def _live() -> None:
    """Live calls, their events, alerts sent out (L1)."""
    op.create_table(
        "live_calls",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("role", WORD, nullable=False),
        sa.Column("agent", sa.String(length=100), nullable=True),
        sa.Column("team", sa.String(length=100), nullable=True),
        sa.Column("door", sa.String(length=32), nullable=False),
        sa.Column("channels", sa.String(length=32), nullable=False),
        sa.Column("rate", NUMBER, nullable=False),
        sa.Column("started_at", UTC, nullable=False),
        sa.Column("ended_at", UTC, nullable=True),
        sa.Column("seq", NUMBER, nullable=False),
        sa.Column("check_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["check_id"], ["calls.id"], name="fk_live_calls_check_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_live_calls"),
    )
    op.create_index("ix_live_calls_started_at", "live_calls", ["started_at"])
    op.create_index("ix_live_calls_check_id", "live_calls", ["check_id"])
    op.create_table(
        "live_events",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("live_id", sa.String(length=100), nullable=False),
        sa.Column("seq", NUMBER, nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["live_id"], ["live_calls.id"], name="fk_live_events_live_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_live_events"),
        sa.UniqueConstraint("live_id", "seq", name="uq_live_events_live_id_seq"),
    )
    op.create_index("ix_live_events_type", "live_events", ["type"])
    op.create_table(
        "live_notes",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("live_id", sa.String(length=100), nullable=False),
        sa.Column("seq", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["live_id"], ["live_calls.id"], name="fk_live_notes_live_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_live_notes_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_live_notes"),
    )
    op.create_index("ix_live_notes_live_id", "live_notes", ["live_id"])
    op.create_table(
        "live_messages",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("target", sa.String(length=100), nullable=False),
        sa.Column("live_id", sa.String(length=100), nullable=False),
        sa.Column("phrase_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("tries", NUMBER, nullable=False),
        sa.Column("due_at", UTC, nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("made_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["live_id"], ["live_calls.id"], name="fk_live_messages_live_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_live_messages"),
        sa.UniqueConstraint("target", "live_id", "phrase_id", name="uq_live_messages_target_live_id_phrase_id"),
    )
    op.create_index("ix_live_messages_work", "live_messages", ["state", "due_at"])


def _feedback() -> None:
    """Schedules of reports; in which role a hit was said and which roles a result scores (R1)."""
    op.add_column("hits", sa.Column("role", WORD, nullable=True))
    op.add_column("results", sa.Column("roles", sa.String(), nullable=True))
    op.create_table(
        "schedules",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("every", sa.String(length=16), nullable=False),
        sa.Column("formats", sa.String(length=64), nullable=False),
        sa.Column("author_id", NUMBER, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("made_to", sa.Date(), nullable=True),
        sa.Column("ended_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_schedules_author_id"),
        sa.PrimaryKeyConstraint("id", name="pk_schedules"),
    )


def _finding() -> None:
    """Points after the verdicts; what was said, found by its sound (S3)."""
    op.add_column("results", sa.Column("judged_points", sa.Double(), nullable=True))
    op.execute("UPDATE results SET judged_points = points")
    current = sa.text("current")
    op.create_index("ix_results_worst", "results", ["judged_points", "call_id"], sqlite_where=current, postgresql_where=current)
    _pairs()
    if op.get_bind().dialect.name != "sqlite":
        op.create_index("said_sound", "utterances", [sa.text("string_to_array(pinyin, ' ')")], postgresql_using="gin")
        return
    # only which rows hold a token is kept (detail, columnsize): what follows what is seen in the row itself
    options = "content='utterances', content_rowid='id', detail=none, columnsize=0"
    op.execute(f"CREATE VIRTUAL TABLE said_sound USING fts5(pinyin, {options}, tokenize=\"unicode61 tokenchars '_'\")")
    op.execute("INSERT INTO said_sound(said_sound) VALUES ('rebuild')")
    add = "INSERT INTO said_sound(rowid, pinyin) VALUES (new.id, new.pinyin)"
    drop = "INSERT INTO said_sound(said_sound, rowid, pinyin) VALUES ('delete', old.id, old.pinyin)"
    for event, do in (("INSERT", add), ("DELETE", drop), ("UPDATE", f"{drop}; {add}")):
        op.execute(f"CREATE TRIGGER said_sound_{event.lower()} AFTER {event} ON utterances BEGIN {do}; END")


def _pairs() -> None:
    """« xi tong » becomes « xi_tong tong_ »: two syllables are rare where one is not."""
    table = sa.table("utterances", sa.column("id"), sa.column("pinyin"))
    bind, last = op.get_bind(), 0
    while rows := bind.execute(sa.select(table).where(table.c.id > last).order_by(table.c.id).limit(5000)).all():
        last = rows[-1].id
        made = [{"key": row.id, "new": _paired(row.pinyin.split())} for row in rows]
        bind.execute(sa.update(table).where(table.c.id == sa.bindparam("key")).values(pinyin=sa.bindparam("new")), made)


def _paired(sounds: list[str]) -> str:
    return "".join(f" {one}_{other}" for one, other in pairwise([*sounds, ""])) + (" " if sounds else "")
