"""Formats code with the formatter of its language, as a program of its own that only parses."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from typing import Literal

from spellwork.errors import NodeError
from spellwork_server.errors import ServerError, Unavailable

Language = Literal["python", "typescript"]

SECONDS = 10.0
"""How long a formatter may take."""

AT_ONCE = 2
"""Formatters that run at a time; more wait."""

_RUFF = ("format", "--isolated", "--no-cache", "--config", "format.line-ending='lf'")
_DENO = ("fmt", "--no-config", "--ext", "ts", "--quiet")


class CodeInvalid(ServerError):
    """Code that its formatter cannot parse; ``details`` may have line and column."""

    status = 422
    default_code = "code_error"


class Formatter:
    """Runs the formatters: no settings of the machine's, no files, and an end to each."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)

    async def format(self, language: Language, code: str) -> str:
        """Return the code as its language's formatter writes it.

        Raises:
            CodeInvalid: it does not parse.
            Unavailable: the formatter is not there, or took too long.
        """
        if not code.strip():
            return ""
        command = _ruff() if language == "python" else _deno()
        async with self._places:
            status, out, error = await _run(command, code.encode("utf-8"))
        if status != 0:
            raise CodeInvalid(_first_line(error) or "the code cannot be formatted")
        return out.decode("utf-8")


def _ruff() -> list[str]:
    try:
        from ruff import find_ruff_bin  # noqa: PLC0415 - who formats nothing needs none

        return [os.fsdecode(find_ruff_bin()), *_RUFF, "--stdin-filename", "cell.py", "-"]
    except (ImportError, FileNotFoundError) as error:
        raise Unavailable("Python is formatted by ruff, which is not installed") from error


def _deno() -> list[str]:
    from spellwork.workers.deno import find_deno  # noqa: PLC0415 - who formats nothing needs none

    try:
        return [find_deno(), *_DENO, "-"]
    except NodeError as error:
        raise Unavailable(error.message) from error


async def _run(command: list[str], code: bytes) -> tuple[int | None, bytes, bytes]:
    """Run a formatter in an empty directory and without an environment."""
    with tempfile.TemporaryDirectory(prefix="spellwork-format-") as directory:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=directory,
            env={
                "HOME": directory,
                "DENO_DIR": directory,
                "NO_COLOR": "1",
                "DENO_NO_UPDATE_CHECK": "1",
            },
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(SECONDS):
                out, error = await process.communicate(code)
        except TimeoutError as error_:
            raise Unavailable(f"The formatter took longer than {SECONDS:g} s") from error_
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
    return process.returncode, out, error


def _first_line(error: bytes) -> str:
    lines = error.decode("utf-8", "replace").strip().splitlines()
    return lines[0].removeprefix("error: ")[:300] if lines else ""
