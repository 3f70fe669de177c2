"""The sample spells that ship with the server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from spellwork_server.identity import require
from spellwork_server.samples import Sample

from .service import Call, Nothing, Service, View, operation


class SampleView(View):
    """A sample, with what a person reads before opening it. ``spell`` is a spell as JSON."""

    id: str
    title: str
    sentence: str
    spell: dict[str, Any]


class SampleList(View):
    """The samples, the fullest first."""

    items: list[SampleView]


class SampleService(Service):
    """Samples: make a canvas with one's ``spell`` on it to open it."""

    name = "samples"

    def __init__(self, samples: Callable[[], Sequence[Sample]]) -> None:
        self._samples = samples

    @operation(summary="List the sample spells", rest=("GET", "/v1/samples"))
    async def find(self, call: Call, _request: Nothing) -> SampleList:
        """List the spells that ship with the server."""
        require(call.actor, "nodes.read")
        return SampleList(items=[SampleView(**each) for each in self._samples()])
