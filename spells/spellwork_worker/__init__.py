"""The program that runs inside a worker process, and the reading of Python cells.

It imports the standard library and msgspec, nothing of ``spellwork``: a worker
starts in tens of milliseconds, holds little memory, and can later live in an
environment of its own. The other end of its pipe is ``spellwork.workers``.

``cells`` and ``names`` only parse; the server may import them. ``running``
executes, and is imported by the worker alone.
"""
