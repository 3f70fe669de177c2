"""Tell a store that failed from a statement that was wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from spellwork_server.errors import StoreUnavailable

STORE_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)
"""Primary result codes of SQLite that blame the store: https://sqlite.org/rescode.html"""


STORE_CLASSES = ("08", "28", "3D", "53", "57P", "58", "XX")
STORE_STATES = frozenset({"25006", "25P03", "25P04", "40001", "40P01", "55P03", "57014"})
"""SQLSTATEs of PostgreSQL that blame the store, whole classes and single ones: the connection, who signs in, a database
that is gone, resources, a server that stops, its disk; read-only, too long idle, conflicts, a lock, a cancelled statement.
https://www.postgresql.org/docs/current/errcodes-appendix.html"""


def is_store_failure(error: BaseException) -> bool:
    """Tell whether ``error`` says that the store is full, locked, broken or gone."""
    if isinstance(error, StoreUnavailable | PoolTimeout | InterfaceError | OSError):
        return True
    if isinstance(error, sqlite3.Error):
        return _blames_the_store(error)
    if not isinstance(error, DBAPIError):
        return _state_blames_the_store(error) is True
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        return _blames_the_store(error.orig)
    blamed = None if error.orig is None else _state_blames_the_store(error.orig)
    return isinstance(error, OperationalError) if blamed is None else blamed


def _blames_the_store(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in STORE_CODES


def _state_blames_the_store(error: BaseException) -> bool | None:
    """Judge by PostgreSQL's own code; None where there is none."""
    state = getattr(error, "sqlstate", None)
    if not isinstance(state, str):
        return None
    return state.startswith(STORE_CLASSES) or state in STORE_STATES


@contextmanager
def translate() -> Iterator[None]:
    """Raise StoreUnavailable in place of a driver's error that blames the store."""
    try:
        yield
    except DBAPIError as error:
        if not is_store_failure(error):
            raise
        raise StoreUnavailable(f"The database did not answer: {error.orig}") from error
    except PoolTimeout as error:
        raise StoreUnavailable("The database is too busy to answer") from error
    except StoreUnavailable:
        raise
    except Exception as error:  # what a driver raises before SQLAlchemy knows of a connection
        if not is_store_failure(error):
            raise
        raise StoreUnavailable(f"The database did not answer: {error}") from error
