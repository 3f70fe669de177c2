"""Commands about the workers of a running server, and two that are workers."""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called

from __future__ import annotations

from pathlib import Path

import click

from .doing import attempt, need_token, read_settings
from .options import DATA, TOKEN, URL


@click.group(invoke_without_command=True)
@click.option("--queues", help="Carry runs of these queues, with commas between; serve nothing.")
@DATA
@click.pass_context
def worker(context: click.Context, queues: str | None, data: Path | None) -> None:
    """Workers: where code of canvases runs. With --queues, be a process that carries runs."""
    if context.invoked_subcommand is not None:
        return
    if queues is None:
        click.echo(context.get_help())
        return
    from spellwork_server.serve import carry

    carry(attempt(lambda: read_settings(data=data, queues=queues)))


@worker.command("list")
@click.option("--canvas", help="What this canvas can be put on; without it, the shared workers.")
@URL
@TOKEN
def list_workers_of(canvas: str | None, url: str, token: str | None) -> None:
    """List workers: how each is, and what it uses."""
    from spellwork_server.commands.remote import Remote
    from spellwork_server.commands.workers import list_workers

    def work() -> list[str]:
        with Remote(url, need_token(token)) as remote:
            return list_workers(remote, canvas)

    for line in attempt(work):
        click.echo(line)


def _steering(what: str, words: str) -> None:
    """Add a command that steers one worker."""

    @worker.command(what, help=words)
    @click.argument("id")
    @URL
    @TOKEN
    def steer(id: str, url: str, token: str | None) -> None:
        from spellwork_server.commands.remote import Remote
        from spellwork_server.commands.workers import steer_worker

        def work() -> str:
            with Remote(url, need_token(token)) as remote:
                return steer_worker(remote, id, what)

        click.echo(attempt(work))


_steering("start", "Start a worker that was stopped. A canvas's own has the canvas's ID.")
_steering("stop", "Stop a worker until somebody starts it; its calls fail.")
_steering("restart", "End a worker's process, and start it anew.")


@worker.command("withdraw")
@click.argument("id")
@click.option("--canvas", required=True, help="The canvas from which it is taken away.")
@URL
@TOKEN
def withdraw_worker_from(id: str, canvas: str, url: str, token: str | None) -> None:
    """Take an external worker away from a canvas."""
    from spellwork_server.commands.remote import Remote
    from spellwork_server.commands.workers import withdraw_worker

    def work() -> str:
        with Remote(url, need_token(token)) as remote:
            return withdraw_worker(remote, id, canvas)

    click.echo(attempt(work))


@worker.command("logs")
@click.argument("id")
@URL
@TOKEN
def worker_logs(id: str, url: str, token: str | None) -> None:
    """Print the last lines of a worker's log."""
    from spellwork_server.commands.remote import Remote
    from spellwork_server.commands.workers import worker_log

    def work() -> list[str]:
        with Remote(url, need_token(token)) as remote:
            return worker_log(remote, id)

    for line in attempt(work):
        click.echo(line)


@worker.command("connect")
@click.argument("url", metavar="wss://HOST")
@click.argument("target", metavar="MODULE:CLASS")
@click.option(
    "--token",
    envvar="SPELLWORK_WORKER_TOKEN",
    help="The token of this worker; better by the variable SPELLWORK_WORKER_TOKEN.",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Its configuration as JSON; where it is edited from a canvas, it is written here.",
)
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates to verify the server's with, in the place of the system's.",
)
def connect_worker(
    url: str, target: str, token: str | None, config: Path | None, ca: Path | None
) -> None:
    """Connect an object of this machine to a server: its methods are nodes on the canvases it was given to.

    Make the worker and its token on the server first. It runs until interrupted,
    and comes back by itself when the connection is lost.
    """
    from spellwork_server.commands.connecting import connect

    if not token:
        raise click.UsageError("Say which worker this is: --token T, or SPELLWORK_WORKER_TOKEN")
    attempt(
        lambda: connect(url, token, target, config, ca, lambda line: click.echo(line, err=True))
    )
