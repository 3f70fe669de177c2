"""Worker processes: where code that people write on a canvas runs, and nowhere else.

A worker has its own process group, an empty environment, a private directory,
limits, and one pipe to its pool. The program it runs is ``spellwork_worker``.
"""

from .errors import CallFailed, InputTooLarge, NotTransferable, WorkerDied
from .pool import WorkerPool

__all__ = ["CallFailed", "InputTooLarge", "NotTransferable", "WorkerDied", "WorkerPool"]
