"""Runs one scenario of ``js/drive.mjs``: the official JavaScript client against a server of the test."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from tools.client import node

HERE = Path(__file__).parent
CLIENT = HERE.parents[2] / "client"


async def drive(scenario: str, url: str, **argument: Any) -> Any:
    """Return the scenario's result; fail with what Node said where it broke."""
    process = await asyncio.create_subprocess_exec(
        node(),
        str(HERE / "js" / "drive.mjs"),
        str(CLIENT),
        scenario,
        url,
        json.dumps(argument),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out)
