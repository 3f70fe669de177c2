"""Runs that are steered from other processes and stay paused over restarts; usage of calls with what placed them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_steering",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("process_id", sa.String(length=32), nullable=False),
        sa.Column("what", sa.String(length=8), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.Column("taken", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=True),
        sa.Column("done", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run"], ["runs.id"], name=op.f("fk_run_steering_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_steering")),
    )
    with op.batch_alter_table("run_steering", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_run_steering_process_id"), ["process_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_run_steering_run"), ["run"], unique=False)

    op.add_column("run_figures", sa.Column("parent_id", sa.String(length=32), nullable=True))
    op.execute(
        "UPDATE run_figures SET parent_id = (SELECT parent_id FROM runs WHERE runs.id = run_figures.run)"
    )
    op.add_column(
        "runs", sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
