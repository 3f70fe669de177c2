"""Alembic's entry: run the migrations on the connection that ``upgrade`` handed over."""

from __future__ import annotations

from alembic import context

from spellwork_server.storage.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite cannot alter a column in place
    transactional_ddl=True,
)
context.run_migrations()
