"""`spellwork serve`, and what is done beside it on its data: accounts, keys, a look whether all is well."""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called

from __future__ import annotations

import gc
from pathlib import Path

import click

from .doing import attempt, read_settings
from .options import DATA


@click.command()
@click.option("--host", help="Address to listen on [default: 127.0.0.1].")
@click.option("--port", type=int, help="Port to listen on; 0 picks a free one [default: 8765].")
@DATA
def serve(host: str | None, port: int | None, data: Path | None) -> None:
    """Serve until interrupted. Further settings are SPELLWORK_* variables."""
    gc.disable()  # until all is loaded: nothing made at start is garbage
    from spellwork_server.serve import serve as run_server

    try:
        run_server(read_settings(host=host, port=port, data=data))
    except OSError as error:
        raise click.ClickException(f"Cannot listen: {error}") from error


@click.group()
def user() -> None:
    """Accounts."""


@user.command("add")
@click.argument("email")
@click.option("--password", required=True, help="At least 8 characters are wise.")
@click.option("--role", type=click.Choice(["admin", "member"]), default="member", show_default=True)
@click.option("--name", default="", help="Shown to others [default: from the address].")
@DATA
def add_user(email: str, password: str, role: str, name: str, data: Path | None) -> None:
    """Add an account; the server may be running or not."""
    from spellwork_server.commands.accounts import add_account

    attempt(
        lambda: add_account(
            read_settings(data=data), email, password=password, role=role, name=name
        )
    )
    click.echo(f"Added {email} ({role})", err=True)


@click.group()
def secrets() -> None:
    """Secrets, as they are encrypted."""


@secrets.command("rotate")
@DATA
def rotate_secrets(data: Path | None) -> None:
    """Encrypt all secrets under a new key; the server may be running or not.

    With a key of your own, first put the new one before the old: SPELLWORK_SECRETS_KEY=NEW,OLD.
    """
    from spellwork_server.commands.secret_keys import rotate

    count = attempt(lambda: rotate(read_settings(data=data)))
    click.echo(f"{count} secrets are under the new key", err=True)


@click.command()
@click.argument("email")
@click.option("--name", default="command line", show_default=True, help="What the key is for.")
@DATA
def token(email: str, name: str, data: Path | None) -> None:
    """Print a new API key of an account, and nothing else."""
    from spellwork_server.commands.accounts import make_key

    click.echo(attempt(lambda: make_key(read_settings(data=data), email, name)))


@click.command()
@DATA
def doctor(data: Path | None) -> None:
    """Check this installation: packs, client, database. Exits with 1 if something is wrong."""
    from spellwork_server.commands.doctor import examine

    findings = attempt(lambda: examine(read_settings(data=data)))
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.subject}: {finding.message}")
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)
