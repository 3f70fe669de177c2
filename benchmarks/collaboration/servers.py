"""The servers under test, each in a process of its own with a database in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self
from uuid import uuid4

import httpx
import psutil

from tests.server_process import ServerProcess

from .tabs import PATIENCE, HocuspocusTab, SocketTab, SyncTab, Tab

HOCUSPOCUS = Path(__file__).parent / "hocuspocus"
KIB = 1024
ENDING = 20
"""Seconds that the processes of a server have to end."""


class Server:
    """A server that can be started again on what it has stored. A context manager."""

    name: ClassVar[str]
    tab: ClassVar[type[Tab]]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    @property
    def pid(self) -> int:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it, and wait for its last child: what is measured next must have the machine."""
        processes = self._processes()
        self.stop()
        psutil.wait_procs(processes, ENDING)

    def new_documents(self, count: int) -> list[str]:
        """Return names of empty documents."""
        return [f"d{uuid4().hex}" for _ in range(count)]

    def make_tab(self, document: str) -> Tab:
        return self.tab(f"/{document}", {}, document)

    async def connect(self, document: str) -> Tab:
        """Return a tab that has proved itself and opened nothing yet."""
        loop = asyncio.get_running_loop()
        _, tab = await loop.create_connection(
            lambda: self.make_tab(document), "127.0.0.1", self.port
        )
        await tab.connect()
        return tab

    def settle(self) -> None:
        """Let go of memory that is only not yet collected."""

    def cpu(self) -> float:
        """Return the CPU seconds, of user and system, that the server and its children used so far."""
        return sum(_cpu(each.pid) for each in self._processes())

    def memory(self) -> float:
        """Return the KiB that only the server and its children use."""
        self.settle()
        return sum(each.memory_full_info().uss for each in self._processes()) / KIB

    def _processes(self) -> list[psutil.Process]:
        mine = psutil.Process(self.pid)
        return [mine, *mine.children(recursive=True)]

    async def quiet(self) -> None:
        """Wait until the server has nothing left to do."""
        until = time.monotonic() + PATIENCE
        still = 0
        while still < 3 and time.monotonic() < until:
            before = self.cpu()
            await asyncio.sleep(0.05)
            still = still + 1 if self.cpu() - before < 0.003 else 0


class Program(Server):
    """A server that prints its port."""

    _process: subprocess.Popen[str] | None = None

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            self.command(),
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environment()},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.strip():
            raise RuntimeError(f"{self.name} does not start")
        self.port = int(line)

    def environment(self) -> Mapping[str, str]:
        return {}

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(10)
        finally:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid


class Pycrdt(Program):
    """pycrdt-websocket with its SQLite store."""

    name = "pycrdt-websocket"
    tab = SyncTab

    def command(self) -> Sequence[str]:
        database = str(self.folder / "pycrdt.db")
        return [sys.executable, "-m", "benchmarks.collaboration.pycrdt_server", database]


class Hocuspocus(Program):
    """Hocuspocus with its SQLite extension."""

    name = "Hocuspocus"
    tab = HocuspocusTab

    def command(self) -> Sequence[str]:
        node = shutil.which("node")
        assert node is not None
        script = str(HOCUSPOCUS / "server.js")
        return [node, "--expose-gc", script, str(self.folder / "hocuspocus.db")]

    def environment(self) -> Mapping[str, str]:
        return {"NODE_ENV": "production"}

    def settle(self) -> None:
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/gc", timeout=30).close()

    @staticmethod
    def missing() -> str | None:
        """Install it where need be; return why it cannot be measured, or None."""
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            return "there is no Node.js on PATH"
        if not (HOCUSPOCUS / "node_modules").exists():
            install = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
            if subprocess.run(install, cwd=HOCUSPOCUS, check=False).returncode:
                return "npm could not install it"
        probe = [node, "--input-type=module", "-e", "await import('@hocuspocus/extension-sqlite')"]
        if subprocess.run(probe, cwd=HOCUSPOCUS, check=False, capture_output=True).returncode:
            return "its SQLite extension cannot be loaded here"
        return None


class Ours(Server):
    """`spellwork serve`, as shipped; tabs are Socket.IO."""

    name = "ours"

    def __init__(self, folder: Path, **environment: str) -> None:
        super().__init__(folder)
        # One user stands for everybody.
        many = {"SPELLWORK_MAX_SOCKETS": "1000000"}
        self._server = ServerProcess(folder, environment=many | environment)
        self._token = ""

    def start(self) -> None:
        self._server.start()
        self.port = self._server.port
        if not self._token:
            self._server.add_user("bench@example.org", "correct horse battery")
            self._token = self._server.api_key("bench@example.org")

    def stop(self) -> None:
        self._server.stop()

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def http(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self._token}"}
        return httpx.Client(base_url=self._server.url, headers=headers, timeout=PATIENCE)

    def new_documents(self, count: int) -> list[str]:
        with self.http as http:
            answers = [http.post("/v1/canvases", json={"name": "Bench"}) for _ in range(count)]
        return [str(answer.raise_for_status().json()["id"]) for answer in answers]

    def make_tab(self, document: str) -> Tab:
        path = "/socket.io/?EIO=4&transport=websocket"
        return SocketTab(path, {}, document, self._token)


class OursSync(Ours):
    """The same server, whose tabs speak y-protocols as those of the y-websocket provider do."""

    name = "ours, y-websocket"

    def make_tab(self, document: str) -> Tab:
        headers = {"Authorization": f"Bearer {self._token}"}
        return SyncTab(f"/v1/canvases/{document}/sync", headers, document)

    @property
    def offered(self) -> bool:
        """Whether the server has that endpoint."""
        with self.http as http:
            document = http.post("/v1/canvases", json={"name": "Bench"}).json()["id"]
            answer = http.get(f"/v1/canvases/{document}/sync")
        return answer.status_code not in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED)


def _cpu(pid: int) -> float:
    """Return a process's CPU seconds; on Linux to the microsecond instead of ticks of 10 ms."""
    if platform.system() == "Linux":
        try:
            return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3) of another process
        except OSError:
            return 0.0
    times: Any = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
