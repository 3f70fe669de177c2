"""What runs ask people: kept until it is answered, over restarts, and handed to the run wherever that is."""

from __future__ import annotations

from .tasks import Tasks
from .timer import TaskTimer

__all__ = ["TaskTimer", "Tasks"]
