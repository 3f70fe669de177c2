"""Everything the engine raises.

::

    SpellworkError                 code, message, details
    ├── SpellInvalid               the spell cannot be compiled (code of its first problem)
    ├── SpellUnreadable            a file or value that is not a spell
    │   └── FormatInvalid          a text or bytes that are not in the form they should be (line, column)
    ├── WorkflowInvalid            a call of the builder that makes no sense
    ├── InvalidInput               a run was given an input the spell does not have
    │   └── NoValue                the last run left no value where one is needed
    ├── CodeError                  the code of a node does not parse (line, column)
    ├── NodeTypeInvalid            a function that cannot be a node type
    ├── PackInvalid                a pack that cannot be loaded
    ├── RunActive                  an Execution was started twice
    ├── RunTimeout                 the run took longer than it may
    └── NodeError                  raised by a node: it fails with this code
        ├── NodeSkipped            the node lets nothing pass: it is skipped, not failed
        ├── NodeCancelled          the run was cancelled while the node worked
        ├── OutputTooLarge         an output is over the limit
        ├── OutputTooDeep          an output nests deeper than is allowed
        ├── OutputInvalid          what a node returned does not fit its ports
        ├── SecretMissing          the node asked for a secret it does not have
        ├── InputRejected          a value on an input port does not fit it
        ├── TransformFailed        a wire could not do to a value what it should
        ├── StreamEnded            something was put into a stream that had ended
        ├── StreamFailed           the node that filled a stream failed while it was read
        ├── BodyFailed             a node inside the node failed (code of that failure)
        ├── TooManyCalls           the run called its nodes more often than it may
        └── NodeTimeout            the node took longer than it may

A node that fails does not raise through the run: the engine turns what it
raised into a frozen ``NodeFailure``. ``code`` values are stable and go on the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .problems import Problem
    from .result import NodeFailure
    from .step import Step


class SpellworkError(Exception):
    """The root of the tree: a stable ``code``, a ``message`` for people, ``details`` for programs."""

    code = "spellwork_error"

    def __init__(
        self, message: str, *, code: str | None = None, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.details: dict[str, Any] = details or {}


class SpellInvalid(SpellworkError):
    """Say why a spell does not compile; ``problems`` holds every one, the first gives the code."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__(
            first.message + more,
            code=first.code,
            details={"problems": [p.to_json() for p in self.problems]},
        )


class SpellUnreadable(SpellworkError):
    """A file or value that does not hold a spell."""

    code = "spell_unreadable"


class FormatInvalid(SpellUnreadable):
    """A text or bytes that are not in the form they should be; ``line`` and ``column`` count from 1."""

    code = "format_invalid"

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        column: int | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        if line is not None:
            column = column or 1
            message = f"line {line}, column {column}: {message}"
            details = (details or {}) | {"line": line, "column": column}
        super().__init__(message, details=details)


class WorkflowInvalid(SpellworkError):
    """A call of the builder that makes no sense: a wire that fits nowhere, an id that is taken."""

    code = "workflow_invalid"


class InvalidInput(SpellworkError):
    """A run was given an input that the spell does not have; ``details.allowed`` lists those it has."""

    code = "invalid_input"


class NoValue(InvalidInput):
    """A run of some nodes only needs values that the last run did not leave; ``details.nodes`` has whose."""

    code = "no_value"

    def __init__(self, nodes: Sequence[str]) -> None:
        named = ", ".join(map(repr, nodes[:20])) + (" ..." if len(nodes) > 20 else "")
        super().__init__(
            f"the last run left no value of {named}: run what is needed, too",
            details={"nodes": list(nodes)},
        )


class CodeError(SpellworkError):
    """The code of a node does not parse. ``resolve`` functions raise it; ``line`` and ``column`` count from 1.

    ``end_column``, where it is known, is exclusive and on the same line.
    """

    code = "code_error"

    def __init__(
        self, message: str, *, line: int = 1, column: int = 1, end_column: int | None = None
    ) -> None:
        end = {} if end_column is None else {"end_column": end_column}
        super().__init__(message, details={"line": line, "column": column} | end)
        self.line = line
        self.column = column


class NodeTypeInvalid(SpellworkError):
    """A function that ``@node`` cannot turn into a node type."""

    code = "node_type_invalid"


class PackInvalid(SpellworkError):
    """A pack that cannot be loaded or clashes with another."""

    code = "pack_invalid"


