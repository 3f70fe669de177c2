"""Read YAML that anybody may have written, as JSON values: bounded, and strict where a merge goes wrong.

Built on the parser's events, so that what is too deep or too large is refused
when it is met. Beyond JSON it takes comments, blocks, and anchors with aliases
(each alias counts as all it stands for). Two keys of one name are refused, for
that is what a careless merge leaves. A key is the text that was written: ``on``
is a port's name, not true. A date is the text that was written, too.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from spellwork.errors import FormatInvalid

MAX_DEPTH = 250
"""Lists and objects within each other."""

MAX_VALUES = 5_000_000
"""Values in a file, each counted as often as it is named: ten lines of aliases can stand for billions."""

MAX_DIGITS = 4_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_KNOWN = frozenset({"str", "int", "float", "bool", "null", "seq", "map"})
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?: |$)", re.MULTILINE)


def read_yaml(data: bytes | str) -> Any:
    """Return the one document of a YAML text as JSON values; None of an empty one.

    Raises:
        FormatInvalid: with line and column where it is not what this reads.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatInvalid(f"not UTF-8: {error}") from error
    loader = None
    try:
        loader = _Loader(text)
        return _Reader(loader).document()
    except yaml.MarkedYAMLError as error:
        _refuse_conflict(text)
        mark = error.problem_mark
        message = f"not YAML: {error.problem or error.context}"
        if mark is None:
            raise FormatInvalid(message) from error
        raise FormatInvalid(message, line=mark.line + 1, column=mark.column + 1) from error
    except yaml.YAMLError as error:
        raise FormatInvalid(f"not YAML: {' '.join(str(error).split())}") from error
    except (ValueError, OverflowError) as error:
        raise FormatInvalid(f"not YAML: {error}") from error
    finally:
        if loader is not None:
            loader.dispose()


def _refuse_conflict(text: str) -> None:
    found = _CONFLICT.search(text)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        raise FormatInvalid("the marks of a merge that is not resolved", line=line, column=1)


class _Reader:
    """One document, event by event. ``_anchors`` keeps what is named, with how many values it is."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0

    def document(self) -> Any:
        self._next()  # the stream's start
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        value = self._value(self._next(), 0)
        self._next()  # the document's end
        more = self._next()
        if not isinstance(more, yaml.StreamEndEvent):
            raise _wrong(more, "a second document; a file holds one")
        return value

    def _next(self) -> Any:
        return self._loader.get_event()

    def _value(self, event: Any, depth: int) -> Any:
        before = self._values
        self._count(event, 1)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag not in (None, "!") and event.tag.removeprefix(_TAG) not in _KNOWN:
            raise _wrong(event, f"the tag {event.tag} is not read")
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif depth >= MAX_DEPTH:
            raise _wrong(event, f"lists or objects more than {MAX_DEPTH} deep")
        elif isinstance(event, yaml.MappingStartEvent):
            value = self._object(depth)
        else:
            value = self._list(depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._values - before
        return value

    def _list(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._value(event, depth + 1))
        return items

    def _object(self, depth: int) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _wrong(event, "a key that is no text")
            if event.value == "<<" and event.implicit[0]:
                raise _wrong(event, "merge keys (<<) are not read")
            if event.value in fields:
                raise _wrong(event, f"the key {event.value!r} is there twice")
            fields[event.value] = self._value(self._next(), depth + 1)
        return fields

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise _wrong(event, f"there is no whole value &{event.anchor} before")
        value, count = self._anchors[event.anchor]
        self._count(event, count)
        return value

    def _count(self, event: Any, count: int) -> None:
        self._values += count
        if self._values > MAX_VALUES:
            raise _wrong(event, f"more than {MAX_VALUES:,} values")

    def _scalar(self, event: Any) -> Any:
        tag = event.tag
        if tag == "!":
            return event.value
        if tag is None:
            tag = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        node = yaml.ScalarNode(tag, event.value, event.start_mark)
        match tag.removeprefix(_TAG):
            case "int" | "float" as kind:
                if len(event.value) > MAX_DIGITS:
                    raise _wrong(event, f"a number of over {MAX_DIGITS:,} digits")
                return getattr(self._loader, f"construct_yaml_{kind}")(node)
            case "bool":
                return self._loader.construct_yaml_bool(node)
            case "null":
                return None
            case _:
                return event.value


def _wrong(event: Any, message: str) -> FormatInvalid:
    mark = event.start_mark
    return FormatInvalid(message, line=mark.line + 1, column=mark.column + 1)
