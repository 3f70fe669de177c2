"""Progress bars of tqdm, turned into progress events of the node that draws them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .context import Context

try:  # not a dependency: packs bring it or not
    from tqdm import std as _bars
except ImportError:  # pragma: no cover - depends on what is installed
    _bars = None  # type: ignore[assignment]

_current: ContextVar[Context | None] = ContextVar("spellwork_tracked_context", default=None)


@contextmanager
def tracked(context: Context) -> Iterator[None]:
    """Send what tqdm would draw in here to ``context.progress`` instead of the terminal."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


def _display(bar: Any, *args: Any, **kwargs: Any) -> Any:
    context = _current.get()
    if context is None:
        return _draw(bar, *args, **kwargs)
    context.progress(bar.n / bar.total if bar.total else None, str(bar.desc or ""))
    return True


if _bars is not None:
    _draw: Any = _bars.tqdm.display
    setattr(_bars.tqdm, "display", _display)  # noqa: B010 - a plain assignment is not well typed
