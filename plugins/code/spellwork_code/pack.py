"""The pack, as the entry point names it."""

from __future__ import annotations

from spellwork import Pack

from .python import python
from .typescript import typescript

pack = Pack(name="code", version="0.1.0", title="Code", nodes=(python, typescript))
