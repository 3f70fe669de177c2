"""Tracebacks for the person who wrote the code: only their frames, with lines counted in the cell."""

from __future__ import annotations

import errno
import linecache
import traceback
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import TracebackType

_WORKER = str(Path(__file__).parent)
_OWN = ("<frozen importlib", "<string>")


def remember(filename: str, code: str) -> None:
    """Let tracebacks quote the cell's lines."""
    linecache.cache[filename] = _entry(filename, code)


@lru_cache(maxsize=64)
def _entry(filename: str, code: str) -> tuple[int, None, list[str], str]:
    return len(code), None, code.splitlines(keepends=True), filename


def cell_line(error: BaseException, filename: str) -> int | None:
    """Return the line of the cell in which the error arose, or None when it arose elsewhere."""
    if isinstance(error, SyntaxError) and error.filename == filename:
        return error.lineno
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == filename
    ]
    return lines[-1] if lines else None


def was_refused(error: BaseException) -> bool:
    """Whether the system refused something, here or in an error that led to this one.

    Without sockets no name of a host can be looked up either, which says so as ``gaierror``.
    """
    return any(
        isinstance(link, (PermissionError, ProcessLookupError)) or type(link).__name__ == "gaierror"
        for link in chain(error)
    ) or any(_outside_of_worker(link) for link in chain(error))


def _outside_of_worker(error: BaseException) -> bool:
    """Whether a file was not found, or could not be written, where a worker sees nothing but what it is granted."""
    path = getattr(error, "filename", None)
    return (
        isinstance(error, OSError)
        and error.errno in (errno.ENOENT, errno.EROFS, errno.EXDEV)
        and isinstance(path, str)
        and path.startswith("/")
        and not path.startswith(f"{Path.cwd()}/")
    )


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, then those that led to it, the nearest first."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def explain(error: BaseException, filename: str | None) -> str:
    """Return the traceback as text.

    With a cell's ``filename`` it shows the frames of the cell only; without, every
    frame but the worker's own. Errors that led to this one come first, as in Python.
    """
    parts = [_one(link, filename) for link in chain(error)]
    return "\n\nwhich led to\n\n".join(reversed(parts))


def _one(error: BaseException, filename: str | None) -> str:
    lines = [
        _frame(frame, filename) for frame in traceback.extract_tb(_outside(error.__traceback__))
    ]
    shown = [line for line in lines if line]
    summary = "".join(traceback.format_exception_only(error)).rstrip()
    if filename is not None:
        summary = summary.replace(f'File "{filename}", line', "cell line")
    return "\n".join([*shown, summary])


def _frame(frame: traceback.FrameSummary, filename: str | None) -> str:
    if filename is not None and frame.filename != filename:
        return ""
    where = "cell" if filename is not None else f"{short_path(frame.filename)},"
    inside = "" if frame.name == "<module>" else f", in {frame.name}"
    return f"{where} line {frame.lineno}{inside}" + (f"\n    {frame.line}" if frame.line else "")


def short_path(filename: str) -> str:
    """Return the last two parts of a path: where packages lie on a server is nobody's business."""
    return "/".join(Path(filename).parts[-2:])


def _outside(trace: TracebackType | None) -> TracebackType | None:
    """Skip the frames of the worker itself and of the import machinery."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith((_WORKER, *_OWN)):
        trace = trace.tb_next
    return trace