class RunActive(SpellworkError):
    """An Execution runs once; make a new one to run again."""

    code = "run_active"


class RunTimeout(SpellworkError):
    """The run took longer than it may: it was ended, and what its nodes had left by then is kept."""

    code = "run_timeout"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the run took longer than {seconds:g} s", details={"seconds": seconds})


class NodeError(SpellworkError):
    """Raised inside a node: it fails with this code, message and, where known, the port at fault.

    ``retryable=False`` fails at once, whatever the node's retries; ``retry_after``
    (seconds) is waited instead of the backoff when it is longer.
    """

    code = "node_error"
    retryable = True

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        port: str | None = None,
        details: dict[str, Any] | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, code=code, details=details)
        self.port = port
        self.retry_after = retry_after
        if retryable is not None:
            self.retryable = retryable


class NodeCancelled(NodeError):
    """The run was cancelled while the node worked; ``Context.check_cancelled`` raises it."""

    code = "cancelled"
    retryable = False


class OutputTooDeep(NodeError):
    """An output nests deeper than those who read it can follow."""

    code = "output_too_deep"
    retryable = False

    def __init__(self, limit: int, port: str | None = None) -> None:
        super().__init__(
            f"the output {port!r} nests lists or objects more than {limit} deep",
            port=port,
            details={"limit": limit},
        )


class OutputTooLarge(NodeError):
    """An output is over the limit."""

    code = "output_too_large"
    retryable = False

    def __init__(self, size: int, limit: int, port: str | None = None) -> None:
        where = f"the output {port!r}" if port else "the outputs"
        super().__init__(
            f"{where} would be {size:,} bytes as JSON; at most {limit:,} are allowed",
            port=port,
            details={"size": size, "limit": limit},
        )


class OutputInvalid(NodeError):
    """What a node returned does not fit its output ports."""

    code = "invalid_output"
    retryable = False


class SecretMissing(NodeError):
    """The node asked for a secret that is not declared by its type or not known to the host."""

    code = "secret_missing"
    retryable = False


class InputRejected(NodeError):
    """A value on an input port does not fit the port."""

    code = "invalid_input"
    retryable = False


class TransformFailed(NodeError):
    """A wire's transform cannot take the value that came; ``details``: edge, op, reason, value (as short JSON)."""

    code = "transform_failed"
    retryable = False

    def __init__(self, edge: str, port: str, op: str, reason: str, value: str) -> None:
        super().__init__(
            f"the wire {edge!r} into {port!r}: {reason}",
            port=port,
            details={"edge": edge, "op": op, "reason": reason, "value": value},
        )


class StreamEnded(NodeError):
    """Nothing can be put into a stream, or taken from its beginning, any more."""

    code = "stream_ended"
    retryable = False


class StreamFailed(NodeError):
    """The node that filled a stream failed while others took chunks of it; ``__cause__`` is what it raised."""

    code = "stream_failed"
    retryable = False


class NodeSkipped(NodeError):
    """Raised by a node that lets nothing pass: it is skipped with this message as the reason, and has not failed."""

    code = "skipped"
    retryable = False


class BodyFailed(NodeError):
    """A node inside another failed; ``details`` say which, and the code is that of its failure.

    ``path`` leads there from outside, ``node`` is its id where it is drawn, and
    ``label`` what people call it. Nested deeper, all of them and the message
    stay those of the node where it began.
    """

    def __init__(self, path: str, step: Step, failure: NodeFailure) -> None:
        place = {"path": path, "node": step.id, "label": step.node.name or step.type.title}
        named = f"{path} ({step.node.name!r})" if step.node.name else path
        began = place.keys() <= failure.details.keys()
        super().__init__(
            failure.message if began else f"{named}: {failure.message}",
            code=failure.code,
            details=failure.details if began else failure.details | place,
            retryable=failure.retryable,
        )
        self.traceback = failure.traceback


class TooManyCalls(NodeError):
    """The run called its nodes as often as it may."""

    code = "too_many_calls"
    retryable = False

    def __init__(self, most: int) -> None:
        super().__init__(
            f"the run has called its nodes {most:,} times, which is as often as it may",
            details={"limit": most},
        )


class NodeTimeout(NodeError):
    """The node took longer than its ``timeout`` setting allows."""

    code = "timeout"
