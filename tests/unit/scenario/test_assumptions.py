from typing import Any

import pytest
from pydantic import ValidationError

from simulator.scenario.assumptions import (
    RadarAssumptions,
    SatelliteAssumptions,
    Sensing,
    WarnedArea,
)


@pytest.mark.parametrize(
    ("model", "field", "value", "said"),
    [
        (SatelliteAssumptions, "looks", 2.5, "looks are counted"),
        (SatelliteAssumptions, "looks", 0, "looks is not possible"),
        (SatelliteAssumptions, "revisit_s", -1, "revisit_s is not possible"),
        (RadarAssumptions, "min_elevation_deg", 91, "min_elevation_deg is not possible"),
        (RadarAssumptions, "earth_factor", 0, "earth_factor is not possible"),
        (WarnedArea, "half_width_km", -1, "half_width_km is not possible"),
    ],
)
def test_what_is_not_possible_is_refused(model: Any, field: str, value: float, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        model.model_validate({field: value})


def test_a_bare_number_is_a_figure() -> None:
    sensing = Sensing.model_validate({"radar": {"range_km": 2500}, "satellite": {"looks": 2}})
    assert sensing.radar is not None
    assert sensing.radar.range_km is not None
    assert sensing.radar.range_km.value == 2500
    assert sensing.radar.max_height_km is None
