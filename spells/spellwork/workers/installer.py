"""Runs uv, which finds and installs packages: what it may reach is the operator's, what it says is told on.

No code of a package runs here: only wheels are taken unless the operator allows
source distributions, and an environment's own interpreter is not started once
packages are in it, since any of them may bring a ``.pth`` file that runs at its start.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from spellwork.errors import SpellworkError
from spellwork.values import digest

Tell = Callable[[str], None]
"""Takes a line of what an installer says."""

_PASSED_ON = ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
MAX_LINES = 200
MAX_LINE = 2_000
_STARTS = re.compile(r"python[\d.]*(\.exe|\._pth)?|pyvenv\.cfg")
_SECRET = re.compile(r"(\w+://)[^/\s@]+@")
_FOLDER = re.compile(r"file://[^\s()]*/")


class ProvisionFailed(SpellworkError):
    """An environment could not be made.

    ``requirements`` are those that the installer's words name; ``lines`` are its words.
    """

    code = "provision_failed"

    def __init__(
        self, message: str, lines: Sequence[str] = (), requirements: Sequence[str] = ()
    ) -> None:
        super().__init__(
            message, details={"lines": list(lines), "requirements": list(requirements)}
        )
        self.lines = tuple(lines)
        self.requirements = tuple(requirements)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where packages come from: what an operator has set.

    ``variables`` are further ``UV_*`` ones. ``build``: source distributions may be
    built, which runs their code as the server's user. Addresses may hold credentials;
    they are never told.
    """

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    build: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 900.0

    def also(self, find_links: Sequence[str]) -> Sources:
        """Return the sources with further directories of wheels."""
        if not find_links:
            return self
        links = (*self.find_links, *find_links)
        return Sources(
            self.index_url,
            self.extra_index_urls,
            links,
            self.no_index,
            self.build,
            self.variables,
            self.seconds,
        )

    @property
    def identity(self) -> str:
        """Tell sources apart from which other packages may come, without telling their addresses."""
        return digest(
            self.index_url,
            self.extra_index_urls,
            self.find_links,
            self.no_index,
            self.build,
            dict(self.variables),
        )

    def options(self) -> list[str]:
        """Return what uv's commands that look for packages are given; no credentials, see ``environment``."""
        options = ["--no-index"] if self.no_index else []
        options += [part for each in self.find_links for part in ("--find-links", each)]
        return options if self.build else [*options, "--only-binary", ":all:"]

    def environment(self, cache: Path) -> dict[str, str]:
        """Return the environment that uv runs in: nothing of the server's but how to reach an index."""
        passed = {
            name: os.environ[name]
            for each in (*_PASSED_ON, *_PROXIES, *map(str.lower, _PROXIES))
            if (name := each) in os.environ
        }
        indexes = {}
        if self.index_url and not self.no_index:
            indexes["UV_DEFAULT_INDEX"] = self.index_url
        if self.extra_index_urls and not self.no_index:
            indexes["UV_INDEX"] = " ".join(self.extra_index_urls)
        return {
            **passed,
            **self.variables,
            **indexes,
            "UV_CACHE_DIR": str(cache),
            "UV_NO_CONFIG": "1",
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "HOME": str(cache),
            "NO_COLOR": "1",
        }


def without_folders(text: str) -> str:
    """Return text in which files of this machine are named without the folders that they are in."""
    return _FOLDER.sub("", text)


def find_uv() -> str:
    """Return the path of uv's binary. Raises ProvisionFailed where it is not installed."""
    try:
        import uv  # noqa: PLC0415 - only who makes environments needs it

        return str(uv.find_uv_bin())
    except (ImportError, FileNotFoundError) as error:
        raise ProvisionFailed("uv is not installed on this server") from error


COMPILE_SECONDS = 120
"""How long what was installed is compiled at most, in time and in processor time."""

COMPILE_BYTES = 1 << 30
"""Memory of the process that compiles."""

_COMPILE = f"""
import compileall, os, sys
try:
    import resource
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_CPU, ({COMPILE_SECONDS}, {COMPILE_SECONDS}))
    resource.setrlimit(resource.RLIMIT_AS, ({COMPILE_BYTES}, {COMPILE_BYTES}))
except (ImportError, OSError, ValueError):
    pass  # there are none here: its time is bounded by who waits for it
sys.exit(not compileall.main())
"""


