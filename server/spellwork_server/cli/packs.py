"""Commands about packs: those of a running server's workers, and one to write."""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .doing import attempt, need_token
from .options import TOKEN, URL


@click.group()
def pack() -> None:
    """Packs of a running server's workers."""


OF_CANVAS = click.option("--canvas", help="The worker of this canvas.")
OF_WORKER = click.option("--worker", help="This worker, by its id (administrators).")


@pack.command("install")
@click.argument("source", metavar="NAME[==VERSION]|FILE.whl")
@click.option("--sha256", help="What is installed must have this hash.")
@OF_CANVAS
@OF_WORKER
@URL
@TOKEN
def install_pack_of(
    source: str,
    sha256: str | None,
    canvas: str | None,
    worker: str | None,
    url: str,
    token: str | None,
) -> None:
    """Install a pack into a worker, from an index or a wheel; canvases on it show its nodes at once.

    Exits with 1 if the pack is broken, saying why.
    """
    from spellwork_server.commands.packs import install_pack, place_of
    from spellwork_server.commands.remote import Remote

    def work() -> Any:
        with Remote(url, need_token(token)) as remote:
            return install_pack(remote, source, place_of(canvas, worker), sha256)

    _put_pack(attempt(work), whole=True)


@pack.command("list")
@OF_CANVAS
@OF_WORKER
@URL
@TOKEN
def list_packs_of(canvas: str | None, worker: str | None, url: str, token: str | None) -> None:
    """List the packs of a worker."""
    from spellwork_server.commands.packs import list_packs, place_of
    from spellwork_server.commands.remote import Remote

    def work() -> Any:
        with Remote(url, need_token(token)) as remote:
            return list_packs(remote, place_of(canvas, worker))

    for each in attempt(work):
        _put_pack(each, whole=False)


@pack.command("remove")
@click.argument("name")
@OF_CANVAS
@OF_WORKER
@URL
@TOKEN
def remove_pack_of(
    name: str, canvas: str | None, worker: str | None, url: str, token: str | None
) -> None:
    """Remove a pack from a worker. Its nodes stay on canvases, and run again once it is back."""
    from spellwork_server.commands.packs import place_of, remove_pack
    from spellwork_server.commands.remote import Remote

    def work() -> Any:
        with Remote(url, need_token(token)) as remote:
            return remove_pack(remote, name, place_of(canvas, worker))

    click.echo(f"Removed {attempt(work)['distribution']}", err=True)


def _put_pack(each: dict[str, Any], *, whole: bool) -> None:
    """Print a pack; one that is broken, with ``whole``, with its reason, and exit with 1."""
    nodes = sum(of["nodes"] for of in each["packs"])
    version = each["version"] or each["specifier"] or "?"
    click.echo(f"{each['distribution']} {version}: {each['state']}, {nodes} node types")
    for type, reason in each["left_out"].items():
        click.echo(f"  without {type}: {reason}", err=True)
    if each["state"] == "failed":
        click.echo(f"  {each['reason']}", err=True)
        if whole:
            click.echo(each["traceback"] or "", err=True, nl=bool(each["traceback"]))
            raise SystemExit(1)


@click.command("new-pack")
@click.argument("name")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def new_pack_project(name: str, folder: Path | None) -> None:
    """Make the project of a pack called NAME, with two nodes and tests that pass.

    FOLDER is made; it is spellwork-NAME unless given.
    """
    from spellwork_server.commands.new_pack import new_pack

    for path in attempt(lambda: new_pack(name, folder)):
        click.echo(path)
