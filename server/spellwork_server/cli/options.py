"""What several commands take."""

from __future__ import annotations

from pathlib import Path

import click

from spellwork_server.commands import FORMS

DATA = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of the database and the secret key [default: data].",
)


URL = click.option(
    "--url",
    envvar="SPELLWORK_URL",
    default="http://127.0.0.1:8765",
    show_default=True,
    help="Address of the running server; or the variable SPELLWORK_URL.",
)

SPELL = click.Path(exists=True, path_type=Path)
"""A file in any form, or a spell's folder."""


FORM = click.Choice([*FORMS, "folder"])

TOKEN = click.option(
    "--token",
    envvar="SPELLWORK_TOKEN",
    help="API key (see: spellwork token); better by the variable SPELLWORK_TOKEN, which others do not see.",
)
