"""Observable's runtime in Node, measured by ``observable/bench.js``."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "observable"
ROUNDS = 60


def missing() -> str | None:
    """Return why Observable cannot be measured, or None; installs it when it is not."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "there is no Node.js on PATH"
    if not (HERE / "node_modules").exists():
        install = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        if subprocess.run(install, cwd=HERE, check=False).returncode:
            return "npm could not install @observablehq/runtime"
    return None


def observe(graph: Any, rounds: int = ROUNDS, root: int | None = None) -> dict[str, Any]:
    """Return {runs, build, results}: milliseconds of each warm run, and of the build.

    ``graph`` as in ``graphs``, or {"waits", "ms"}. With ``root`` only that node
    changes; "results" are those after it was given the number of rounds.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "graph.json"
        path.write_text(json.dumps(graph), encoding="utf-8")
        output = subprocess.run(
            ["node", "bench.js", str(path), str(rounds), *([] if root is None else [str(root)])],
            cwd=HERE,
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout
    body: dict[str, Any] = json.loads(output)
    body["runs"] = body["runs"][len(body["runs"]) // 3 :]
    return body
