"""CAP 1.2 XML: the payload for receivers that speak the standard itself.

Rule of the module: pure. Elements stand in the order of the OASIS schema; the simulation block
stands in ``parameter`` elements of the first info block. What comes in is parsed defensively: UTF-8
only, and no markup declaration at all, so there is no entity to expand.
"""

from typing import Any, Final
from xml.etree import ElementTree as ET

from simulator.alerts.alert import AlertMessage, document
from simulator.alerts.rebuild import message_from

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
_HEAD: Final = f'<?xml version="1.0" encoding="UTF-8"?>\n<alert xmlns="{NAMESPACE}">'
_PREFIX: Final = "simulation."
_STAGE: Final = f"{_PREFIX}stage"
_TIME: Final = f"{_PREFIX}time"
_REPEATED: Final = frozenset(
    {"info", "category", "responseType", "eventCode", "parameter", "area", "geocode"}
)
_COUNTS: Final = frozenset({"replication", "sequence", "cause", "stages_omitted"})
_ASSUMED: Final = {True: "assumed", False: "given"}
_GIVEN: Final = {word: flag for flag, word in _ASSUMED.items()}


def encode_xml(message: AlertMessage) -> bytes:
    """The message as a CAP 1.2 document in UTF-8.

    Raises:
        ValueError: if it could not stand in an exercise message.
    """
    time, cap, simulation = document(message)
    first = cap["info"][0]
    first["parameter"] = [*first["parameter"], *_parameters(time, simulation)]
    return f"{_HEAD}{_elements(cap)}</alert>".encode()


def _elements(content: dict[str, Any]) -> str:
    return "".join(
        f"<{name}>{_elements(entry) if isinstance(entry, dict) else _escape(entry)}</{name}>"
        for name, value in content.items()
        for entry in (value if isinstance(value, list) else (value,))
    )


def _escape(text: str) -> str:
    # Control characters, which XML cannot carry at all, were refused by ``document``.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _parameters(time: str, simulation: dict[str, Any]) -> list[dict[str, str]]:
    """The simulation block as valueName and value, stages as ``start end assumed|given name``."""
    pairs = [(_TIME, time)]
    for name, value in simulation.items():
        if name == "stages":
            pairs += [(_STAGE, _stage_line(stage)) for stage in value]
        else:
            pairs.append((f"{_PREFIX}{name}", str(value)))
    return [{"valueName": name, "value": value} for name, value in pairs]


def _stage_line(stage: dict[str, Any]) -> str:
    span = f"{stage['started_ns']} {stage['ended_ns']}"
    return f"{span} {_ASSUMED[stage['assumption']]} {stage['name']}"


def decode_xml(payload: bytes) -> AlertMessage:
    """The inverse of ``encode_xml``, strict.

    Raises:
        ValueError: if the payload is not UTF-8 XML without declarations, or is anything that
            ``encode_xml`` could not have meant.
    """
    root = parse_xml(payload)
    try:
        cap = _content(root)
        first = cap["info"][0]
        ours = [pair for pair in first["parameter"] if pair["valueName"].startswith(_PREFIX)]
        first["parameter"] = [pair for pair in first["parameter"] if pair not in ours]
        time, simulation = _simulation(ours)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"not an alertsim CAP message: {error!r:.120}") from error
    return message_from(time, cap, simulation)


def parse_xml(payload: bytes) -> ET.Element:
    """The root of a CAP 1.2 document.

    Raises:
        ValueError: if it is not UTF-8, not well formed, holds a markup declaration (DOCTYPE,
            ENTITY, CDATA, a comment) or is not a CAP 1.2 alert.
    """
    text = payload.decode("utf-8")
    if "<!" in text:
        raise ValueError("markup declarations are refused")
    parser = ET.XMLParser()  # noqa: S314 - declarations, and so entities, are refused above
    try:
        # Fed as text, so that a declared encoding cannot make it read anything else.
        parser.feed(text)
        root = parser.close()
    except ET.ParseError as error:
        raise ValueError(f"not XML: {error}") from error
    if root.tag != f"{{{NAMESPACE}}}alert" or root.attrib:
        raise ValueError("not a CAP 1.2 alert")
    return root


def _content(element: ET.Element) -> dict[str, Any]:
    """Children by local name, in lists where the standard lets them repeat."""
    content: dict[str, Any] = {}
    if (element.text or "").strip():
        raise ValueError("text between elements")
    for child in element:
        namespace, _, name = child.tag.removeprefix("{").partition("}")
        if namespace != NAMESPACE or child.attrib or (child.tail or "").strip():
            raise ValueError(f"not a CAP element: {child.tag:.80}")
        value: Any = _content(child) if len(child) else child.text
        if name in _REPEATED:
            content.setdefault(name, []).append(value)
        elif name in content:
            raise ValueError(f"{name} is repeated")
        else:
            content[name] = value
    return content


def _simulation(pairs: list[dict[str, str]]) -> tuple[str, dict[str, Any]]:
    block: dict[str, Any] = {"stages": []}
    for pair in pairs:
        name, value = pair["valueName"], pair["value"]
        if name == _STAGE:
            started, ended, assumed, label = value.split(" ", maxsplit=3)
            stage = {"name": label, "started_ns": started, "ended_ns": ended}
            block["stages"].append({**stage, "assumption": _GIVEN[assumed]})
            continue
        key = name.removeprefix(_PREFIX)
        if key in block:
            raise ValueError(f"{name} is repeated")
        if key in _COUNTS:
            block[key] = int(value)
        else:
            block[key] = float(value) if key == "speed" else value
    return block.pop("time"), block
