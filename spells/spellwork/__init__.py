"""Spellwork's engine: what a spell is, how it compiles, how it runs.

No network, no server. A script::

    import spellwork

    result = spellwork.run("hello.json", inputs={"a.value": 3})
    print(result.outputs["b"]["result"])

A pack::

    from spellwork import Context, Pack, node

    @node("demo.double", title="Double", category="Numbers")
    async def double(number: float) -> float:
        \"\"\"Twice the number.\"\"\"
        return number * 2

    pack = Pack(name="demo", version="1.0", title="Demo", nodes=(double,))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .asking import Question
from .cache import CachedOutputs, MemoryCache, OutputCache
from .compiler import compile
from .context import Context, DetachedHost, RunContext
from .decorator import node
from .errors import (
    CodeError,
    FormatInvalid,
    InvalidInput,
    NodeCancelled,
    NodeError,
    NodeSkipped,
    NodeTypeInvalid,
    NoValue,
    OutputTooDeep,
    OutputTooLarge,
    PackInvalid,
    SecretMissing,
    SpellInvalid,
    SpellUnreadable,
    SpellworkError,
    StreamEnded,
    StreamFailed,
    WorkflowInvalid,
)
from .events import Event, Sink, Watcher
from .execution import Execution
from .executor import Executor
from .library import Library
from .limiting import Limiters, LimitRules
from .limits import Limits
from .memory import RunMemory
from .migration import Migrated, NodeUpgrade
from .node_type import NodeType
from .pack import Pack
from .past import Ended
from .plan import Plan
from .ports import SKIP, Place, Port, Ports, Remark
from .problems import Problem
from .result import NodeFailure, RunResult
from .spell import Edge, Group, Node, NodeSettings, Note, Spell
from .step import Step
from .suggestion import suggest_back, suggest_wires
from .validation import validate

if TYPE_CHECKING:
    from .live import LiveSession
    from .reading import read_spell
    from .standalone import run, run_async
    from .workflow import Subspell, Workflow

__all__ = [
    "SKIP",
    "CachedOutputs",
    "CodeError",
    "Context",
    "DetachedHost",
    "Edge",
    "Ended",
    "Event",
    "Execution",
    "Executor",
    "FormatInvalid",
    "Group",
    "InvalidInput",
    "Library",
    "LimitRules",
    "Limiters",
    "Limits",
    "LiveSession",
    "MemoryCache",
    "Migrated",
    "NoValue",
    "Node",
    "NodeCancelled",
    "NodeError",
    "NodeFailure",
    "NodeSettings",
    "NodeSkipped",
    "NodeType",
    "NodeTypeInvalid",
    "NodeUpgrade",
    "Note",
    "OutputCache",
    "OutputTooDeep",
    "OutputTooLarge",
    "Pack",
    "PackInvalid",
    "Place",
    "Plan",
    "Port",
    "Ports",
    "Problem",
    "Question",
    "Remark",
    "RunContext",
    "RunMemory",
    "RunResult",
    "SecretMissing",
    "Sink",
    "Spell",
    "SpellInvalid",
    "SpellUnreadable",
    "SpellworkError",
    "Step",
    "StreamEnded",
    "StreamFailed",
    "Subspell",
    "Watcher",
    "Workflow",
    "WorkflowInvalid",
    "compile",
    "node",
    "read_spell",
    "run",
    "run_async",
    "suggest_back",
    "suggest_wires",
    "validate",
]

_LATER = {
    "LiveSession": "live",
    "Subspell": "workflow",
    "Workflow": "workflow",
    "read_spell": "reading",
    "run": "standalone",
    "run_async": "standalone",
}
"""Names whose modules are loaded when first asked for: a run of a compiled spell needs none of them."""


def __getattr__(name: str) -> Any:
    """Return what a name of ``_LATER`` stands for."""
    if name in _LATER:
        found = getattr(import_module(f".{_LATER[name]}", __name__), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
