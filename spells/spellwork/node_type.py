"""What a node type is: a function, its ports, and how it may be run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter

from .migration import Migration
from .ports import Place, Port, Ports
from .spell import Node

Form = Literal["async", "sync", "generator", "async generator"]
CachePolicy = Literal["deterministic", "private", "none", "ttl"]
Isolation = Literal["inline", "thread", "worker", "external"]
Waits = Literal["all", "any"]
Returns = Literal["value", "ports"]
BodyPorts = Callable[[Node, Ports | None, frozenset[str]], Ports]
"""(a node, the ports of its body, those of its inputs that get a list's items one by one) -> the node's ports."""

Provider = str | Callable[[Mapping[str, Any]], str | None]
"""A name, or what tells it by the inputs of a call (which may hold anything); None: nobody is asked."""


@dataclass(frozen=True, slots=True, eq=False)
class NodeType:
    """A kind of node: made by ``@node``, found in a ``Library``, compared by identity.

    ``returns``: "value" means what ``call`` returns is the value of the only
    output; "ports" that it returns ``{port: value}`` (or a NamedTuple).
    ``waits``: "any" runs the node once all its wires are done or skipped and
    at least one brought a value. ``resolve`` gives a node's own ports when
    they depend on its code or inputs; it is pure and may raise ``CodeError``.
    ``places`` gives every place in which code (the first argument) speaks of one
    of its inputs or outputs (the second); it is pure and may raise ``CodeError``.
    ``unit`` gives, as plain values, what a worker needs to run a node's code where it
    cannot read the code itself; it is as ``resolve`` is.
    ``body_ports`` makes a type one that may run a body (``settings.body``): it
    gives the ports that follow from the body's, and from which of its inputs
    get the items of a list one by one; it is pure and may raise ``CodeError``;
    the body is None where the node has none. ``fans_out``: a list on an input
    of the body that takes none is such. ``marks``: its nodes stand for an input
    or output of the spell or group they are in (see ``interface``).
    ``takes_handles``: inputs that the function hands on without looking at them; there it
    gets handles of what stays in a worker.
    ``timeout`` and ``backoff`` are seconds. ``preview``: cheap enough to run
    while somebody types. ``limiter``: the provider whose limits its calls
    count against. ``migrate``: by version, how a node of that version becomes
    one of the next; pure. ``choices``: by name, which values an input may have,
    for a node as it is; pure.
    """

    id: str
    call: Callable[..., Any]
    version: int = 1
    title: str = ""
    category: str = "Other"
    description: str = ""
    keywords: tuple[str, ...] = ()
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    extra_inputs: bool = False
    form: Form = "async"
    wants_context: bool = False
    returns: Returns = "value"
    waits: Waits = "all"
    takes_handles: frozenset[str] = frozenset()
    cache: CachePolicy = "deterministic"
    ttl: float | None = None
    isolation: Isolation = "inline"
    side_effects: bool = False
    committed: bool | None = None
    """Whether runs with a barrier wait around its calls; None: as ``is_committed`` finds."""
    timeout: float | None = None
    retries: int = 0
    backoff: float = 0.5
    language: str | None = None
    resolve: Callable[[Node], Ports] | None = None
    unit: Callable[[Node], dict[str, Any]] | None = None
    places: Callable[[str, str], Sequence[Place]] | None = None
    body_ports: BodyPorts | None = None
    fans_out: bool = False
    marks: Literal["input", "output"] | None = None
    secrets: tuple[str, ...] = ()
    preview: bool = False
    limiter: Provider | None = None
    migrate: Mapping[int, Migration] = field(default_factory=dict)
    choices: Mapping[str, Callable[[Node], Sequence[Any]]] = field(default_factory=dict)
    expose_in_library: bool = True
    example: Mapping[str, Any] = field(default_factory=dict)
    adapters: Mapping[str, TypeAdapter[Any]] = field(default_factory=dict)
    """How a value for an input is checked, by port; ports not listed take anything."""
    plain_inputs: frozenset[str] = frozenset()
    """Inputs whose Python type is plain JSON: a wire proven to fit by its schema needs no check."""
    target: str | None = None
    """What to call instead of ``call``, as the place that has it names it: ``call`` is not here then (``stubs``)."""
    pin: str = ""
    """The hash of what it was installed from, where its outputs may depend on that; part of recipes."""

    @property
    def ports(self) -> Ports:
        """The ports as declared, before ``resolve``."""
        return Ports(self.inputs, self.outputs, self.extra_inputs)

    @property
    def is_committed(self) -> bool:
        """Whether a call of it must not be made twice unawares: it has effects, costs money, or gives another value each time."""
        if self.committed is not None:
            return self.committed
        if self.body_ports is not None or self.marks is not None:
            return False
        return self.side_effects or self.cache == "none" or self.limiter is not None

    @property
    def path(self) -> str:
        """``module:qualname`` of the function, as a worker process imports it."""
        return self.target or f"{self.call.__module__}:{self.call.__qualname__}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, as if it had not been decorated."""
        return self.call(*args, **kwargs)

    def describe(self) -> dict[str, Any]:
        """Return the JSON that the library of a browser is made of."""
        return {
            "type": self.id,
            "version": self.version,
            "title": self.title,
            "category": self.category,
            "description": self.description,
            "keywords": list(self.keywords),
            **self.ports.describe(),
            "language": self.language,
            "dynamic": self.resolve is not None or self.body_ports is not None,
            "body": self.body_ports is not None,
            "cache": self.cache,
            "isolation": self.isolation,
            "side_effects": self.side_effects,
            "waits": self.waits,
            "preview": self.preview,
            "limiter": self.limiter if isinstance(self.limiter, str) else None,
            "example": dict(self.example),
        }
