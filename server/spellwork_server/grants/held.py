"""A canvas's secret in the hands of a node of the server: what the node requests brings it to no other hosts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from spellwork.errors import NodeError
from spellwork.workers.addresses import normal_host
from spellwork.workers.broker import Caller

from .masking import Masks
from .requests import GrantedSecret, not_for_host

Granted = Callable[[Caller], Awaitable[Mapping[str, GrantedSecret]]]
"""Returns the secrets that a canvas was granted, by name, as it is now."""


@dataclass(frozen=True, slots=True)
class HeldOfCanvas:
    """See ``spellwork.outbound.holding``. Whether it may go somewhere is asked at each request."""

    canvas: str
    name: str
    value: str = field(repr=False)
    granted: Granted = field(compare=False, repr=False)
    masks: Masks = field(default_factory=Masks, compare=False, repr=False)

    def __post_init__(self) -> None:
        self.masks.add(self.value)

    @property
    def longest(self) -> int:
        """Bytes that it takes at most."""
        return self.masks.longest

    def is_in(self, content: bytes) -> bool:
        """Say whether it can be read there."""
        return self.masks.are_in(content)

    async def may_go(self, host: str, port: int) -> bool:
        """Say whether the canvas was granted it for a host."""
        granted = await self._now()
        try:
            name = normal_host(host)
        except ValueError:
            return False
        return granted is not None and any(each.covers(name, port) for each in granted.hosts)

    async def refusal(self, host: str, port: int) -> NodeError:
        """Return why it may not go there."""
        granted = await self._now()
        return not_for_host(self.name, () if granted is None else granted.hosts, host, port)

    async def _now(self) -> GrantedSecret | None:
        return (await self.granted(Caller(self.canvas, None))).get(self.name)
