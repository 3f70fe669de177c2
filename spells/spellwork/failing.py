"""Turn what a node raised into a frozen record."""

from __future__ import annotations

import concurrent.futures
import traceback
from pathlib import Path

from spellwork_worker.tracebacks import short_path

from .errors import SpellworkError
from .result import NodeFailure
from .values import to_json

_ENGINE = (str(Path(__file__).parent), str(Path(concurrent.futures.__file__).parent))
"""Where frames lie that are nobody's but ours: the engine, and its threads."""

TRACEBACK_LIMIT = 20_000
"""Characters of a traceback that are kept, from its end."""

MESSAGE_LIMIT = 10_000


def failure_of(error: BaseException) -> NodeFailure:
    """Return the record of what a node raised. Frames of the engine itself are left out of the traceback."""
    attempts = getattr(error, "spellwork_attempts", 1)
    if isinstance(error, SpellworkError):
        code, message = error.code, error.message
        details = to_json(error.details)
    else:
        text = str(error)
        code, details = "exception", {}
        message = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return NodeFailure(
        code=to_json(code),
        message=to_json(message[:MESSAGE_LIMIT]),
        port=getattr(error, "port", None) if isinstance(error, SpellworkError) else None,
        traceback=to_json(_traceback(error)),
        attempts=attempts,
        details=details,
        retryable=getattr(error, "retryable", True) is not False,
    )


def _traceback(error: BaseException) -> str | None:
    told = getattr(error, "traceback", None)  # a worker tells it as text
    if isinstance(told, str):
        return told[-TRACEBACK_LIMIT:]
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_ENGINE):
        frames = frames.tb_next
    if frames is None and isinstance(error, SpellworkError):
        return None
    told_by = traceback.TracebackException(type(error), error, frames)
    _shorten(told_by)
    return "".join(told_by.format())[-TRACEBACK_LIMIT:]


def _shorten(part: traceback.TracebackException) -> None:
    """Show modules, not where they lie on the disk; likewise in errors that led to this one."""
    for frame in part.stack:
        frame.filename = short_path(frame.filename)
    led_here = (part.__cause__, part.__context__, *(part.exceptions or ()))
    for earlier in filter(None, led_here):
        _shorten(earlier)
