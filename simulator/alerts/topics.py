"""MQTT topics: the public, versioned names that alerts, states and clients' reports travel under.

Rule of the module: text in, text out. A topic built here is never empty, never holds a wildcard and
never starts with ``$``; a filter built here matches only topics of its own root and version. The
names are promised to users (DESIGN section 4); changing one means a new version level.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from simulator.errors import ConfigurationError

VERSION: Final = "v1"
ONE_LEVEL: Final = "+"

_LONGEST_ROOT: Final = 128
_LONGEST_LEVEL: Final = 128
_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_CLIENT: Final = re.compile(r"(?!\$)[^\x00-\x1f\x7f-\x9f/+#\ud800-\udfff]{1,128}")


class TopicKind(StrEnum):
    """What is published under a topic."""

    ALERT = "alerts"  # live alerts, never retained
    STATE = "state"  # the state of a prefecture, retained; empty means cleared
    STATUS = "status"  # a client and its subscriptions, retained, with a last will
    RECEIPT = "receipts"  # what a client received
    CLOCK_REQUEST = "clock/request"  # a client asks for the time of the run's clock
    CLOCK_RESPONSE = "clock/response"  # the run answers
    PROBE = "probe"  # ours only: readiness and health


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic taken apart.

    Attributes:
        kind: what is published under it.
        name: prefecture slug of an alert or state, client id of a status, receipt or clock topic,
            run id of a probe.
        event: last level of an alert topic, else None.
    """

    kind: TopicKind
    name: str
    event: str | None = None


def check_root(root: str) -> str:
    """A topic root that MQTT, shells and other tenants of the broker can live with.

    Args:
        root: levels of lowercase letters, digits and inner dashes, joined by slashes; for example
            ``alertsim`` or ``exercise/team-2``; at most 128 characters.

    Returns:
        The root unchanged.

    Raises:
        ConfigurationError: if it is empty, holds a wildcard, an empty level, a ``$`` or anything
            else that is not allowed.
    """
    levels = root.split("/")
    if len(root) > _LONGEST_ROOT or not all(map(_is_slug, levels)):
        raise ConfigurationError(
            "not a topic root",
            field="root",
            value=repr(root),
            remedy=(
                "write levels of lowercase letters, digits and dashes joined by slashes, at most "
                f"{_LONGEST_ROOT} characters, for example alertsim or exercise/team-2"
            ),
        )
    return root


def is_client(name: str) -> bool:
    """Whether a client id can stand as one topic level: 1 to 128 characters, no ``/ + #``."""
    return _CLIENT.fullmatch(name) is not None


def _is_slug(text: str) -> bool:
    return len(text) <= _LONGEST_LEVEL and _SLUG.fullmatch(text) is not None


def _base(root: str) -> str:
    return f"{check_root(root)}/{VERSION}"


def _slug(value: str, what: str) -> str:
    if not _is_slug(value):
        raise ValueError(f"{value!r} is not a {what}: lowercase letters, digits and inner dashes")
    return value


def _client(value: str) -> str:
    if not is_client(value):
        raise ValueError(
            f"client id {value!r} cannot stand in a topic: 1 to {_LONGEST_LEVEL} characters, "
            "none of / + # and no control character, not starting with $"
        )
    return value


def alert_topic(root: str, prefecture: str, event: str) -> str:
    """Where the live alerts of one event go for one prefecture."""
    return f"{_base(root)}/alerts/{_slug(prefecture, 'prefecture')}/{_slug(event, 'event')}"


def state_topic(root: str, prefecture: str) -> str:
    """Where the retained state of one prefecture stands."""
    return f"{_base(root)}/state/{_slug(prefecture, 'prefecture')}"


def status_topic(root: str, client: str) -> str:
    """Where a client says, retained, that it is there and what it subscribed."""
    return f"{_base(root)}/status/{_client(client)}"


def receipts_topic(root: str, client: str) -> str:
    """Where a client reports what it received."""
    return f"{_base(root)}/receipts/{_client(client)}"


def clock_request_topic(root: str, client: str) -> str:
    """Where a client asks for the run's clock."""
    return f"{_base(root)}/clock/{_client(client)}/request"


def clock_response_topic(root: str, client: str) -> str:
    """Where the run answers a clock request."""
    return f"{_base(root)}/clock/{_client(client)}/response"


def probe_topic(root: str, run: str) -> str:
    """Where a run probes its own readiness and the broker's health."""
    return f"{_base(root)}/probe/{_slug(run, 'run id')}"


def alerts_filter(root: str, prefecture: str | None = None, event: str | None = None) -> str:
    """Filter for live alerts: of one prefecture or all, of one event or all."""
    place = ONE_LEVEL if prefecture is None else _slug(prefecture, "prefecture")
    what = ONE_LEVEL if event is None else _slug(event, "event")
    return f"{_base(root)}/alerts/{place}/{what}"


def state_filter(root: str, prefecture: str | None = None) -> str:
    """Filter for retained states: of one prefecture or all."""
    place = ONE_LEVEL if prefecture is None else _slug(prefecture, "prefecture")
    return f"{_base(root)}/state/{place}"


def status_filter(root: str) -> str:
    """Filter for every client's status."""
    return f"{_base(root)}/status/{ONE_LEVEL}"


def receipts_filter(root: str) -> str:
    """Filter for every client's receipts."""
    return f"{_base(root)}/receipts/{ONE_LEVEL}"


def clock_request_filter(root: str) -> str:
    """Filter for every client's clock requests."""
    return f"{_base(root)}/clock/{ONE_LEVEL}/request"


def parse_topic(root: str, topic: str) -> Topic | None:
    """Take a topic apart; the inverse of the functions above.

    Returns:
        None for a topic of another root, another version or an unknown shape: it is foreign.
    """
    base = f"{_base(root)}/"
    if not topic.startswith(base):
        return None
    found: Topic | None = None
    match topic.removeprefix(base).split("/"):
        case ["alerts", place, event] if _is_slug(place) and _is_slug(event):
            found = Topic(kind=TopicKind.ALERT, name=place, event=event)
        case ["state", place] if _is_slug(place):
            found = Topic(kind=TopicKind.STATE, name=place)
        case ["status" | "receipts" as kind, client] if is_client(client):
            found = Topic(kind=TopicKind(kind), name=client)
        case ["clock", client, "request" | "response" as side] if is_client(client):
            found = Topic(kind=TopicKind(f"clock/{side}"), name=client)
        case ["probe", run] if _is_slug(run):
            found = Topic(kind=TopicKind.PROBE, name=run)
        case _:
            pass
    return found
