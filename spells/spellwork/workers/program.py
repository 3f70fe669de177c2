"""What a worker process is started from: a command, an environment, a way of writing frames."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

import spellwork_worker
from spellwork_worker.frames import HEADER, FromWorker, decode_from_worker, encode

Language = Literal["python", "typescript"]
"""The languages of cells."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How records are written in frames: ``encode`` gives a whole frame, ``decode`` takes its body.

    ``decode`` raises msgspec.DecodeError or RecursionError for what is no record.
    """

    name: Literal["msgpack", "json"]
    encode: Callable[[msgspec.Struct], bytes]
    decode: Callable[[bytes], FromWorker]


_to_json = msgspec.json.Encoder()


def _json_frame(record: msgspec.Struct) -> bytes:
    body = _to_json.encode(record)
    return HEADER.pack(len(body)) + body


MSGPACK = Codec("msgpack", encode, decode_from_worker)
"""What ``spellwork_worker`` reads and writes."""

JSON = Codec("json", _json_frame, msgspec.json.Decoder[FromWorker](FromWorker).decode)
"""The same records as JSON; bytes are base64 there."""


@dataclass(frozen=True, slots=True)
class Program:
    """What one kind of worker process is started from.

    ``argv`` is the start of its command line; ``--parent PID`` and the limits follow.
    ``env`` is its environment, with its own directory as ``HOME`` and ``TMPDIR``.
    ``readable`` are the directories it needs beyond those of the system; a sandbox opens
    these and no other. ``key`` tells programs apart: processes of one key replace each other.
    ``reserve_mb`` is memory that it asks for when it starts and never uses; ``exhausted`` the
    signals by which it ends itself when its memory is used up. ``speaks``: what it writes to
    standard error is its code's; else only its own last words would come there.
    """

    language: Language
    key: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    readable: tuple[str, ...] = ()
    codec: Codec = MSGPACK
    speaks: bool = True
    reserve_mb: int = 0
    exhausted: frozenset[int] = frozenset()


_OPTIONS = ("-I", "-X", "utf8")
_BASE_ENV: Mapping[str, str] = {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
"""One heap for all threads: another for each would take 64 MB of the address space that a worker may have."""

# The server's packages come first until the worker's own are loaded, and last from then on:
# what the environment brings of another version is the cell's, and never the worker's.
_BOOT = (
    "import os,sys;"
    "sys.argv[0:1]=[];added=sys.argv[0].split(os.pathsep);"
    "sys.path[:0]=added;"
    "import spellwork_worker.starting as starting;"
    "starting.start(added)"
)


@cache
def base_program() -> Program:
    """Return the program of Python workers in the server's own environment."""
    return Program(
        "python",
        "base",
        (sys.executable, *_OPTIONS, "-m", "spellwork_worker"),
        _BASE_ENV,
        _prefixes(sys.prefix, sys.base_prefix),
    )


def environment_program(directory: str, key: str) -> Program:
    """Return the program of Python workers in a virtual environment.

    Its packages come first; what the server has installed is found behind them, so that
    the nodes of the server's packs run there too.
    """
    python = str(Path(directory, "Scripts" if os.name == "nt" else "bin", "python"))
    search = packages_of_server()
    return Program(
        "python",
        key,
        (python, *_OPTIONS, "-S", "-c", _BOOT, os.pathsep.join(search)),
        _BASE_ENV,
        (directory, *_prefixes(sys.base_prefix, sys.prefix), *search),
    )


@cache
def packages_of_server() -> tuple[str, ...]:
    """Return the directories from which this interpreter imports installed packages.

    Those of its environment, and those that its ``.pth`` files name (editable packages).
    """
    places = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    if sys.prefix == sys.base_prefix:
        places += site.getsitepackages()
    named = [
        line.strip()
        for place in dict.fromkeys(places)
        for file in sorted(Path(place).glob("*.pth"))
        for line in file.read_text("utf-8", "replace").splitlines()
    ]
    own = str(Path(spellwork_worker.__file__).resolve().parent.parent)
    return tuple(dict.fromkeys(filter(os.path.isdir, (own, *places, *named))))


def _prefixes(*prefixes: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(prefixes))
