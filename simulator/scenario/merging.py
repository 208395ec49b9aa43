"""Variants and profiles: a scenario file laid over the one it extends, and over its chain profile.

Rule of the module: marked trees in, one marked tree out. Mappings merge field by field, lists of
entries with an ``id`` merge entry by entry, everything else is replaced; ``null`` removes a field.
A mapping that names its ``law`` or its ``profile`` is a new one and replaces the old as a whole.
"""

from functools import cache
from pathlib import Path
from typing import Final

from simulator.errors import InputError, ScenarioError
from simulator.resources import chain_path, scenario_names, scenario_path
from simulator.scenario.document import Node, read_document

_REPLACES: Final = ("law", "profile")
_CHAIN_LENGTH_MAX: Final = 16
_FILE_SUFFIXES: Final = (".yaml", ".yml")


def read_resolved(path: Path) -> Node:
    """A scenario file with everything it extends and the chain profile it names.

    Raises:
        ScenarioError: if one of the files cannot be used.
    """
    return with_profile(read_extended(path))


def read_extended(path: Path) -> Node:
    """A scenario file with everything it extends, its chain profile still a name.

    Raises:
        ScenarioError: if one of the files cannot be used.
    """
    return _read_extended(path, ())


def locate(reference: str, folder: Path, where: str = "") -> Path:
    """The file that a scenario's name or path stands for.

    Args:
        reference: a shipped name, or a path (recognised by a slash or by .yaml).
        folder: what a relative path starts from.
        where: ``file:line`` of the reference, for errors.

    Raises:
        ScenarioError: for an unknown name; the remedy suggests the nearest.
    """
    if "/" in reference or reference.endswith(_FILE_SUFFIXES):
        return folder / reference
    if reference not in scenario_names() and (folder / reference).is_file():
        return folder / reference
    try:
        return scenario_path(reference)
    except InputError as error:
        raise ScenarioError(
            error.message,
            where=where,
            field="extends" if where else "",
            value=error.value,
            remedy=f"{error.remedy} A file is named with its path, for example ./my-drill.yaml",
        ) from None


def _read_extended(path: Path, below: tuple[Path, ...]) -> Node:
    document = read_document(path)
    fields = _mapping(document)
    _refuse_repeated_ids(document)
    reference = fields.get("extends")
    if reference is None or reference.value is None:
        return document
    if not isinstance(reference.value, str):
        raise ScenarioError(
            "extends is the name or path of one scenario",
            where=reference.where,
            field="extends",
            remedy="write extends: tohoku-2022-11-03, or the path of a file",
        )
    base = locate(reference.value, path.parent, reference.where)
    seen = (*below, path.resolve())
    if base.resolve() in seen or len(seen) > _CHAIN_LENGTH_MAX:
        raise ScenarioError(
            "scenarios extend each other in a circle",
            where=reference.where,
            field="extends",
            value=reference.value,
            remedy=" → ".join(step.name for step in (*seen, base)),
        )
    if not base.exists():
        raise ScenarioError(
            "there is no such file",
            where=reference.where,
            field="extends",
            value=reference.value,
            remedy=f"paths start from the folder of this file, {path.parent}",
        )
    if "id" not in fields:
        raise ScenarioError(
            "a variant needs an id of its own",
            where=reference.where,
            field="id",
            remedy="add id: and a name, so that nobody takes its results for those of its base",
        )
    own = Node(
        value={key: node for key, node in fields.items() if key != "extends"},
        where=document.where,
    )
    return merge(_read_extended(base, seen), own)


def merge(base: Node, over: Node) -> Node:
    """Lay one tree over another."""
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        if any(key in over.value for key in _REPLACES):
            return over
        merged = dict(base.value)
        for key, node in over.value.items():
            if node.value is None:
                merged.pop(key, None)
            else:
                merged[key] = merge(merged[key], node) if key in merged else node
        return Node(value=merged, where=over.where)
    if isinstance(base.value, list) and isinstance(over.value, list):
        olds, news = _by_id(base.value), _by_id(over.value)
        if olds is not None and news is not None:
            joined = dict(olds)
            for key, node in news.items():
                joined[key] = merge(olds[key], node) if key in olds else node
            return Node(value=list(joined.values()), where=over.where)
    return over


def _by_id(items: list[Node]) -> dict[str, Node] | None:
    """Entries by their id, or None if one of them has none."""
    named: dict[str, Node] = {}
    for item in items:
        mark = item.value.get("id") if isinstance(item.value, dict) else None
        if mark is None or not isinstance(mark.value, str):
            return None
        named[mark.value] = item
    return named


def _refuse_repeated_ids(document: Node) -> None:
    for field, node in _mapping(document).items():
        if not isinstance(node.value, list):
            continue
        seen: dict[str, str] = {}
        for index, item in enumerate(node.value):
            mark = item.value.get("id") if isinstance(item.value, dict) else None
            if mark is not None and mark.raw in seen:
                raise ScenarioError(
                    "two entries have the same id",
                    where=mark.where,
                    field=f"{field}.{index}.id",
                    value=mark.raw,
                    remedy=f"give each its own; the first is at {seen[mark.raw]}",
                )
            if mark is not None:
                seen[mark.raw] = mark.where


def with_profile(document: Node) -> Node:
    """Lay the stages of a document over those of the chain profile that it names, if any.

    Raises:
        ScenarioError: for an unknown profile; the remedy suggests the nearest.
    """
    fields = _mapping(document)
    chain = fields.get("chain")
    if chain is None or not isinstance(chain.value, dict) or "profile" not in chain.value:
        return document
    named = chain.value["profile"]
    try:
        profile = _mapping(_shipped_profile(str(named.value)))
    except InputError as error:
        raise ScenarioError(
            error.message,
            where=named.where,
            field="chain.profile",
            value=named.raw,
            remedy=error.remedy,
        ) from None
    own = Node(
        value={key: node for key, node in chain.value.items() if key != "profile"},
        where=chain.where,
    )
    stages = _mapping(merge(profile["chain"], own))
    sources = fields.get("sources", Node(value=[], where=document.where))
    return Node(
        value=fields
        | {
            "chain": Node(value={"profile": named, **stages}, where=chain.where),
            "sources": merge(profile["sources"], sources),
        },
        where=document.where,
    )


@cache
def _shipped_profile(name: str) -> Node:
    """A chain profile, read once: an experiment has hundreds of variants of it."""
    return read_document(chain_path(name))


def _mapping(node: Node) -> dict[str, Node]:
    return node.value if isinstance(node.value, dict) else {}
