"""How a command reads its settings, does its work, and tells in one line what was refused."""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called

from __future__ import annotations

import sys
from typing import Any

import click


def read_settings(**given: Any) -> Any:
    """Return the server's settings, with those that were given; None is not given."""
    from pydantic import ValidationError

    from spellwork_server.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise click.UsageError("Wrong settings: " + "; ".join(lines)) from error


def need_token(token: str | None) -> str:
    """Return the token, or say how to give one."""
    if not token:
        raise click.UsageError("Say who you are: --token KEY, or the variable SPELLWORK_TOKEN")
    return token


def write_out(content: bytes | None) -> None:
    """Write bytes to standard output as they are."""
    if content is not None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()


def attempt(work: Any) -> Any:
    """Do some work; what it refuses is told in one line."""
    from spellwork.errors import SpellworkError
    from spellwork_server.errors import ServerError

    try:
        return work()
    except (SpellworkError, ServerError) as error:
        click.echo(f"Error: {error.message} ({error.code})", err=True)
        raise SystemExit(2) from error
