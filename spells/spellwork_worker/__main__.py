"""``python -I -m spellwork_worker``: set limits, confine itself, then answer calls until the pipe closes."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .calls import Calls
from .confining import confine
from .frames import MAX_FRAME, Ready, encode
from .limits import die_with, set_limits
from .pipe import Pipe, take_standard_pipes


def main() -> None:
    """Run the worker."""
    arguments = _arguments()
    die_with(arguments.parent)
    set_limits(arguments.memory_mb, arguments.file_mb)
    confinement = confine(str(Path.cwd()))  # before the pipe's thread, which would stay free
    pipe = Pipe(*take_standard_pipes())
    calls = Calls(pipe, arguments.max_frame, confinement)
    sys.stdout, sys.stderr = calls.printed.out, calls.printed.error
    pipe.send(encode(Ready(os.getpid(), confinement)))
    while True:
        calls.run(pipe.next_call())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="spellwork_worker")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--memory-mb", type=int, required=True)
    parser.add_argument("--file-mb", type=int, default=1024)
    parser.add_argument("--max-frame", type=int, default=MAX_FRAME)
    return parser.parse_args()


if __name__ == "__main__":
    main()
