"""The cache: values by hash, how much is kept, and how to forget it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field

from spellwork_server.identity import require
from spellwork_server.runs.gone_values import gone_among
from spellwork_server.runs.output_cache import SharedCache
from spellwork_server.runs.pages import PageRequest, Pages, ValuePage
from spellwork_server.runs.run_reader import RunReader
from spellwork_server.storage.cache import CacheStore

from .service import Call, Nothing, Request, Service, View, operation


class ReadValue(PageRequest):
    """A page of a value that stands in an event or a run as ``{$ref, size, preview}``."""

    hash: str = Field(pattern=r"^[0-9a-f]{32}$")


class AskGone(Request):
    """Values in workers, by what stands for them (``$handle``)."""

    handles: list[Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]] = Field(max_length=1_000)


class GoneView(View):
    """Those of them that are there no more, each with the reason, as a step says why it runs again."""

    gone: dict[str, str]


class CacheView(View):
    """How much is kept. ``values`` and ``size`` (bytes) count what runs and cache entries name, of all users; values of a kilobyte and less aside."""

    entries: int = Field(
        description="Cached node calls: the caller's, or for an administrator all."
    )
    values: int
    size: int
    hits: int = Field(description="Look-ups that found something, since the server started.")
    misses: int


class ClearCache(Request):
    """Whose cached node calls to forget."""

    all: bool = Field(default=False, description="Everybody's; for administrators.")


class Cleared(View):
    """How many cached node calls were forgotten."""

    entries: int


class CacheService(Service):
    """Values by hash, and cached node calls."""

    name: ClassVar[str] = "cache"

    def __init__(
        self, cache: SharedCache, store: CacheStore, reader: RunReader, pages: Pages
    ) -> None:
        self._pages = pages
        self._cache = cache
        self._store = store
        self._reader = reader

    @operation(
        summary="Read a large value by its hash",
        rest=("GET", "/v1/cache/values/{hash}"),
        errors=("value_not_found", "value_gone", "worker_busy", "not_transferable"),
    )
    async def value(self, call: Call, request: ReadValue) -> ValuePage:
        """Give a page of the value, if a run that the caller may read has left it.

        Values of a kilobyte and less are with the run alone: ``runs.get`` and ``runs.output`` give them.
        """
        actor = require(call.actor, "cache.read")
        await self._reader.may_read_value(actor, request.hash)
        return await self._pages.page(
            request.hash, partial(self._reader.value, request.hash), request
        )

    @operation(
        summary="Say which values are gone from their workers", rest=("POST", "/v1/cache/gone")
    )
    async def gone(self, call: Call, request: AskGone) -> GoneView:
        """Say it of values that a tab shows, as when it comes back; later ones are told in ``values.gone``."""
        require(call.actor, "cache.read")
        return GoneView(gone=gone_among(request.handles))

    @operation(summary="Say how much is cached", rest=("GET", "/v1/cache"))
    async def stats(self, call: Call, request: Nothing) -> CacheView:
        """Count cached node calls and values."""
        actor = require(call.actor, "cache.read")
        stats = await self._store.stats(None if actor.is_admin else actor.user_id)
        return CacheView(
            entries=stats.entries,
            values=stats.values,
            size=stats.size,
            hits=self._cache.hits,
            misses=self._cache.misses,
        )

    @operation(summary="Forget cached node calls", rest=("DELETE", "/v1/cache"))
    async def clear(self, call: Call, request: ClearCache) -> Cleared:
        """Forget the caller's cached node calls, or everybody's; what runs left stays."""
        actor = require(call.actor, "cache.clear" if request.all else "cache.read")
        return Cleared(entries=await self._cache.clear(None if request.all else actor.user_id))
