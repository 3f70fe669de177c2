"""``python -I -m spellwork_worker.launching ... -- PROGRAM``: confines itself, says so, and becomes the program.

For programs that are not Python's: what a process has given up it stays without,
whatever it becomes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

import msgspec

from .confining import confine_to
from .frames import HEADER, Ready
from .granted import MACHINE, SETTINGS, SYSTEM
from .landlock import DEVICE, OWN, READ, READ_FILE, RUN
from .limits import die_with, set_limits


def main() -> None:
    """Confine this process and become the program."""
    arguments = _arguments()
    program = arguments.program
    die_with(arguments.parent)
    set_limits(
        arguments.memory_mb,
        arguments.files_mb,
        arguments.processes,
        arguments.open_files,
        reserves=True,
    )
    path = shutil.which(program[0]) or program[0]
    confinement = confine_to(lambda: _granted(arguments.read, path))
    ready = Ready(0, confinement)
    encode = msgspec.json.encode if arguments.codec == "json" else msgspec.msgpack.encode
    body = encode(ready)
    os.write(1, HEADER.pack(len(body)) + body)
    try:
        os.execv(path, program)  # noqa: S606 - there is no shell to want
    except OSError as error:
        sys.exit(f"{path} cannot be started: {error.strerror}")


def _granted(readable: list[str], program: str) -> dict[str, int]:
    return {
        **dict.fromkeys((*SYSTEM, *readable, os.path.realpath(program)), RUN),
        **dict.fromkeys((*SETTINGS, *MACHINE), READ),
        "/proc/self": READ,  # where its own stack lies, which the C library looks up there
        **dict.fromkeys(("/proc/cpuinfo", "/proc/meminfo", "/proc/stat"), READ),
        **dict.fromkeys(("/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"), READ_FILE),
        "/dev/null": DEVICE,
        str(Path.cwd()): OWN,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="spellwork_worker.launching")
    for name in ("parent", "memory-mb", "files-mb", "processes", "open-files"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--codec", choices=("json", "msgpack"), required=True)
    parser.add_argument("--read", action="append", default=[])
    parser.add_argument("program", nargs="+")
    return parser.parse_args()


if __name__ == "__main__":
    main()
