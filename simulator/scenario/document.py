"""YAML text to a tree of marked values: YAML 1.2 core schema, and less than that where it misleads.

Rule of the module: every value keeps the file and line it was written at, so that an error found
much later can point there. Anchors, aliases and tags are refused (a scenario is data, and nine
nested aliases make a billion values), and so is what YAML 1.1 readers turn into something else:
an unquoted ``17:50`` (1070), ``04`` (4). Nothing is resolved by the YAML library; it only splits
text into events.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol

from simulator.errors import ScenarioError

SIZE_LIMIT_BYTES: Final = 1024 * 1024
DEPTH_LIMIT: Final = 20
VALUES_LIMIT: Final = 25_000
_LONGEST_NUMBER: Final = 20
_SHOWN_MAX: Final = 80
_SURROGATES: Final = ("\ud800", "\udfff")

Scalar = str | int | float | bool | None

_INTEGER = re.compile(r"[-+]?[0-9]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|nan|NaN|[-+]?inf")
_CLOCK = re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?")
_NUMBERS: Final = (_INTEGER, _BASED, _FLOAT, _NOT_FINITE)
_WORDS: Final[dict[str, Scalar]] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


class _Event(Protocol):
    """What is used of the YAML library's events; only scalars have a value and a style."""

    value: str
    style: str | None
    anchor: str | None
    tag: str | None
    start_mark: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One value of a document and where it stands.

    Attributes:
        value: a scalar, a dict of nodes by key, or a list of nodes.
        where: ``file:line`` of the value; for the value of a key, of the key.
        raw: the scalar as written, or an empty text.
    """

    value: "Scalar | dict[str, Node] | list[Node]"
    where: str
    raw: str = ""

    def plain(self) -> object:
        """The value without its marks."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def find(self, path: tuple[int | str, ...]) -> "Node":
        """The innermost node on a path; steps that the document does not have are skipped.

        Pydantic puts the names of union members into its paths, which no document has.
        """
        node = self
        for step in path:
            if isinstance(node.value, dict) and isinstance(step, str):
                node = node.value.get(step, node)
            elif isinstance(node.value, list) and isinstance(step, int):
                node = node.value[step] if step < len(node.value) else node
        return node


def marked(value: object, where: str) -> Node:
    """Plain data as a tree of which every value stands at the same place."""
    if isinstance(value, Mapping):
        inner: Any = {str(key): marked(item, where) for key, item in value.items()}
    elif isinstance(value, list | tuple):
        inner = [marked(item, where) for item in value]
    else:
        inner = value
    return Node(value=inner, where=where, raw="" if isinstance(inner, dict | list) else str(inner))


def read_document(path: Path) -> Node:
    """Read a YAML file of at most 1 MiB as one mapping.

    Raises:
        ScenarioError: naming file, line, value and remedy, for anything else.
    """
    return parse_document(_read_text(path), str(path))


def parse_document(text: str, name: str) -> Node:
    """Read YAML text as one mapping.

    Args:
        text: the document.
        name: what to call it in errors.

    Raises:
        ScenarioError: naming file, line, value and remedy.
    """
    root = _Builder(name).build(text)
    if not isinstance(root.value, dict):
        raise ScenarioError(
            "the file is not a mapping of fields",
            where=root.where,
            remedy='write fields such as schema: "1.0", one a line',
        )
    return root


def _read_text(path: Path) -> str:
    where = str(path)
    try:
        if path.stat().st_size > SIZE_LIMIT_BYTES:
            _too_large(where)
        with path.open("rb") as file:
            # A pipe has no size beforehand: read no more than is needed to know that it is too
            # large.
            data = file.read(SIZE_LIMIT_BYTES + 1)
    except IsADirectoryError:
        raise ScenarioError("this is a directory, not a scenario file", where=where) from None
    except OSError as error:
        raise ScenarioError(
            f"the file cannot be read: {error.strerror}",
            where=where,
            remedy="check the path and its permissions",
        ) from None
    if len(data) > SIZE_LIMIT_BYTES:
        _too_large(where)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScenarioError(
            "the file is not UTF-8 text",
            where=f"{where}:{line}",
            value=f"byte 0x{data[error.start]:02x}",
            remedy="save it as UTF-8",
        ) from None
    if not text.strip():
        raise ScenarioError(
            "the file is empty", where=where, remedy="start from the shipped drill-minimal"
        )
    return text


