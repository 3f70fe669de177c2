"""The steps of a plan: one per node that runs, with where its inputs come from.

They are out of the garbage collector's sight (``gc=False``): a plan has
thousands, none can be part of a cycle, and looking through them at each
collection took longer than making them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from .node_type import CachePolicy, NodeType
from .ports import Ports
from .problems import Problem
from .spell import Node, Transform
from .transform import has_default

if TYPE_CHECKING:
    from .subplan import SubPlan


Stand = Literal["muted", "pinned", "bypassed", "kept"]
"""Why a node is not run: nothing leaves it, its outputs are given by hand, what comes in leaves again,
or its outputs are those of the last run."""


Pass = tuple[str, str, bool]
"""An output that takes what comes to an input instead; true: the first item of what comes."""


class Wire(msgspec.Struct, frozen=True, gc=False):
    """A value on an input that an output of an earlier step brings.

    ``edge`` is None for a dependency that is not drawn but named in code.
    ``transform`` is what the wire does to the value on its way, in order.
    ``spared``: the step runs without it, for what its body does with it does.
    """

    source: int
    output: str
    edge: str | None = None
    transform: tuple[Transform, ...] = ()
    spared: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether something comes to the step by it in any case, or need not."""
        return self.spared or has_default(self.transform)


class Binding(msgspec.Struct, frozen=True, gc=False):
    """How one input of a step gets its value: from ``wires``, else it is ``value``.

    ``value`` is plain JSON as typed in, or the port's default; ``given`` is
    what the function gets of it (coerced to its type hint). ``many``: the
    function gets the list of what all wires bring, in the order of the edges'
    ids. ``check``: what arrives is checked, for the types do not prove it fits.
    """

    port: str
    wires: tuple[Wire, ...] = ()
    value: Any = None
    given: Any = None
    many: bool = False
    check: bool = False


class Step(msgspec.Struct, frozen=True, gc=False):
    """One node of a plan; ``index`` is its place in ``Plan.steps``.

    ``local`` is the hash of what the node itself is (type, version, code,
    environment); ``Plan.shapes`` and ``Plan.recipes`` have more. ``fault``: the node cannot run and will fail
    with this problem's code and message. ``stand``: the node is not run, and
    what stands for it (see ``standing``); ``pins`` are outputs given by hand,
    in the place of what the node gives, and ``passes`` what passes through one
    that is bypassed. ``body`` is what it runs inside itself.
    """

    index: int
    id: str
    node: Node
    type: NodeType
    ports: Ports
    bindings: tuple[Binding, ...]
    local: str
    cache: CachePolicy
    ttl: float | None = None
    timeout: float | None = None
    retries: int = 0
    backoff: float = 0.5
    fault: Problem | None = None
    stand: Stand | None = None
    pins: dict[str, Any] = {}
    passes: tuple[Pass, ...] = ()
    body: SubPlan | None = None
    left: str | None = None
    """Of one that stands as the last run left it: its shape then."""

    @property
    def first_why(self) -> str:
        """Why it runs where nothing is known of what it gave before."""
        return "not cacheable" if self.cache == "none" else "new"

    @property
    def label(self) -> str:
        """The node as people know it: its name, else its id."""
        return self.node.name or self.id
