"""What is wrong with a spell: one frozen record per finding."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Code = Literal[
    "cycle",
    "unknown_node_type",
    "unknown_port",
    "incompatible_types",
    "dangling_edge",
    "duplicate_wire",
    "missing_input",
    "invalid_input",
    "code_error",
    "ambiguous_name",
    "redefined_name",
    "reads_itself",
    "shadows_builtin",
    "invalid_transform",
    "not_a_choice",
    "outdated_version",
    "unknown_spell",
    "invalid_body",
    "recursive_spell",
    "wire_leaves_body",
    "too_large",
    "invalid_requirement",
    "missing_packages",
    "invalid_test",
]

FAULTS: frozenset[Code] = frozenset(
    {
        "missing_input",
        "invalid_input",
        "code_error",
        "ambiguous_name",
        "reads_itself",
        "invalid_transform",
        "unknown_spell",
        "invalid_body",
        "invalid_requirement",
        "missing_packages",
    }
)
"""Problems that fail their node when it runs, instead of keeping the spell from running."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing wrong with a spell, and where.

    What lies at a name in code has line, column and end_column (exclusive) in ``details``, counted in
    characters from 1. Further ``details`` by code: ``cycle`` path (ids, first repeated at the end), names
    (where code closes it: node, name, source and the place); ``missing_input`` known (close names);
    ``ambiguous_name`` sources; ``redefined_name`` others;
    ``unknown_node_type`` known (close matches); ``unknown_port`` allowed;
    ``incompatible_types`` reason, suggest (transforms that would make the wire
    fit, where some would); ``not_a_choice`` allowed; ``outdated_version``
    version, newest; ``code_error`` line, column; ``unknown_spell``
    spell; ``recursive_spell`` path; ``invalid_body`` problems (those of the child, where it has
    some), types (those that are missing); ``missing_packages`` spell, packages (name to what the child requires); ``wire_leaves_body`` source, owners; ``too_large`` size, limit; ``invalid_requirement``
    requirement; ``invalid_test`` test, path (in it), allowed. A warning does not keep the spell from running.
    """

    code: Code
    message: str
    node: str | None = None
    edge: str | None = None
    port: str | None = None
    severity: Literal["error", "warning"] = "error"
    details: dict[str, Any] = {}

    def to_json(self) -> dict[str, Any]:
        """Return the problem as JSON; fields that say nothing are left out, but for ``severity``."""
        body: dict[str, Any] = msgspec.to_builtins(self)
        return body | {"severity": self.severity}
