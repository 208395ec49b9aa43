"""A few towns of two prefectures."""

import pytest

from simulator.world.geography import Municipality
from tests.unit.reach.small import town


@pytest.fixture
def towns() -> tuple[Municipality, ...]:
    return (
        town("04100", 1_000_000),
        town("04202", 140_000),
        town("04301", 12_000),
        town("06201", 250_000, "yamagata"),
        town("06301", 0, "yamagata"),
    )
