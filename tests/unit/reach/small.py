"""Small towns and small profiles for the tests of reach."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from simulator.reach.channels import ChannelProfile
from simulator.world.geography import Municipality

CERTAIN: dict[str, Any] = {"share": 1.0, "notice": "now"}
EVERYBODY: dict[str, Any] = dict.fromkeys(
    ("asleep", "television", "radio", "commuting", "outdoors", "indoors"), CERTAIN
)
NEAR: dict[str, Any] = {name: {"share": 1.0} for name in EVERYBODY}
PROFILE: dict[str, Any] = {
    "schema": "1.0",
    "id": "small",
    "title": "A profile in which everything is certain and takes whole seconds",
    "fictional": True,
    "days": {
        "saturday": {"law": "constant", "value": "15min"},
        "holiday": {"law": "constant", "value": "45min"},
        "commuting_off": {"share": 0.5},
    },
    "notices": [{"id": "now", "delay": {"law": "constant", "value": "0s"}}],
    "phones": {"held": {"share": 1.0}, "capable": {"share": 1.0}, "near": NEAR},
    "municipal": {"failure": {"a": 1, "b": 1000}},
    "channels": {},
}


def built(change: Callable[[dict[str, Any]], object]) -> ChannelProfile:
    """The small profile after a change."""
    document = deepcopy(PROFILE)
    change(document)
    return ChannelProfile.model_validate(document)


def town(code: str = "04100", people: int = 1000, prefecture: str = "miyagi") -> Municipality:
    return Municipality(
        code=code,
        prefecture=prefecture,
        name_ja="町",
        name_en="Town",
        population=people,
        latitude=38.0,
        longitude=140.0,
    )


def constant(seconds: float) -> dict[str, Any]:
    return {"law": "constant", "value": f"{seconds}s"}


def network(name: str, share: float = 1.0, silent: float = 0.0, late: float = 0) -> dict[str, Any]:
    return {
        "id": name,
        "share": {"share": share},
        "silent": {"share": silent},
        "offset": constant(late),
    }
