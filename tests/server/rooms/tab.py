"""A person's tab as the rooms see it: a Yjs document that makes updates, and takes others'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pycrdt import Doc, Map, Text

KINDS = ("meta", "nodes", "edges", "groups", "notes", "requirements", "tests")


class Tab:
    """A document like a browser's, with the canvas's roots."""

    def __init__(self, client_id: int | None = None) -> None:
        self.doc: Doc[Any] = Doc(client_id=client_id)
        self.roots: dict[str, Map[Any]] = {kind: self.doc.get(kind, type=Map) for kind in KINDS}
        self.updates: list[bytes] = []
        self.doc.observe(lambda event: self.updates.append(event.update))

    def __getitem__(self, kind: str) -> Map[Any]:
        return self.roots[kind]

    def edit(self, write: Callable[[], object]) -> bytes:
        """Write in one transaction; return the update."""
        self.updates.clear()
        with self.doc.transaction():
            write()
        return self.updates[-1]

    def apply(self, *updates: bytes) -> None:
        for update in updates:
            self.doc.apply_update(update)

    def add(self, key: str, type: str = "core.value", **fields: Any) -> bytes:
        """Draw a node."""
        node = {"type": type, "inputs": Map({}), "settings": Map({}), "position": [0.0, 0.0]}
        return self.edit(lambda: self["nodes"].update({key: Map(node | fields)}))

    def wire(self, key: str, source: str, target: str) -> bytes:
        edge = {"source": source, "output": "value", "target": target, "input": "value"}
        return self.edit(lambda: self["edges"].update({key: Map(edge)}))

    def code(self, key: str, text: str) -> bytes:
        return self.add(key, "code.python", code=Text(text))

    def remove(self, kind: str, key: str) -> bytes:
        return self.edit(lambda: self[kind].pop(key))

    def put(self, key: str, port: str, value: Any) -> bytes:
        """Type a value into a node."""
        return self.edit(lambda: self["nodes"][key]["inputs"].update({port: value}))

    def state(self) -> dict[str, Any]:
        return {kind: root.to_py() for kind, root in self.roots.items()}
