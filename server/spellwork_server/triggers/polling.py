"""One look at an address: what is there now, and whether that differs from what was there before."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork.errors import NodeError
from spellwork.values import to_data_url
from spellwork.workers.broker import Caller
from spellwork_server.errors import ServerError
from spellwork_server.storage.triggers import TriggerRecord, put_cursor, put_fault
from spellwork_server.strict_json import read_json

from .firing import Came, Firer, nothing
from .kinds import PollSettings, read_settings

MAX_VALUE = 256 * 1024
"""Bytes, as JSON, of a value that is kept to be compared and told as ``previous``."""

SECONDS = 30.0

Fetch = Callable[[Caller, str, dict[str, Any]], Awaitable[Any]]
"""``CanvasGrants.answer``: asks a host that the canvas was granted, and no other. Raises NodeError."""


class LookFailed(Exception):
    """Nothing was found that could be compared; says why."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look found. ``value`` is plain JSON; ``hash`` is equal where it is."""

    value: Any
    hash: str
    etag: str | None
    modified: str | None


class Poller:
    """Looks at addresses by the rules for what canvases may reach."""

    def __init__(self, firer: Firer, fetch: Fetch) -> None:
        self._firer = firer
        self._fetch = fetch

    async def find(self, trigger: TriggerRecord) -> Seen | LookFailed | None:
        """Return what is there; None where the host says that nothing changed. May be ended at any time."""
        try:
            await self._firer.require_owner(trigger)
            return await self._seen(trigger)
        except (NodeError, ServerError) as error:
            return LookFailed(str(error))
        except LookFailed as failed:
            return failed

    async def take(self, trigger: TriggerRecord, seen: Seen | LookFailed | None) -> None:
        """Note what was found. The first look notes what is there; a later one that finds something else fires.

        Raises:
            NotNow: nothing was noted; the next look finds the change.
        """
        if isinstance(seen, LookFailed):
            await self._fail(trigger, str(seen))
            return
        cursor = trigger.cursor or {}
        if seen is None or cursor.get("hash") == seen.hash:
            await self._same(trigger, cursor if seen is None else cursor | _told(seen))
            return
        count = int(cursor.get("count", 0)) + 1
        noted = {"count": count, "hash": seen.hash, "value": seen.value} | _told(seen)

        async def write(conn: AsyncConnection) -> None:
            await put_cursor(conn, trigger, noted)

        if "hash" not in cursor:
            await self._same(trigger, noted)
            return
        now = self._firer.clock()
        values = {"value": seen.value, "previous": cursor.get("value"), "due": now}
        await self._firer.fire(trigger, Came(f"change:{count}", now, values), write)

    async def _seen(self, trigger: TriggerRecord) -> Seen | None:
        """Return what is there; None where the host says that nothing changed."""
        settings: PollSettings = read_settings(trigger.kind, trigger.settings)
        headers, cursor = dict(settings.headers), trigger.cursor or {}
        if cursor.get("etag"):
            headers["If-None-Match"] = cursor["etag"]
        if cursor.get("modified"):
            headers["If-Modified-Since"] = cursor["modified"]
        answer = await self._fetch(
            Caller(trigger.canvas_id, trigger.user_id),
            "fetch",
            {"method": "GET", "url": settings.url, "headers": headers, "timeout": SECONDS},
        )
        status = int(answer["status"])
        if status == 304 and "hash" in cursor:
            return None
        if not 200 <= status < 300:
            raise LookFailed(f"the host answered {status}")
        return read_answer(answer, settings.pointer)

    async def _same(self, trigger: TriggerRecord, cursor: dict[str, Any]) -> None:
        if cursor == trigger.cursor and trigger.fault is None:
            return

        async def write(conn: AsyncConnection) -> None:
            await put_cursor(conn, trigger, cursor)
            await put_fault(conn, trigger.id, None)

        if await self._firer.commit(write) and trigger.fault is not None:
            await self._firer.changed(trigger.id)

    async def _fail(self, trigger: TriggerRecord, why: str) -> None:
        """Say why nothing could be looked at, once for as long as it is the same."""
        if trigger.fault != why[:1_000]:
            now = self._firer.clock()
            await self._firer.refuse(trigger, Came(f"look:{now:.3f}", now), why, nothing)


def read_answer(answer: Mapping[str, Any], pointer: str | None) -> Seen:
    """Return what an answer holds. Raises LookFailed."""
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    content: bytes = answer["content"]
    value = _value(content, headers.get("content-type", ""), pointer)
    body = msgspec.json.encode(value, order="sorted")
    if len(body) > MAX_VALUE:
        raise LookFailed(
            f"the value has {len(body):,} bytes; at most {MAX_VALUE:,} are compared. Name a part of it by a pointer"
        )
    found = hashlib.sha256(body if pointer is not None else content).hexdigest()
    return Seen(value, found, _short(headers.get("etag")), _short(headers.get("last-modified")))


def _value(content: bytes, media_type: str, pointer: str | None) -> Any:
    kind = media_type.partition(";")[0].strip().lower()
    if pointer is not None or kind == "application/json" or kind.endswith("+json"):
        try:
            return at_pointer(read_json(content), pointer or "")
        except (ValueError, RecursionError) as error:
            raise LookFailed(f"the answer is not JSON: {error}") from error
    try:
        return content.decode()
    except UnicodeDecodeError:
        return to_data_url(content)


def at_pointer(value: Any, pointer: str) -> Any:
    """Return the part of a value that a JSON Pointer (RFC 6901) names. Raises LookFailed."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isascii() and name.isdigit() and len(name) < 10:
            if int(name) >= len(value):
                raise LookFailed(f"{pointer!r} leads nowhere in what was answered, at {name!r}")
            value = value[int(name)]
        else:
            raise LookFailed(f"{pointer!r} leads nowhere in what was answered, at {name[:80]!r}")
    return value


def _told(seen: Seen) -> dict[str, Any]:
    return {"etag": seen.etag, "modified": seen.modified}


def _short(header: str | None) -> str | None:
    return header if header and len(header) <= 1_000 else None
