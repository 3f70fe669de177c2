"""The peak memory of a process that builds and runs a graph, over an interpreter that imported nothing.

    python -m benchmarks.engine.footprint STAGE GRAPH.json

prints bytes: the peak of this very process. STAGE is ``bare`` (nothing is
imported), ``imports`` (the engine is), or ``run`` (the graph is read, compiled
and run, and all its results are kept).
"""

import sys


def peak() -> int:
    """Return the most bytes that this process has had in memory; Linux alone tells."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib is an import, too
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmHWM")


def run(path: str) -> None:
    """Read, compile and run the spell in a file."""
    import asyncio  # noqa: PLC0415 - to import is what is measured

    from benchmarks.engine.nodes import library  # noqa: PLC0415
    from spellwork import Execution, Spell, compile  # noqa: PLC0415

    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        plan = compile(Spell.model_validate_json(file.read()), library)
    result = asyncio.run(Execution(plan).run())
    assert len(result.outputs) == len(plan)


if __name__ == "__main__":
    stage, path = sys.argv[1:]
    if stage == "imports":
        import benchmarks.engine.nodes  # noqa: F401
    elif stage == "run":
        run(path)
    print(peak())
