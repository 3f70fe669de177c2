"""Progress bars of tqdm, turned into progress events of the node that draws them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from .context import Context

_current: ContextVar[Context | None] = ContextVar("spellwork_tracked_context", default=None)


@contextmanager
def tracked(context: Context) -> Iterator[None]:
    """Send what tqdm would draw in here to ``context.progress`` instead of the terminal."""
    _listen()
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


@cache
def _listen() -> None:
    """Hear of every bar from now on; tqdm is loaded with the first call that may draw one, and not before."""
    try:  # not a dependency: packs bring it or not
        from tqdm import std  # noqa: PLC0415 - a tenth of every start
    except ImportError:  # pragma: no cover - depends on what is installed
        return
    draw: Any = std.tqdm.display

    def display(bar: Any, *args: Any, **kwargs: Any) -> Any:
        context = _current.get()
        if context is None:
            return draw(bar, *args, **kwargs)
        context.progress(bar.n / bar.total if bar.total else None, str(bar.desc or ""))
        return True

    setattr(std.tqdm, "display", display)  # noqa: B010 - a plain assignment is not well typed
