"""What a call in a worker costs, and a value's way from one cell to the next, beside the bare limits of the machine.

python -m benchmarks.workers
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

from benchmarks.report import print_figures

from . import bare, calls, starting, tables, typescript


async def _measure() -> bool:
    met = print_figures("The machine alone", bare.figures())
    met = print_figures("The first call of a worker", await starting.figures()) and met
    met = print_figures("Calls of a warm Python worker", await calls.figures()) and met
    met = print_figures("Calls of a warm TypeScript worker", await typescript.figures()) and met
    return print_figures("A table of 100 MB", await tables.figures()) and met


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # the server's loop
        sys.exit(0 if runner.run(_measure()) else 1)
