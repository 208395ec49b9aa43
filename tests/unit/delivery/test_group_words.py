"""Sentences about what a group is owed."""

from datetime import datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from simulator.delivery.group_words import cautions, why
from simulator.measure.plan import Session
from simulator.scenario.subscribers import AnyGroup

EPOCH = datetime.fromisoformat("2026-01-15T10:00:00+09:00")
GROUP: TypeAdapter[AnyGroup] = TypeAdapter(AnyGroup)
CLEAN, KEPT = Session.CLEAN, Session.PERSISTENT
AWAY = {"kind": "offline", "leaves": "10:02", "returns": "6min"}
FLAP = {"kind": "flapping", "first_outage": "10:02", "outage": "20s"}
LATE = {"kind": "late", "joins_from": "10:02", "joins_until": "10:04"}


def group(**fields: Any) -> AnyGroup:
    return GROUP.validate_python({"id": "a", "count": 5, **fields})


@pytest.mark.parametrize(
    ("fields", "session", "qos", "said"),
    [
        ({"kind": "steady"}, CLEAN, (1,), ["to the end", "every message"]),
        (LATE, CLEAN, (1,), ["between 10:02:00 and 10:04:00", "the retained state", "an age"]),
        (LATE | {"state": False}, CLEAN, (1,), ["nothing of what was sent before"]),
        (AWAY, KEPT, (1,), ["away from 10:02:00 to 10:06:00:", "queued for them"]),
        (AWAY | {"spread": "9s"}, KEPT, (0, 1), ["up to 9s later", "not at QoS 0"]),
        (AWAY, KEPT, (0,), ["missed-offline, the QoS being 0"]),
        (AWAY, CLEAN, (1,), ["missed-offline, the session being clean"]),
        (FLAP, CLEAN, (1,), ["one outage of 20s, all together", "1s to 30s (wall) with jitter"]),
        (
            FLAP | {"outages": 3, "every": "1min", "together": False, "backoff": {"jitter": False}},
            CLEAN,
            (1,),
            ["3 outages of 20s every 1min, each in its own time", "without jitter"],
        ),
        ({"kind": "slow", "reads_every": "2s"}, CLEAN, (1,), ["every 2s (wall)"]),
        ({"kind": "overlapping"}, CLEAN, (1,), ["2 filters", "owed a message once"]),
        ({"kind": "shared"}, CLEAN, (1,), ["of their prefecture", "to one of them there"]),
        ({"kind": "shared", "across": "all"}, CLEAN, (1,), ["of all prefectures"]),
        ({"kind": "geographic"}, CLEAN, (1,), ["one in each municipality"]),
    ],
)
def test_it_says_what_is_owed_and_why(
    fields: dict[str, Any], session: Session, qos: tuple[int, ...], said: list[str]
) -> None:
    sentence = why(group(**fields), EPOCH, session, qos)
    assert all(part in sentence for part in said), sentence


def test_a_user_is_told_of_what_another_broker_or_qos_would_do() -> None:
    found = list(
        cautions(
            [
                group(kind="steady", qos=[0, 2]),
                group(kind="shared"),
                group(kind="shared", protocol="5"),
                group(kind="overlapping", qos=1),
            ],
            1,
        )
    )
    assert len(found) == 3
    assert "--qos 2" in found[0]
    assert 'protocol: "5"' in found[1]
    assert "embedded broker" in found[2]
