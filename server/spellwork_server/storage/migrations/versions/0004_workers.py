"""Workers, and the canvases that share one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("canvas_id", sa.String(length=32), nullable=True),
        sa.Column("owner_id", sa.String(length=32), nullable=True),
        sa.Column("processes", sa.Integer(), nullable=False),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("requirements", sa.JSON(), nullable=False),
        sa.Column("packs", sa.JSON(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("lock", sa.Text(), nullable=False),
        sa.Column("locked_for", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["canvas_id"], ["canvases.id"], name=op.f("fk_workers_canvas_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_index(op.f("ix_workers_canvas_id"), "workers", ["canvas_id"], unique=False)
    op.create_table(
        "canvas_workers",
        sa.Column("canvas_id", sa.String(length=32), nullable=False),
        sa.Column("worker_id", sa.String(length=32), nullable=False),
        sa.Column("chosen_by", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["canvas_id"],
            ["canvases.id"],
            name=op.f("fk_canvas_workers_canvas_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"],
            ["workers.id"],
            name=op.f("fk_canvas_workers_worker_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("canvas_id", name=op.f("pk_canvas_workers")),
    )
    op.create_index(
        op.f("ix_canvas_workers_worker_id"), "canvas_workers", ["worker_id"], unique=False
    )
