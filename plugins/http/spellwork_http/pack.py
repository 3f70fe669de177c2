"""The pack, as the entry point names it."""

from __future__ import annotations

from spellwork import Pack

from .graphql import graphql
from .request import request

pack = Pack(name="http", version="0.1.0", title="HTTP", nodes=(request, graphql))
