"""Log lines: one each for people, or one JSON object each for machines. Tokens never reach them."""

from __future__ import annotations

import json
import logging
import re
import sys
import time

SECRET = re.compile(r"sw_[A-Za-z0-9_-]{20,}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""API keys and access tokens, should one ever be part of a message."""


CONTROLS = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)
}
"""Characters by which a message could rewrite what a terminal shows, and what stands for them."""

CHATTY = (
    "alembic",
    "engineio",
    "socketio",
    "spellwork_server.engineio",
    "spellwork_server.socketio",
)
"""Loggers whose ordinary lines say nothing to an operator."""


class _Redacted(logging.Formatter):
    """Formats for people: secrets blotted out, further lines indented, so that nobody can forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record).translate(CONTROLS)
        return SECRET.sub("***", text.replace("\n", "\n  "))


class _Json(logging.Formatter):
    """Formats as JSON: time, level, logger, message, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return SECRET.sub("***", json.dumps(line, ensure_ascii=False))


def set_up_logs(level: str, *, as_json: bool) -> None:
    """Send log lines of ``level`` and above to standard error. For programs, not for libraries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Json() if as_json else _Redacted("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
