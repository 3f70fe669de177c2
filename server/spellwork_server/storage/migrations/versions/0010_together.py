"""What comes together is kept together: the events of steps that ran at once, and their small values. Spells are kept once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from spellwork.values import hash_bytes

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("covers", sa.Integer(), server_default="1", nullable=False))
    op.create_table(
        "run_values",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["runs.id"], name=op.f("fk_run_values_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "number", name=op.f("pk_run_values")),
    )
    op.create_table(
        "run_spells",
        sa.Column("hash", sa.String(length=32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_run_spells")),
    )
    op.add_column(
        "runs", sa.Column("spell_hash", sa.String(length=32), server_default="", nullable=False)
    )
    _move_spells()
    op.create_index("ix_runs_spell_hash", "runs", ["spell_hash"], unique=False)
    op.drop_column("runs", "spell")
    for columns in (
        ["trigger_id"],
        ["forked_from"],
        ["parent_id"],
        ["queue", "status", "priority"],
        ["queue", "claimed_at"],
    ):
        _replace_index(
            "ix_" + "_".join(f"runs_{name}" for name in columns),
            columns,
            f"{columns[0]} IS NOT NULL",
        )
    _replace_index(
        "uq_runs_queue_dedupe_key",
        ["queue", "dedupe_key"],
        "ended_at IS NULL AND dedupe_key IS NOT NULL",
        unique=True,
    )


def _replace_index(name: str, columns: list[str], only: str, *, unique: bool = False) -> None:
    """Leave out of an index what nobody looks for there: most runs have no queue, trigger nor parent."""
    op.drop_index(name, table_name="runs")
    where = sa.text(only)
    op.create_index(
        name, "runs", columns, unique=unique, sqlite_where=where, postgresql_where=where
    )


def _move_spells() -> None:
    """Keep each spell that runs have once. Their rows let go of it at once: the next statement copies them all."""
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        insert = sa.text("INSERT INTO run_spells VALUES (:hash, CAST(:spell AS JSON))")
    else:
        insert = sa.text("INSERT INTO run_spells VALUES (:hash, :spell)")
    read = sa.text("SELECT CAST(spell AS TEXT) FROM runs WHERE id = :id")
    name = sa.text("UPDATE runs SET spell_hash = :hash, spell = '{}' WHERE id = :id")
    known: set[str] = set()
    for run in conn.scalars(sa.text("SELECT id FROM runs")).all():
        spell = conn.scalar(read, {"id": run}) or "{}"
        key = hash_bytes(spell.encode())
        if key not in known:
            known.add(key)
            conn.execute(insert, {"hash": key, "spell": spell})
        conn.execute(name, {"hash": key, "id": run})
