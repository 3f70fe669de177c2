"""Who somebody is, how they prove it, and what they may do."""

from __future__ import annotations

from .actor import Actor
from .policy import (
    Action,
    CanvasAccess,
    CommentAccess,
    RunAccess,
    TaskAccess,
    UserAccess,
    allowed,
    require,
)

__all__ = [
    "Action",
    "Actor",
    "CanvasAccess",
    "CommentAccess",
    "RunAccess",
    "TaskAccess",
    "UserAccess",
    "allowed",
    "require",
]
