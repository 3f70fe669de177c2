"""Events and outputs are of nodes inside nodes, too: their place is a path, longer than an id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, nullable in (("events", True), ("run_outputs", False)):
        with op.batch_alter_table(table) as batch:
            batch.alter_column(
                "node",
                existing_type=sa.String(length=64),
                type_=sa.String(length=2_500),
                existing_nullable=nullable,
            )
