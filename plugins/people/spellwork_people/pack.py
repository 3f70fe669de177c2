"""The pack, as the entry point names it."""

from __future__ import annotations

from spellwork import Pack

from .approval import approval
from .choice import choice
from .form import form

pack = Pack(name="people", version="0.1.0", title="People", nodes=(approval, form, choice))
