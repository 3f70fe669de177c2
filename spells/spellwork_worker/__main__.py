"""``python -I -m spellwork_worker``: set limits, confine itself, then answer calls until the pipe closes."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from .calls import Calls
from .confining import confine
from .encoders import readable
from .frames import MAX_FRAME, Call, Ready, encode
from .holding import Holding
from .limits import ProcessorTime, die_with, set_limits
from .memory import MemoryChannel
from .network import install
from .pipe import Pipe, take_standard_pipes


def main(settle: Callable[[], None] = lambda: None) -> None:
    """Run the worker; ``settle`` is called once it is confined, before anything of a user's is loaded."""
    arguments = _arguments()
    die_with(arguments.parent)
    set_limits(arguments.memory_mb, arguments.files_mb, arguments.processes, arguments.open_files)
    confinement = confine(str(Path.cwd()))  # before the pipe's thread, which would stay free
    settle()
    pipe = Pipe(*take_standard_pipes())
    if arguments.memory_socket is not None:
        pipe.channel = MemoryChannel(socket.socket(fileno=arguments.memory_socket))
    holding = Holding(pipe, arguments.memory_mb * 1024 * 1024 // 2)
    calls = Calls(pipe, arguments.max_frame, confinement, holding)
    if arguments.broker is not None:
        install(arguments.broker)
    sys.stdout, sys.stderr = calls.printed.out, calls.printed.error
    processor_time = ProcessorTime(arguments.cpu_seconds)
    ready = Ready(os.getpid(), confinement, pipe.channel is not None, readable())
    pipe.send(encode(ready))
    while True:
        holding.show_waiting()
        task = pipe.next_task()
        if isinstance(task, Call):
            processor_time.begin_call()
            calls.run(task)
            del task
        else:
            holding.do(task)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="spellwork_worker")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--memory-mb", type=int, required=True)
    parser.add_argument("--files-mb", type=int, default=512)
    parser.add_argument("--processes", type=int, default=128)
    parser.add_argument("--open-files", type=int, default=1024)
    parser.add_argument("--cpu-seconds", type=float)
    parser.add_argument("--broker", type=int)
    parser.add_argument("--memory-socket", type=int)
    parser.add_argument("--max-frame", type=int, default=MAX_FRAME)
    return parser.parse_args()


if __name__ == "__main__":
    main()
