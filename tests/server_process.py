"""A real server in its own process, on a free port, with a data folder of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from spellwork_server.commands.accounts import add_account, make_key
from spellwork_server.settings import Settings

T = TypeVar("T")

READY_WITHIN = 120.0
"""Seconds a server has to answer /healthz, on a machine that is busy with other tests."""

STOP_WITHIN = 60.0


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def plain_http(**options: Any) -> httpx.Client:
    """Return a client of servers without TLS: to read the machine's certificates takes longer than many requests."""
    return httpx.Client(verify=False, trust_env=False, **options)


@dataclass
class ServerProcess:
    """`spellwork serve` on 127.0.0.1. A context manager; `kill` and `start` may be called inside."""

    data: Path
    port: int = field(default_factory=free_port)
    environment: Mapping[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = ("-m", "spellwork_server")
    """What Python runs: the server, or a script that changes something in it first."""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What the server has printed so far."""
        path = self.data / "server.log"
        return path.read_text(errors="replace") if path.is_file() else ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and return when the server says that it is ready."""
        self.data.mkdir(parents=True, exist_ok=True)
        command = ["serve", "--host", "127.0.0.1", "--port", str(self.port)]
        with (self.data / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self.program, *command, "--data", str(self.data)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=clean_environment(self.environment),
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop it cleanly, as a service manager would."""
        self._end(terminate=True)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(terminate=False)

    def command(self, *arguments: str) -> str:
        """Run a `spellwork` command on the same data; return what it prints."""
        self.data.mkdir(parents=True, exist_ok=True)
        result = subprocess.run(
            [sys.executable, "-m", "spellwork_server", *arguments, "--data", str(self.data)],
            capture_output=True,
            text=True,
            env=clean_environment(self.environment),
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def add_user(self, email: str, password: str, role: str = "member") -> None:
        """Add an account, as `spellwork user add` does, and without its start."""
        _apart(add_account, self._settings(), email, password=password, role=role, name="")

    def api_key(self, email: str) -> str:
        """Make an API key, as `spellwork token` does, and without its start."""
        return _apart(make_key, self._settings(), email, "command line")

    @contextmanager
    def http(self, token: str) -> Iterator[httpx.Client]:
        """Give an HTTP client that is signed in with a token."""
        headers = {"Authorization": f"Bearer {token}"}
        with plain_http(base_url=self.url, headers=headers, timeout=90) as client:
            yield client

    def _settings(self) -> Settings:
        """Return where the server keeps what it knows."""
        url = self.environment.get("SPELLWORK_DATABASE_URL")
        return Settings(data=self.data, database_url=url)

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        until = time.monotonic() + READY_WITHIN
        with plain_http(base_url=self.url, timeout=2) as client:
            while time.monotonic() < until:
                if self._process.poll() is not None:
                    self._process = None
                    raise AssertionError(f"the server ended at once:\n{self.log}")
                try:
                    if client.get("/healthz").status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    time.sleep(0.02)  # nothing to wait on but the port itself
        self.kill()
        raise AssertionError(f"not ready within {READY_WITHIN} s:\n{self.log}")

    def _end(self, *, terminate: bool) -> None:
        if self._process is None:
            return
        if terminate:
            self._process.terminate()
        else:
            self._process.kill()
        try:
            self._process.wait(STOP_WITHIN)
        finally:
            self._process.kill()
            self._process.wait()
            self._process = None


def _apart(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Do in a thread of its own what brings an event loop along; this one may have its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work, *args, **kwargs).result()


def clean_environment(more: Mapping[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SPELLWORK_")}
    return {**clean, **more}
