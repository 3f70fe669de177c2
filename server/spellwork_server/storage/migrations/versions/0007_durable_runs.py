"""Runs that outlive their process: queues, triggers, what waits for people, and what others were told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915 - one table after another
    op.create_table(
        "outbox",
        sa.Column("subscriber", sa.String(length=64), nullable=False),
        sa.Column("stream", sa.String(length=100), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subscriber", "stream", name=op.f("pk_outbox")),
    )
    op.create_table(
        "relayed",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("process", sa.String(length=12), nullable=False),
        sa.Column("channel", sa.String(length=150), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relayed")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "processes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("beat_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processes")),
    )
    with op.batch_alter_table("processes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_processes_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "queues",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=True),
        sa.Column("per_process", sa.Integer(), nullable=True),
        sa.Column("rate_count", sa.Integer(), nullable=True),
        sa.Column("rate_seconds", sa.Float(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_queues")),
    )
    op.create_table(
        "triggers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("canvas_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("run", sa.JSON(), nullable=False),
        sa.Column("missed", sa.String(length=16), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("next_at", sa.Float(), nullable=True),
        sa.Column("cursor", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["canvas_id"], ["canvases.id"], name=op.f("fk_triggers_canvas_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_triggers_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triggers")),
    )
    with op.batch_alter_table("triggers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_triggers_canvas_id"), ["canvas_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_triggers_next_at"), ["next_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_triggers_user_id"), ["user_id"], unique=False)

    op.create_table(
        "firings",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("trigger_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("fired_at", sa.Float(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["trigger_id"], ["triggers.id"], name=op.f("fk_firings_trigger_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firings")),
        sa.UniqueConstraint("trigger_id", "key", name=op.f("uq_firings_trigger_id_key")),
    )
    with op.batch_alter_table("firings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_firings_run_id"), ["run_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_firings_trigger_id_firings_fired_at"),
            ["trigger_id", "fired_at"],
            unique=False,
        )

    op.create_table(
        "tasks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("node", sa.String(length=2500), nullable=False),
        sa.Column("canvas_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("question", sa.JSON(), nullable=False),
        sa.Column("assignee_id", sa.String(length=32), nullable=True),
        sa.Column("assignee_role", sa.String(length=16), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_by", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("remind_at", sa.Float(), nullable=True),
        sa.Column("reminded_at", sa.Float(), nullable=True),
        sa.Column("answered_at", sa.Float(), nullable=True),
        sa.Column("answered_by", sa.String(length=32), nullable=True),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("handed_at", sa.Float(), nullable=True),
        sa.Column("link_hash", sa.String(length=64), nullable=True),
        sa.Column("link_by", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["canvas_id"], ["canvases.id"], name=op.f("fk_tasks_canvas_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run"], ["runs.id"], name=op.f("fk_tasks_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_tasks_link_hash")),
        sa.UniqueConstraint("run", "node", name=op.f("uq_tasks_run_node")),
    )
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tasks_assignee_id"), ["assignee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tasks_canvas_id"), ["canvas_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tasks_due_at"), ["due_at"], unique=False)
        batch_op.create_index(
            "ix_tasks_not_handed",
            ["run"],
            unique=False,
            sqlite_where=sa.text("answered_at IS NOT NULL AND handed_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NOT NULL AND handed_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_tasks_remind_at"), ["remind_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_tasks_state"), ["state"], unique=False)

    op.create_table(
        "run_progress",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["runs.id"], name=op.f("fk_run_progress_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_run_progress")),
    )
    op.create_table(
        "run_tokens",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=200), nullable=False),
        sa.Column("provider", sa.String(length=100), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("prompt", sa.Integer(), nullable=False),
        sa.Column("completion", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["runs.id"], name=op.f("fk_run_tokens_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "type", "provider", "model", name=op.f("pk_run_tokens")),
    )
    op.create_table(
        "run_figures",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("canvas_id", sa.String(length=32), nullable=True),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("ran", sa.Integer(), nullable=False),
        sa.Column("cached", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["runs.id"], name=op.f("fk_run_figures_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_run_figures")),
    )
    with op.batch_alter_table("run_figures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_figures_canvas_id"), ["canvas_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_run_figures_day"), ["day"], unique=False)
        batch_op.create_index(batch_op.f("ix_run_figures_user_id"), ["user_id"], unique=False)

    with op.batch_alter_table("refresh_tokens", schema=None) as batch_op:
        batch_op.add_column(sa.Column("follows", sa.String(length=32), nullable=True))

    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("durable", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("queue", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("priority", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("not_before", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("deadline", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("dedupe_key", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("attempt", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("retry", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("process_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("fence", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("claimed_at", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("cancel_at", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("trigger_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("forked_from", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("parent_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("lent", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column("takeovers", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column("takeover_nodes", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("ran", sa.Float(), server_default="0", nullable=False))
        batch_op.create_index(batch_op.f("ix_runs_forked_from"), ["forked_from"], unique=False)
        batch_op.create_index(batch_op.f("ix_runs_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_runs_process_id"), ["process_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_runs_queue_runs_status_runs_priority"),
            ["queue", "status", "priority"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_runs_queue_runs_claimed_at"), ["queue", "claimed_at"], unique=False
        )
        batch_op.create_index(
            "ix_runs_claimable",
            ["priority", "created_at"],
            unique=False,
            sqlite_where=sa.text("status = 'queued' AND process_id IS NULL"),
            postgresql_where=sa.text("status = 'queued' AND process_id IS NULL"),
        )
        batch_op.create_index(
            "ix_runs_deadline",
            ["deadline"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL AND deadline IS NOT NULL"),
            postgresql_where=sa.text("ended_at IS NULL AND deadline IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_runs_created_at_runs_id"), ["created_at", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_runs_trigger_id"), ["trigger_id"], unique=False)
        batch_op.create_index(
            "uq_runs_queue_dedupe_key",
            ["queue", "dedupe_key"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index(
            "ix_runs_queue_dedupe_key_created_at",
            ["queue", "dedupe_key", "created_at"],
            unique=False,
            sqlite_where=sa.text("dedupe_key IS NOT NULL"),
            postgresql_where=sa.text("dedupe_key IS NOT NULL"),
        )