class Installer:
    """Runs uv's commands, with a cache of its own in ``folder``."""

    def __init__(self, folder: Path, sources: Sources) -> None:
        self._folder = folder
        self.sources = sources

    async def lock(
        self, requirements: Sequence[str], tell: Tell, find_links: Sequence[str] = ()
    ) -> str:
        """Return every package that the requirements need, with versions and hashes, as a requirements.txt.

        Raises:
            ProvisionFailed: they cannot be had, or not together.
        """
        sources = self.sources.also(find_links)
        here = await asyncio.to_thread(self._write_overrides)
        found = await self._run(
            sources,
            [
                *("pip", "compile", "-", "--generate-hashes", "--no-header", "--no-annotate"),
                *("--emit-build-options", "--quiet", "--python", sys.executable),
                *("--override", str(here)),
                *sources.options(),
            ],
            tell,
            given="\n".join(requirements) + "\n",
            requirements=requirements,
        )
        lines = [
            line for line in found.splitlines() if not line.startswith(("#", "--", "    # via"))
        ]
        return "\n".join(line for line in lines if line.strip()) + "\n"

    def _write_overrides(self) -> Path:
        """Write which requirements of packages count as met: a pack may name the engine, which every worker has."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._folder / "overrides.txt"
        if not file.exists():
            file.write_text('spellwork ; python_version < "0"\n', "utf-8")
        return file

    async def make(
        self, directory: Path, lock: str, tell: Tell, find_links: Sequence[str] = ()
    ) -> None:
        """Make a virtual environment of a lock in an empty directory.

        Raises:
            ProvisionFailed: it cannot be made, or a package of it changes how its interpreter starts.
        """
        sources = self.sources.also(find_links)
        python = getattr(sys, "_base_executable", sys.executable)
        await self._run(
            sources,
            [
                *("venv", "--relocatable", "--no-project", "--quiet"),
                *("--python", python, "--allow-existing", str(directory)),
            ],
            tell,
        )
        if not lock.strip():
            return
        file = directory / "spellwork-lock.txt"
        file.write_text(lock, "utf-8")
        before = await asyncio.to_thread(_start_files, directory)
        await self._run(
            sources,
            [
                *("pip", "sync", "--require-hashes", str(file), *sources.options()),
                *("--python", str(python_of(directory))),
            ],
            tell,
        )
        if await asyncio.to_thread(_start_files, directory) != before:
            raise ProvisionFailed("a package would change the environment's own interpreter")
        await self._compile(directory, tell)

    async def _compile(self, directory: Path, tell: Tell) -> None:
        """Compile what was installed: workers may not write there, and would do so at each start.

        By the server's interpreter, which reads nothing of the environment's but sources: in one
        process that gives way to others, and whose time and memory are bounded.
        """
        tell("Compiling bytecode")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _COMPILE, "-q", "-q", "-j", "1"),
            *("--invalidation-mode", "unchecked-hash", "-s", str(directory), str(directory)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        await self._wait(process, min(self.sources.seconds, COMPILE_SECONDS))

    async def _run(
        self,
        sources: Sources,
        arguments: Sequence[str],
        tell: Tell,
        *,
        given: str = "",
        requirements: Sequence[str] = (),
    ) -> str:
        await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        process = await asyncio.create_subprocess_exec(
            await asyncio.to_thread(find_uv),
            *arguments,
            stdin=asyncio.subprocess.PIPE if given else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._folder.parent,
            env=sources.environment(self._folder),
            start_new_session=True,
            limit=1024 * 1024,
        )
        lines: deque[str] = deque(maxlen=MAX_LINES)
        try:
            async with asyncio.timeout(sources.seconds), asyncio.TaskGroup() as reading:
                assert process.stdout is not None
                reading.create_task(_listen(process.stderr, lines, tell))
                written = reading.create_task(process.stdout.read())
                if process.stdin is not None:
                    with suppress(RuntimeError, ConnectionError):  # it is gone: its status says why
                        process.stdin.write(given.encode())
                        process.stdin.close()
                status = await process.wait()
        except TimeoutError as error:
            raise ProvisionFailed(
                f"the installer took over {sources.seconds:g} s", lines
            ) from error
        finally:
            _kill(process)
        if status:
            raise _refusal(list(lines), requirements)
        return written.result().decode("utf-8", "replace")

    async def _wait(self, process: asyncio.subprocess.Process, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await process.wait()
        except TimeoutError:
            pass  # what is not compiled is merely slower
        finally:
            _kill(process)


def python_of(directory: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return directory / ("Scripts" if os.name == "nt" else "bin") / "python"


def _start_files(directory: Path) -> dict[str, str]:
    """Return what an interpreter reads before it is confined: itself, and where its library lies."""
    binaries = python_of(directory).parent
    found = [each for each in binaries.iterdir() if _STARTS.fullmatch(each.name)]
    settings = directory / "pyvenv.cfg"
    return {
        str(each): str(each.readlink()) if each.is_symlink() else _hash_of(each)
        for each in (settings, *found)
    }


def _hash_of(file: Path) -> str:
    if not file.is_file():
        return ""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


async def _listen(stream: asyncio.StreamReader | None, lines: deque[str], tell: Tell) -> None:
    assert stream is not None
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # a line without end
            continue
        if not line:
            return
        told = without_folders(line.decode("utf-8", "replace").rstrip())
        text = _SECRET.sub(r"\1", told)[:MAX_LINE]
        if text.strip():
            lines.append(text)
            tell(text)


def _refusal(lines: list[str], requirements: Sequence[str]) -> ProvisionFailed:
    """Return the error of what uv said: its own words, and the requirements these name."""
    words = " ".join(line.strip(" ×╰─▶│├·") for line in lines).strip().replace(" cause: ", ": ")
    named = [
        name
        for each in requirements
        if (name := re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0])
        and re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", words, re.IGNORECASE)
    ]
    text = re.sub(r"^error:\s*", "", words) or "the installer failed, and said nothing"
    return ProvisionFailed(text[:MAX_LINE], lines, tuple(dict.fromkeys(named)))