def _too_large(where: str) -> NoReturn:
    raise ScenarioError(
        f"the file is larger than {SIZE_LIMIT_BYTES // 1024} KiB",
        where=where,
        remedy="a scenario is a few kilobytes; is this the right file?",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the builder is: file and line, and the path of the field."""

    where: str
    field: str = ""

    def inside(self, step: str, where: str) -> "_Place":
        return _Place(where=where, field=f"{self.field}.{step}" if self.field else step)

    def error(self, message: str, *, value: str | None = None, remedy: str) -> ScenarioError:
        return ScenarioError(
            message, where=self.where, field=self.field, value=value, remedy=remedy
        )


class _Builder:
    """Builds the tree from the parser's events."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._events: Iterator[_Event] = iter(())
        self._values = 0

    def build(self, text: str) -> Node:
        from ruamel.yaml import YAML  # noqa: PLC0415  # 60 ms that --help need not pay
        from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415

        self._events = YAML(typ="safe", pure=True).parse(text)
        try:
            self._next()
            document = self._next()
            if type(document).__name__ == "StreamEndEvent":
                raise ScenarioError(
                    "the file holds no data, only comments",
                    where=self._name,
                    remedy="start from the shipped drill-minimal",
                )
            first = self._next()
            root = self._node(first, _Place(where=self._where(first)), 0)
            self._next()
            after = self._next()
            if type(after).__name__ != "StreamEndEvent":
                raise ScenarioError(
                    "the file holds more than one document",
                    where=self._where(after),
                    remedy="put each scenario into a file of its own, without ---",
                )
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = "" if mark is None else f":{mark.line + 1}"
            raise ScenarioError(
                f"this is not YAML: {error.problem or error.context}",
                where=f"{self._name}{line}",
                remedy="check indentation, colons and quotes on this line and the one before",
            ) from None
        except YAMLError as error:
            reason = str(error).splitlines()[0]
            raise ScenarioError(
                f"this is not text: {reason}",
                where=self._name,
                remedy="a scenario is a text file; is this the right file?",
            ) from None
        return root

    def _next(self) -> "_Event":
        return next(self._events)

    def _where(self, event: "_Event") -> str:
        return f"{self._name}:{event.start_mark.line + 1}"

    def _node(self, event: "_Event", place: _Place, depth: int) -> Node:
        self._refuse_references(event, place)
        self._values += 1
        if self._values > VALUES_LIMIT:
            raise place.error(
                f"the file holds more than {VALUES_LIMIT} values",
                remedy="repeat test messages with count and every; is this the right file?",
            )
        if depth > DEPTH_LIMIT:
            raise place.error(
                f"values are nested more than {DEPTH_LIMIT} deep",
                remedy="no field of a scenario needs that",
            )
        match type(event).__name__:
            case "ScalarEvent":
                _refuse_half_characters(event.value, place)
                return Node(value=_scalar(event, place), where=place.where, raw=event.value)
            case "SequenceStartEvent":
                return self._sequence(place, depth)
            case _:
                return self._mapping(place, depth)

    def _refuse_references(self, event: "_Event", place: _Place) -> None:
        alias = type(event).__name__ == "AliasEvent"
        if alias or event.anchor is not None:
            raise place.error(
                "anchors and aliases are not used in scenarios",
                value=f"{'*' if alias else '&'}{event.anchor}",
                remedy="write the value out, or use extends for a variant; quote a text that "
                "begins with & or *",
            )
        if event.tag is not None:
            raise place.error(
                "tags are not used in scenarios",
                value=str(event.tag),
                remedy="leave the tag out; quote a text that begins with !",
            )

    def _sequence(self, place: _Place, depth: int) -> Node:
        items: list[Node] = []
        while type(event := self._next()).__name__ != "SequenceEndEvent":
            inner = place.inside(str(len(items)), self._where(event))
            items.append(self._node(event, inner, depth + 1))
        return Node(value=items, where=place.where)

    def _mapping(self, place: _Place, depth: int) -> Node:
        fields: dict[str, Node] = {}
        while type(event := self._next()).__name__ != "MappingEndEvent":
            here = _Place(where=self._where(event), field=place.field)
            self._refuse_references(event, here)
            if type(event).__name__ != "ScalarEvent":
                raise here.error(
                    "a field name is a word", remedy="quote a text that begins with [ or {"
                )
            key = event.value
            _refuse_half_characters(key, here)
            inner = place.inside(key, here.where)
            if key in fields:
                raise inner.error(
                    "this field stands twice in the same place",
                    remedy=f"keep one of them; the first is at {fields[key].where}",
                )
            fields[key] = self._node(self._next(), inner, depth + 1)
            if key.casefold() == "status" and fields[key].raw.casefold() == "actual":
                raise inner.error(
                    "alertsim only sends exercises",
                    value=fields[key].raw,
                    remedy="leave status out, or write Exercise or Test",
                )
        return Node(value=fields, where=place.where)


def _refuse_half_characters(text: str, place: _Place) -> None:
    """Refuse what an escape can write and no file can hold: half of a character."""
    if any(_SURROGATES[0] <= letter <= _SURROGATES[1] for letter in text):
        raise place.error(
            "this is half a character, which no text can hold",
            value=ascii(text)[:_SHOWN_MAX],
            remedy=r"write the character itself, or its whole number: \U0001F680",
        )


def _scalar(event: "_Event", place: _Place) -> Scalar:
    """What a scalar stands for in the YAML 1.2 core schema."""
    text = event.value
    if event.style is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _LEADING_ZERO.fullmatch(text) or _CLOCK.fullmatch(text):
        raise place.error(
            "YAML readers disagree on what this is", value=text, remedy=f'quote it: "{text}"'
        )
    number = _number(text)
    if number is None and any(form.fullmatch(text) for form in _NUMBERS):
        raise place.error(
            "not a number that can be used",
            value=text[:_LONGEST_NUMBER],
            remedy="write a finite number, or quote it if it is a text",
        )
    return text if number is None else number


def _number(text: str) -> int | float | None:
    """The finite number that a text stands for, or None."""
    if len(text) > _LONGEST_NUMBER:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    number = float(text) if _FLOAT.fullmatch(text) else math.nan
    return number if math.isfinite(number) else None
