"""Sends what code prints to the pool, in few frames, while the code still runs.

Lines are gathered and sent by a thread of their own some 30 ms later, so that a
loop that prints does not flood the run's log, and a slow loop is seen at once.
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Callable

GATHER = 0.03
"""Seconds for which lines are gathered into one message."""

MAX_MESSAGE = 8_192
"""Characters of one message."""

MAX_PRINTED = 1_000_000
"""Characters one call may print; what comes after is dropped, and one line says so."""

_BAR = re.compile(r"^(?P<what>[^%|]{0,80}?):?\s*(?P<percent>\d{1,3})%\|")
"""A progress bar as tqdm draws it."""

Say = Callable[[str, str], None]
"""Takes a message and its level."""

Report = Callable[[float, str], None]
"""Takes a fraction and a message."""


class Printed:
    """The standard output and error of the code, as two text files.

    ``begin`` and ``end`` enclose a call; ``end`` sends what is left.
    """

    def __init__(self, say: Say, report: Report) -> None:
        self._say = say
        self._report = report
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._room = MAX_PRINTED
        self.out = PrintedFile(self, "info")
        self.error = PrintedFile(self, "warning")

    def begin(self) -> None:
        """Start the count of a new call."""
        with self._lock:
            self._room = MAX_PRINTED

    def end(self) -> None:
        """Send everything that is left, the last unended line too."""
        with self._lock:
            self._send(whole=True)

    def add(self, file: PrintedFile, text: str) -> None:
        """Take text that was printed, and send it soon."""
        with self._lock:
            if self._room <= 0:
                return
            file.pending += text[: self._room]
            self._room -= len(text)
            if self._room <= 0:
                file.pending += (
                    f"\n(further output was dropped: a call may print {MAX_PRINTED:,} characters)\n"
                )
            if len(file.pending) >= MAX_MESSAGE:
                self._send(whole=False)
        if self._thread is None:
            self._thread = threading.Thread(target=self._gather, name="printed", daemon=True)
            self._thread.start()
        self._wake.set()

    def _gather(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(GATHER)
            self._wake.clear()
            with self._lock:
                self._send(whole=False)

    def _send(self, *, whole: bool) -> None:
        for file in (self.out, self.error):
            if not file.pending:
                continue
            text, file.pending = file.pending, ""
            if not whole:
                text, file.pending = _split(text)
            lines = [line for line in text.splitlines() if not self._is_bar(line)]
            message = "\n".join(lines).rstrip()
            for start in range(0, len(message), MAX_MESSAGE):
                self._say(message[start : start + MAX_MESSAGE], file.level)

    def _is_bar(self, line: str) -> bool:
        """Turn a line that is a progress bar into progress."""
        bar = _BAR.match(line)
        if bar is None:
            return False
        self._report(min(1.0, int(bar["percent"]) / 100), bar["what"].strip())
        return True


class PrintedFile(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr`` of the code."""

    def __init__(self, printed: Printed, level: str) -> None:
        self._printed = printed
        self.level = level
        self.pending = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute in the standard library's stubs
        """UTF-8, as everywhere."""
        return "utf-8"

    def writable(self) -> bool:
        """Take text."""
        return True

    def write(self, text: str, /) -> int:
        """Take the text, and return its length."""
        if not isinstance(text, str):
            raise TypeError(f"write() takes text, not {type(text).__name__}")
        self._printed.add(self, text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: text is sent on its own."""


def _split(text: str) -> tuple[str, str]:
    """Return the ended lines, and the start of the next one (ended by force when it is long)."""
    place = max(text.rfind("\n"), text.rfind("\r"))
    if place < 0 and len(text) >= MAX_MESSAGE:
        return text, ""
    return text[: place + 1], text[place + 1 :]
