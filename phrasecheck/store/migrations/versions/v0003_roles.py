"""Whether a call's role was stated by somebody; indexes for what is asked every few seconds.

Revision ID: 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Of the calls there are, nobody knows any more: they stay as they were judged."""
    for table in ("calls", "live_calls"):
        op.add_column(table, sa.Column("role_stated", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_index("ix_results_made_at", "results", ["made_at"])
    for name, table, column, where in (
        ("ix_calls_held", "calls", "said_at", "hold"),
        ("ix_live_calls_running", "live_calls", "started_at", "ended_at IS NULL"),
    ):
        op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
