"""``spellwork worker list|start|stop|restart|withdraw|logs``: the workers of a running server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from .remote import Remote


def list_workers(remote: Remote, canvas: str | None) -> list[str]:
    """Return a line for each worker that a canvas can be put on, or for each shared one; ``*`` is the one it is on."""
    query = "" if canvas is None else f"?canvas={quote(canvas, safe='')}"
    found = remote.call("GET", f"/v1/workers{query}")
    return [
        f"{'*' if each['id'] == found['current'] else ' '} {worker_line(each)}"
        for each in found["items"]
    ]


def steer_worker(remote: Remote, worker: str, what: str) -> str:
    """Start, stop or restart a worker; return a line that says how it is."""
    return worker_line(remote.call("POST", f"/v1/workers/{quote(worker, safe='')}/{what}"))


def withdraw_worker(remote: Remote, worker: str, canvas: str) -> str:
    """Take an external worker away from a canvas; return a line that says so."""
    place = f"{quote(canvas, safe='')}/external-workers/{quote(worker, safe='')}"
    remote.call("DELETE", f"/v1/canvases/{place}")
    return f"{worker} is not on {canvas} any more"


def worker_log(remote: Remote, worker: str) -> list[str]:
    """Return the last lines of a worker's log."""
    found = remote.call("GET", f"/v1/workers/{quote(worker, safe='')}/logs")
    return [
        f"{datetime.fromtimestamp(each['at'], UTC):%Y-%m-%d %H:%M:%S}Z "
        f"{each['level']:<7} {each['text']}"
        for each in found["lines"]
    ]


def worker_line(worker: dict[str, Any]) -> str:
    """Return a worker in one line: id, state, kind, what it uses, name, and why it failed."""
    metrics = worker["metrics"]
    memory = "-" if not metrics["memory_bytes"] else f"{metrics['memory_bytes'] // 2**20} MB"
    parts = [
        f"{worker['id']:<32}",
        f"{worker['state']:<12}",
        f"{worker['kind']:<8}",
        f"{memory:>8}",
        f"{metrics['calls']:>6} calls",
        worker["name"],
        worker["reason"] or "",
    ]
    return "  ".join(part for part in parts if part).rstrip()
