"""``spellwork worker connect``: an object of this machine, whose methods are nodes of a server elsewhere."""

from __future__ import annotations

import asyncio
import importlib
import json
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spellwork.external import ExternalWorker
from spellwork.external.connection import serve
from spellwork.external.hosted import Hosted
from spellwork_server.errors import BadRequest


def connect(
    url: str,
    token: str,
    target: str,
    config: Path | None,
    ca: Path | None,
    said: Callable[[str], None],
) -> None:
    """Serve the object until interrupted.

    Raises:
        BadRequest: for a target or configuration that is none.
        Refused: when the server refuses it.
    """
    kind = _class_of(target)
    try:
        hosted = Hosted.of(kind, _read(config), config)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise BadRequest(f"{config or 'The configuration'}: {'; '.join(lines)}") from error
    asyncio.run(_serve(hosted, url, token, ca, said))


async def _serve(
    hosted: Hosted, url: str, token: str, ca: Path | None, said: Callable[[str], None]
) -> None:
    work = asyncio.get_running_loop().create_task(serve(hosted, url, token, ca=ca, said=said))
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    await hosted.open()
    try:
        with suppress(asyncio.CancelledError):
            await work
    finally:
        await hosted.close()


def _class_of(target: str) -> type[ExternalWorker]:
    module, colon, name = target.partition(":")
    if not colon:
        raise BadRequest.field("TARGET", f"{target!r} is not MODULE:CLASS")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise BadRequest.field("TARGET", f"{target!r} cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, ExternalWorker)):
        raise BadRequest.field("TARGET", f"{target!r} is no ExternalWorker")
    return found


def _read(config: Path | None) -> Any:
    if config is None or not config.exists():
        return {}
    try:
        return json.loads(config.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadRequest.field("--config", f"{config} cannot be read: {error}") from error
