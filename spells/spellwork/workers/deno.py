"""The program of TypeScript workers: Deno, which comes as a package, without any permission."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

import spellwork_worker
from spellwork.errors import NodeError

from .program import Program
from .spec import WorkerSpec

HEAP_SHARE = 0.75
"""Of a worker's memory, what the heap of its code may take; the rest is Deno's own, and for typed arrays."""

CODE_RANGE_MB = 512
"""Memory for machine code that V8 reserves, writable, when it starts."""

_ENV = {
    "DENO_DIR": "deno",  # in the worker's own directory
    "DENO_NO_PACKAGE_JSON": "1",
    "DENO_NO_UPDATE_CHECK": "1",
    "NO_COLOR": "1",
}
_FLAGS = (
    "--quiet",
    "--no-prompt",  # nobody is there to be asked for a permission
    "--no-remote",
    "--no-npm",
    "--no-config",
    "--no-lock",
    "--no-check",
)


class NoDeno(NodeError):
    """Deno is not there for this machine; the text says why."""

    code = "no_deno"
    retryable = False


@cache
def find_deno() -> str:
    """Return the path of Deno's program, which the package ``deno`` brings. Raises NoDeno."""
    try:
        from deno import find_deno_bin  # noqa: PLC0415 - a server without TypeScript needs none
    except ImportError as error:
        raise NoDeno("TypeScript needs the package 'deno', which is not installed") from error
    try:
        return os.fsdecode(find_deno_bin())
    except FileNotFoundError as error:
        raise NoDeno(f"the package 'deno' brings no program for this machine ({error})") from error


def deno_program(memory_mb: int) -> Program:
    """Return the program of TypeScript workers that may use so much memory. Raises NoDeno.

    Types are taken out of the code, and not checked. Deno keeps nothing between starts.
    """
    return _program(find_deno(), memory_mb)


@lru_cache(maxsize=64)
def _program(deno: str, memory_mb: int) -> Program:
    own = Path(spellwork_worker.__file__).resolve().parent / "deno"
    heap = max(64, int(memory_mb * HEAP_SHARE))
    return Program(
        "typescript",
        f"deno-{heap}",
        (deno, "run", *_FLAGS, f"--v8-flags=--max-old-space-size={heap}", str(own / "main.ts")),
        _ENV,
        (deno, *sorted(map(str, own.glob("*.ts")))),
        speaks=False,
        reserve_mb=CODE_RANGE_MB,
        exhausted=frozenset({signal.SIGTRAP, signal.SIGILL, signal.SIGABRT}),
    )


def in_language(spec: WorkerSpec, language: str | None) -> WorkerSpec:
    """Return a worker as calls of a language find it: its TypeScript runs beside its Python. Raises NoDeno."""
    if language != "typescript":
        return spec
    return replace(spec, program=deno_program(spec.limits.memory_mb))
