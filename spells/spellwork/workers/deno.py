"""The program of TypeScript workers: Deno, which comes as a package, without any permission."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import spellwork_worker

from .program import Program

HEAP_SHARE = 0.75
"""Of a worker's memory, what the heap of its code may take; the rest is Deno's own, and for typed arrays."""

_FLAGS = (
    "--quiet",
    "--no-prompt",  # nobody is there to be asked for a permission
    "--no-remote",
    "--no-npm",
    "--no-config",
    "--no-lock",
    "--no-check",
)


class NoDenoError(RuntimeError):
    """Deno is not there for this machine; the text says why."""


@cache
def find_deno() -> str:
    """Return the path of Deno's program, which the package ``deno`` brings. Raises NoDenoError."""
    try:
        from deno import find_deno_bin  # noqa: PLC0415 - a server without TypeScript needs none
    except ImportError as error:
        raise NoDenoError("TypeScript needs the package 'deno', which is not installed") from error
    try:
        return os.fsdecode(find_deno_bin())
    except FileNotFoundError as error:
        raise NoDenoError(f"the package 'deno' brings no program for this machine ({error})") from error


def deno_program(memory_mb: int) -> Program:
    """Return the program of TypeScript workers that may use so much memory. Raises NoDenoError.

    Types are taken out of the code, and not checked. Deno keeps nothing between starts.
    """
    deno = find_deno()
    own = Path(spellwork_worker.__file__).resolve().parent / "deno"
    heap = max(64, int(memory_mb * HEAP_SHARE))
    return Program(
        "typescript",
        "deno",
        (deno, "run", *_FLAGS, f"--v8-flags=--max-old-space-size={heap}", str(own / "main.ts")),
        {"DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1", "DENO_DIR": "deno"},
        (str(own), deno),
    )
