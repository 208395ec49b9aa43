"""Golden timelines: every byte of them, and each beside an independent calculation of its times.

To write them anew after a change that is meant: ``REGENERATE_GOLDEN=1 pytest tests/golden``.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from numpy.random import PCG64

from simulator.model import Timeline, simulate
from simulator.scenario import Scenario, load_scenario
from simulator.world.arrival import prefecture_arrival
from simulator.world.records import predicted_tracks
from simulator.world.warning_area import Corridor

FOLDER = Path(__file__).parent
SEED = 7

SALVO: dict[str, Any] = {
    "schema": "1.0",
    "id": "golden-salvo",
    "title": "Three launches, one team, every kind of follow-up",
    "epoch": "2026-01-15T10:00:00+09:00",
    "fictional": True,
    "chain": {
        "teams": 1,
        "satellite": {"law": "constant", "value": "1min"},
        "radar": {"law": "constant", "value": "2min"},
        "assessment": {"law": "constant", "value": "3min"},
        "decision": {"law": "constant", "value": "1min"},
        "issue": {"law": "constant", "value": "10s"},
        "reassessment": {"law": "constant", "value": "2min"},
        "confirmation": {"law": "constant", "value": "5min"},
        "discovery": {"law": "constant", "value": "10min"},
        "correction": {"law": "constant", "value": "4min"},
        "all_clear": {"law": "constant", "value": "30min"},
    },
    "launches": [
        {
            "id": "north",
            "at": "10:00",
            "threat": "low",
            "belief": {"prefectures": ["akita"], "arrival": "10:09", "outcome": "fell-in-sea"},
        },
        {
            "id": "south",
            "at": "10:00",
            "truth": {"outcome": "vanished", "at": "10:05"},
            "belief": {"prefectures": ["miyagi"], "arrival": "10:12", "outcome": "passage"},
        },
        {
            "id": "late",
            "at": "11:00",
            "belief": {
                "prefectures": ["akita"],
                "arrival": "11:10",
                "outcome": "fell-on-land",
                "escalation": {"prefectures": ["miyagi"]},
            },
        },
    ],
    "tests": [{"id": "check", "at": "-1min", "prefectures": ["akita"]}],
}

CASES: dict[str, Callable[[], Scenario]] = {
    "tohoku-2022-11-03": lambda: load_scenario("tohoku-2022-11-03"),
    "tohoku-2022-11-03-modelled": lambda: load_scenario("tohoku-2022-11-03-modelled"),
    "drill-minimal": lambda: load_scenario("drill-minimal"),
    "hawaii-2018": lambda: load_scenario("hawaii-2018"),
    "hokkaido-2022-10-04": lambda: load_scenario("hokkaido-2022-10-04"),
    "okinawa-2024-05-27": lambda: load_scenario("okinawa-2024-05-27"),
    "golden-salvo": lambda: Scenario.model_validate(SALVO),
}


def _lines(timeline: Timeline) -> list[str]:
    """The timeline's lines without the version that made it."""
    header, *rest = timeline.to_jsonl()
    kept = {key: value for key, value in json.loads(header).items() if key != "version"}
    return [json.dumps(kept, sort_keys=True, ensure_ascii=False), *rest]


@pytest.mark.parametrize("name", CASES)
def test_the_timeline_is_the_golden_one(name: str) -> None:
    lines = _lines(simulate(CASES[name](), SEED))
    golden = FOLDER / f"{name}.timeline.jsonl"
    if os.environ.get("REGENERATE_GOLDEN") == "1":
        golden.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert golden.read_text(encoding="utf-8").splitlines() == lines


