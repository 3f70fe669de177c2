"""Run the migrations that a database lacks, when it is opened."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_mock_engine, inspect, text

from .database import Database
from .schema import METADATA

HEAD = "0010"
"""The newest migration; a test holds it to what lies in ``migrations/versions``."""

VERSION_TABLE = "alembic_version"
"""Where Alembic keeps which migration a database is at."""

VERSION_COLUMN = "version_num VARCHAR(32) NOT NULL PRIMARY KEY"

MIGRATIONS = Path(__file__).parent / "migrations"


async def upgrade(database: Database) -> None:
    """Bring ``database`` to the newest schema.

    Safe to call from several processes at once: each takes the write lock
    first and then looks at what is left to do.
    """
    async with database.write() as conn:
        await conn.run_sync(upgrade_connection)


def upgrade_connection(connection: Connection) -> None:
    """Bring the tables up to date in the connection's own transaction.

    An empty database gets the tables of the schema as they are now, which is
    what all migrations together make; a test holds the two together.
    """
    revision = _revision(connection)
    if revision == HEAD:
        return
    if revision is None and not inspect(connection).get_table_names():
        for statement in _tables(f"{connection.dialect.name}+{connection.dialect.driver}"):
            connection.exec_driver_sql(statement)
        connection.execute(text(f"CREATE TABLE {VERSION_TABLE} ({VERSION_COLUMN})"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
    else:
        migrate(connection)


def migrate(connection: Connection, to: str = "head") -> None:
    """Run the migrations that the database lacks, from whichever it has, up to and with ``to``."""
    # Alembic takes a tenth of a second to import, and a start rarely needs it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


@cache
def _tables(dialect: str) -> tuple[str, ...]:
    """Return what makes the tables of the schema where there are none."""
    statements: list[str] = []

    def note(part: Any, *_: Any) -> None:
        statements.append(str(part.compile(dialect=engine.dialect)))

    engine = create_mock_engine(f"{dialect}://", note)
    METADATA.create_all(engine, checkfirst=False)
    return tuple(statements)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    query = text("SELECT version_num FROM alembic_version")
    return connection.execute(query).scalar_one_or_none()
