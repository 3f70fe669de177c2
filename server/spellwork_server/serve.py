"""``spellwork serve``: the server as a process, from the bound port to the last acknowledgement.

``spellwork worker --queues`` is the same without a port.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import Coroutine
from typing import Any

from aiohttp import web

from spellwork.workers import close_memory

from .app import PARTS, make_app
from .assembly.parts import Parts
from .garbage import Garbage
from .heap import share_heap
from .logs import set_up_logs
from .services.users import link_address
from .settings import Settings

logger = logging.getLogger(__name__)

BACKLOG = 1024

SETTLE_SECONDS = 1.0
"""Seconds from being ready until what was made at start is walked once and set aside; garbage waits so long."""

SWITCH_SECONDS = 0.0005
"""Seconds for which a thread keeps Python's lock while another waits for it. With Python's own 5 ms, a commit beside
a busy loop takes as long as a few hundred others, and so does a frame beside a node that computes in a thread."""

PUBLIC_OPERATIONS = frozenset(
    {
        "auth.login",
        "auth.link",
        "auth.refresh",
        "auth.logout",
        "invitations.look",
        "invitations.join",
        "tasks.look",
        "tasks.answer_by_link",
    }
)
"""All that may be done without authentication: proving who one is, that one is invited, or that one was asked."""


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; then refuse, flush, acknowledge and close."""
    _prepare(settings)
    listener = bind(settings)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    _run(_serve(settings, listener))


def carry(settings: Settings) -> None:
    """Carry runs of queues until SIGINT or SIGTERM, and serve nothing; what goes on then waits for another process."""
    _prepare(settings)
    _run(_serve(settings, None))


def _prepare(settings: Settings) -> None:
    close_memory()
    share_heap()
    set_up_logs(settings.log_level, as_json=settings.log_json)


def bind(settings: Settings) -> socket.socket:
    """Take the port before anything else, so that a second server stops at once. Raises OSError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _serve(settings: Settings, listener: socket.socket | None) -> None:
    sys.setswitchinterval(SWITCH_SECONDS)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    app = make_app(settings)
    parts = app[PARTS]
    if listener is not None:
        require_authentication(parts)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=settings.stop_timeout)
    garbage = Garbage()
    settled: asyncio.TimerHandle | None = None
    try:
        await runner.setup()
        if listener is not None:
            await _say_how_to_sign_in(parts)
            await web.SockSite(runner, listener).start()
            _say(f"Spellwork is ready at {settings.url}")
        else:
            queues = "all queues" if settings.queues is None else ", ".join(settings.queues)
            _say(f"Spellwork carries runs of {queues}")
        settled = loop.call_later(SETTLE_SECONDS, garbage.begin)
        await stop.wait()
        logger.info("stopping")
        parts.health.stopping = True
    finally:
        if settled is not None:
            settled.cancel()
        garbage.end()
        await runner.cleanup()


def require_authentication(parts: Parts) -> None:
    """Refuse to listen beyond this machine if anything but signing in were open to everybody."""
    opened = {each.name for each in parts.registry.operations.values() if each.public}
    if not is_loopback(parts.settings.host) and not opened <= PUBLIC_OPERATIONS:
        raise SystemExit(
            f"Refusing to listen on {parts.settings.host}: without authentication anybody could do "
            + ", ".join(sorted(opened - PUBLIC_OPERATIONS))
        )


async def _say_how_to_sign_in(parts: Parts) -> None:
    """Print a link for the administrator, as long as they have no other way in."""
    token = await parts.identity.accounts.first_link()
    if token is not None:
        link = link_address(parts.settings.url, token)
        _say(f"Sign in as the administrator, once: {link}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _run(main: Coroutine[Any, Any, None]) -> None:
    if sys.platform == "win32":
        asyncio.run(main)
    else:
        import uvloop  # noqa: PLC0415 - there is none for Windows

        uvloop.run(main)