def _clocks(timeline: Timeline) -> list[tuple[str, str, str]]:
    return [
        (
            (timeline.epoch + timedelta(microseconds=alert.at_ns // 1000)).strftime("%H:%M:%S"),
            str(alert.event),
            alert.prefecture,
        )
        for alert in timeline.alerts
    ]


def test_the_founding_case_by_hand() -> None:
    """Launch and messages from the published table, nothing from the scenario file."""
    launch = datetime.fromisoformat("2022-11-03T07:39:00+09:00")
    published = [("07:50", "launch"), ("08:00", "passage"), ("09:24", "correction")]
    timeline = simulate(CASES["tohoku-2022-11-03"](), SEED)
    assert timeline.epoch == launch
    assert _clocks(timeline) == [
        (f"{clock}:00", event, prefecture)
        for clock, event in published
        for prefecture in ("miyagi", "yamagata", "niigata")
    ]


def test_the_drill_by_hand() -> None:
    assert _clocks(simulate(CASES["drill-minimal"](), SEED)) == [
        ("10:01:00", "test", "miyagi"),
        ("10:01:00", "test", "niigata"),
    ]


def test_the_salvo_by_hand() -> None:
    """Worked out with pencil and paper.

    10:02 both flights are tracked and north, first in the list, is assessed until 10:05; south
    waits, until 10:08. Alerts 70 s after each: 10:06:10 and 10:09:10. North is believed down at
    10:09, confirmed at 10:14 and closed at 10:14:10. South is believed to pass at 10:12; the team
    is free at 10:14 and confirms at 10:19: notice 10:19:10, wrong, found out at 10:29:10, corrected
    at 10:33:10. Late: tracked 11:02, assessed 11:05, alert 11:06:10; a second look until 11:08:10,
    take-shelter 11:08:20; down at 11:10, confirmed 11:15, said 11:15:10, lifted 11:45:10.
    """
    assert _clocks(simulate(CASES["golden-salvo"](), SEED)) == [
        ("09:59:00", "test", "akita"),
        ("10:06:10", "launch", "akita"),
        ("10:09:10", "launch", "miyagi"),
        ("10:14:10", "fell-in-sea", "akita"),
        ("10:19:10", "passage", "miyagi"),
        ("10:33:10", "correction", "miyagi"),
        ("11:06:10", "launch", "akita"),
        ("11:08:20", "take-shelter", "miyagi"),
        ("11:15:10", "fell-on-land", "akita"),
        ("11:15:10", "fell-on-land", "miyagi"),
        ("11:45:10", "all-clear", "akita"),
        ("11:45:10", "all-clear", "miyagi"),
    ]


def _share(name: str, launch: str = "icbm") -> float:
    """The uniform draw of a stream, straight from NumPy."""
    key = hashlib.sha256(f"alertsim/{SEED}/0/launch/{launch}/{name}".encode()).digest()
    generator = PCG64()
    generator.state = {
        "bit_generator": "PCG64",
        "state": {
            "state": int.from_bytes(key[:16], "big"),
            "inc": int.from_bytes(key[16:], "big") | 1,
        },
        "has_uint32": 0,
        "uinteger": 0,
    }
    return (int(generator.random_raw()) // 4096 + 0.5) / 2**52


def _inverse(distribution: Callable[[float], float], share: float) -> float:
    """By bisection over the distribution function, in seconds."""
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if distribution(middle) < share else (low, middle)
    return low


def _triangular(low: float, mode: float, high: float) -> Callable[[float], float]:
    def distribution(value: float) -> float:
        if value <= low:
            return 0
        if value <= mode:
            return (value - low) ** 2 / (high - low) / (mode - low)
        return 1 - max(0, high - value) ** 2 / (high - low) / (high - mode)

    return distribution


def _lognormal(median: float, p95: float) -> Callable[[float], float]:
    sigma = math.log(p95 / median) / 1.6448536269514722

    def distribution(value: float) -> float:
        return 0 if value <= 0 else (1 + math.erf(math.log(value / median) / sigma / 2**0.5)) / 2

    return distribution


def test_the_modelled_morning_by_another_road() -> None:
    """The figures of the chain profile, inverted by bisection instead of by formula.

    The alert waits for the end of the powered phase; by then the track has all but gone.
    """

    def seconds(name: str, distribution: Callable[[float], float], floor: float = 0) -> float:
        return round(max(floor, _inverse(distribution, _share(name))), 3)

    def issue(name: str) -> float:
        return round(1 + 29 * _share(name), 3)

    powered = 2 * 310 * 2000 / math.hypot(2000, 3100)
    flight = predicted_tracks()["2022-11-03"].flight()
    lost = flight.when_over_km(750)
    over = max(
        (arrival.leaves_s if arrival else 0)
        for slug in ("miyagi", "yamagata", "niigata")
        for arrival in [
            prefecture_arrival(flight, slug, Corridor(half_width_km=30, impact_radius_km=60))
        ]
    )
    decided = (
        powered
        + seconds("assessment", _lognormal(45, 120), 10)
        + seconds("decision", _lognormal(35, 90), 10)
    )
    assert decided > lost, "a second look is due"
    alert = decided + seconds("second_look", _lognormal(8 * 60, 38 * 60), 60) + issue("issue")
    confirmation = seconds("confirmation", _triangular(5 * 60, 11 * 60, 20 * 60))
    notice = max(alert, over) + confirmation + issue("passage/issue")
    correction = (
        notice
        + seconds("discovery", _lognormal(12 * 60, 45 * 60), 120)
        + seconds("correction", _lognormal(16 * 60, 70 * 60), 180)
    )
    timeline = simulate(CASES["tohoku-2022-11-03-modelled"](), SEED)
    found = [alert.at_ns / 1e9 for alert in timeline.alerts[::3]]
    assert found == pytest.approx([alert, notice, correction], abs=2.5e-3)
    assert timeline.prefectures == ("miyagi", "yamagata", "niigata")


def test_the_false_alarm_by_hand() -> None:
    assert [told[:2] for told in _clocks(simulate(CASES["hawaii-2018"](), SEED))] == [
        ("08:07:00", "take-shelter"),
        ("08:45:00", "correction"),
    ]


def test_the_announced_failure_by_another_road() -> None:
    """No radar ever sees it: looks from space, relay, and a chain that watches."""

    def seconds(name: str, distribution: Callable[[float], float]) -> float:
        return round(_inverse(distribution, _share(name, "chollima")), 3)

    flight = predicted_tracks()["2023-11-21"].flight()
    above = flight.when_at_height(10)
    assert above is not None
    looks = above[0] + (_share("phase", "chollima") + 2) * 10
    alert = (
        looks
        + seconds("relay", _triangular(15, 25, 60))
        + seconds("assessment", _triangular(10, 20, 60))
        + seconds("decision", _triangular(5, 10, 45))
        + round(1 + 29 * _share("issue", "chollima"), 3)
    )
    over = prefecture_arrival(flight, "okinawa", Corridor(half_width_km=80, impact_radius_km=120))
    assert over is not None
    cancelled = (
        over.leaves_s
        + seconds("cancellation", _triangular(3 * 60, 14 * 60, 37 * 60))
        + round(1 + 29 * _share("not-coming/issue", "chollima"), 3)
    )
    timeline = simulate(CASES["okinawa-2024-05-27"](), SEED)
    assert [str(alert.event) for alert in timeline.alerts] == ["launch", "not-coming"]
    found = [alert.at_ns / 1e9 for alert in timeline.alerts]
    assert found == pytest.approx([alert, cancelled], abs=2.5e-3)


def test_the_morning_of_october_by_hand() -> None:
    """Whom it warns, whom it warns by a fault, and who is told what; times are another's test."""
    timeline = simulate(CASES["hokkaido-2022-10-04"](), SEED)
    assert [(str(alert.event), alert.prefecture) for alert in timeline.alerts] == [
        ("launch", "hokkaido"),
        ("launch", "aomori"),
        ("launch", "tokyo"),
        ("passage", "hokkaido"),
        ("passage", "aomori"),
        ("correction", "tokyo"),
    ]
