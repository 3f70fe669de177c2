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
from .live import LiveSession
from .memory import RunMemory
from .migration import Migrated, NodeUpgrade
from .node_type import NodeType
from .pack import Pack
from .plan import Plan
from .ports import SKIP, Port, Ports
from .problems import Problem
from .reading import read_spell
from .result import NodeFailure, RunResult
from .spell import Edge, Group, Node, NodeSettings, Note, Spell
from .standalone import run, run_async
from .step import Step
from .suggestion import suggest_back, suggest_wires
from .validation import validate
from .workflow import Subspell, Workflow

__all__ = [
    "SKIP",
    "CachedOutputs",
    "CodeError",
    "Context",
    "DetachedHost",
    "Edge",
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
    "Plan",
    "Port",
    "Ports",
    "Problem",
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
