"""Run every benchmark, one after the other, and say which targets were met.

    python -m benchmarks                 all of them (`make bench`)
    python -m benchmarks engine run      only these

Each is a module that can be run alone, `python -m benchmarks.engine`; it ends with status 1 when a
target is missed.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time

BENCHMARKS = {
    "collaboration": "editing together, with Hocuspocus and pycrdt-websocket beside ours",
    "editor": "frames a second while panning over 1,000 nodes, with a bare page of boxes beside ours",
    "engine": "1,000-node graphs, with limit-inline and peers beside ours",
    "fanout": "events to 1, 10 and 50 sockets, with stock python-socketio beside ours",
    "queue": "1,000 runs through a queue, with DBOS beside ours",
    "run": "a 200-node spell from runs.create to run.completed in a client",
    "startup": "import and start-up time, memory",
    "workers": "calls in worker processes, and values between them",
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; return 1 when one missed a target or broke."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.")
        return 2
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{python} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    print("Machines are noisy: compare ratios within one run.", flush=True)
    results: dict[str, int] = {}
    for name in names or BENCHMARKS:
        print(f"\n=== {name}: {BENCHMARKS[name]}", flush=True)
        began = time.monotonic()
        results[name] = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"], check=False
        ).returncode
        print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    missed = [name for name, status in results.items() if status]
    print("\nMissed or broken: " + ", ".join(missed) if missed else "\nEvery target was met.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
