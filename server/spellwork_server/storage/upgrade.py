"""Run the migrations that a database lacks, when it is opened."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from .database import Database

HEAD = "0001"
"""The newest migration; a test holds it to what lies in ``migrations/versions``."""

MIGRATIONS = Path(__file__).parent / "migrations"


async def upgrade(database: Database) -> None:
    """Bring ``database`` to the newest schema.

    Safe to call from several processes at once: each takes the write lock
    first and then looks at what is left to do.
    """
    async with database.write() as conn:
        await conn.run_sync(upgrade_connection)


def upgrade_connection(connection: Connection) -> None:
    """Migrate in the connection's own transaction."""
    if _revision(connection) == HEAD:
        return
    # Alembic takes a tenth of a second to import, and a start rarely needs it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
