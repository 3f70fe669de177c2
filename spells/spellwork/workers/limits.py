"""What one worker process may use."""

from __future__ import annotations

from dataclasses import dataclass

from spellwork_worker.frames import MAX_FRAME


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What one worker may use; with what is over it the node fails whose code asked for it.

    ``memory_mb`` is address space of each process, and memory of all together where the system
    counts it; ``files_mb`` what its directory may hold; ``processes`` counts threads too.
    ``cpu_seconds`` and ``wall_seconds`` are of one call; None: any. ``max_frame`` is the bytes
    of one call's inputs, one chunk, or one call's outputs.
    """

    memory_mb: int = 1024
    cpu_seconds: float | None = 3_600
    processes: int = 128
    open_files: int = 1024
    files_mb: int = 512
    wall_seconds: float | None = 86_400
    max_frame: int = MAX_FRAME
