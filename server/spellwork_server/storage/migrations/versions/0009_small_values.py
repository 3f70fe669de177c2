"""Small values are kept with the run that left them, and only the others are found by hash."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run_outputs", sa.Column("body", sa.LargeBinary(), nullable=True))
    op.drop_index("ix_run_outputs_hash", table_name="run_outputs")
    op.create_index(
        "ix_run_outputs_apart",
        "run_outputs",
        ["hash"],
        unique=False,
        sqlite_where=sa.text("body IS NULL"),
        postgresql_where=sa.text("body IS NULL"),
    )
