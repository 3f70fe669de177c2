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


def is_store_failure(error: BaseException) -> bool:
    """Tell whether ``error`` says that the store is full, locked, broken or gone."""
    if isinstance(error, StoreUnavailable | PoolTimeout | InterfaceError | OSError):
        return True
    if isinstance(error, sqlite3.Error):
        return _blames_the_store(error)
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        return _blames_the_store(error.orig)
    return isinstance(error, OperationalError)


def _blames_the_store(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in STORE_CODES


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
    except sqlite3.Error as error:
        if not is_store_failure(error):
            raise
        raise StoreUnavailable(f"The database did not answer: {error}") from error
