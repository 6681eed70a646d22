"""Alembic's entry: runs migrations on the connection that Database.upgrade hands over, inside its transaction."""

from alembic import context

from phrasecheck.store.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
