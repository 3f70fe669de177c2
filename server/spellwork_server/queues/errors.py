"""What queues refuse.

::

    ServerError
    ├── Conflict
    │   └── QueueDraining    409  queue_draining
    └── NotFound
        └── QueueNotFound    404  queue_not_found
"""

from __future__ import annotations

from spellwork_server.errors import Conflict, NotFound


class QueueDraining(Conflict):
    """The queue is being emptied, and takes no new runs."""

    default_code = "queue_draining"

    def __init__(self, queue: str) -> None:
        super().__init__(
            f"The queue {queue!r} is draining: what waits is carried, and nothing is added",
            details={"queue": queue},
        )


class QueueNotFound(NotFound):
    """Nobody has set up such a queue, nor put a run into it."""

    default_code = "queue_not_found"

    def __init__(self, queue: str) -> None:
        super().__init__(f"There is no queue {queue!r}", details={"queue": queue})
