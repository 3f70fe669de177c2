"""Measure editing together, with Hocuspocus and pycrdt-websocket (both on SQLite) beside ours.

    python -m benchmarks.collaboration
    python -m benchmarks.collaboration editing opening memory crowds --full

Each server is a process of its own; CPU is what that process and its children used, readers are as
cheap as can be, and what they got is checked against the writer's document. Ours acknowledges an
edit, and sends it on, once it is durable; the peers send first and store later. With `--full` the
crowd is 5,000 sockets on 1,000 canvases. A peer that is not installed is named and left out; ends
with status 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import uvloop

from benchmarks.report import print_figures

from . import crowds, deaf, fan_out, memory, opening
from .servers import Hocuspocus, Ours, OursSync, Pycrdt, Server


def peers(folder: Path) -> list[Server]:
    """Return the peers that can be measured here; say which cannot."""
    found: list[Server] = []
    reason = Hocuspocus.missing()
    if reason is None:
        found.append(Hocuspocus(folder / "hocuspocus"))
    else:
        print(f"  Hocuspocus is left out: {reason}")
    if find_spec("pycrdt.websocket") is not None:
        found.append(Pycrdt(folder / "pycrdt"))
    else:
        print("  pycrdt-websocket is left out: it is not installed")
    return found


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[tuple[list[Server], list[Server]]]:
    """Start all servers; give ours (also over y-protocols, once it has that) and the peers."""
    with ExitStack() as stack:
        others = [stack.enter_context(peer) for peer in peers(folder)]
        ours: list[Server] = [stack.enter_context(Ours(folder / "ours", **environment))]
        sync = stack.enter_context(OursSync(folder / "sync", **environment))
        if sync.offered:
            ours.append(sync)
        yield ours, others


def editing(folder: Path) -> bool:
    """Measure what edits cost and how fast they arrive."""
    with running(folder) as (ours, others):
        figures = uvloop.run(fan_out.throughput(ours, others))
        met = print_figures(f"{fan_out.EDITS:,} edits at full speed, every one checked", figures)
        figures = uvloop.run(fan_out.latency([*ours, *others]))
        title = f"{fan_out.PACE} edits/s to {max(fan_out.READERS)} readers"
        return print_figures(title, figures) and met


def open_times(folder: Path) -> bool:
    """Measure how long a large canvas takes to open."""
    with running(folder, SPELLWORK_GRACE="0") as (ours, others):
        figures = uvloop.run(opening.open_times([ours[0], *others]))
    title = f"A canvas of {opening.NODES:,} nodes with {opening.EDITS:,} edits"
    return print_figures(title, figures)


def memory_of(folder: Path) -> bool:
    """Measure documents and sockets that are open."""
    others = peers(folder)
    servers = [Ours(folder / "ours"), OursSync(folder / "sync"), *others]
    figures = uvloop.run(memory.memory(servers, [each.name for each in others]))
    return print_figures(f"Memory, {memory.DOCUMENTS} documents", figures)


def crowded(folder: Path, *, full: bool) -> bool:
    """Measure many people at once."""
    met = True
    with Ours(folder / "ours") as server:
        figures = uvloop.run(crowds.acknowledgements(server))
        met &= print_figures(crowds.WRITERS.title, figures)
        figures = uvloop.run(crowds.editors(server))
        met &= print_figures(crowds.EDITORS.title, figures)
        figures = uvloop.run(crowds.sockets(server, full=full))
        met &= print_figures((crowds.FULL_SOCKETS if full else crowds.SOCKETS).title, figures)
        figures = uvloop.run(deaf.beside_the_deaf(server))
        title = f"{deaf.READERS} readers of {deaf.PACE} edits/s with {deaf.EDIT_BYTES:,} bytes each"
        return print_figures(title, figures) and met


SECTIONS = ("editing", "opening", "memory", "crowds")


def main() -> int:
    """Measure and print; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collaboration")
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; all by default")
    parser.add_argument("--full", action="store_true", help="5,000 sockets on 1,000 canvases")
    arguments = parser.parse_args()
    measure: dict[str, Callable[[Path], bool]] = {
        "editing": editing,
        "opening": open_times,
        "memory": memory_of,
        "crowds": lambda folder: crowded(folder, full=arguments.full),
    }
    met = True
    for section in arguments.sections or SECTIONS:
        os.sync()  # else the first edits of a section wait for what the one before left unwritten
        with tempfile.TemporaryDirectory() as folder:
            met &= measure[section](Path(folder))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
