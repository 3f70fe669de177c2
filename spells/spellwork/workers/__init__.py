"""Worker processes: where code that people write on a canvas runs, and nowhere else.

A worker has its own process group, an empty environment, a private directory,
limits, and one pipe to its pool. It is confined: no files but its own and the
installed packages, no network, no other process. The program it runs is
``spellwork_worker``.
"""

from spellwork_worker.confinement import Confinement

from .closing import close_memory
from .errors import CallFailed, InputTooLarge, NotTransferable, WorkerDied
from .pool import WorkerPool

__all__ = [
    "CallFailed",
    "Confinement",
    "InputTooLarge",
    "NotTransferable",
    "WorkerDied",
    "WorkerPool",
    "close_memory",
]
