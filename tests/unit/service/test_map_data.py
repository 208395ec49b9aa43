"""The map of the live page: everybody is on it, where they belong, drawn from the tables."""

import json
import re
from typing import Any

import pytest

from simulator.service.map_data import MAIN, SOUTH, map_json
from simulator.world.geography import municipalities, outlines, prefectures

MOVE = re.compile(r"M(-?\d+) (-?\d+)")


@pytest.fixture(scope="module")
def drawn() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(map_json())
    return found


def points(outline: str) -> list[tuple[int, int]]:
    """Every corner of a path of relative lines."""
    found = []
    for ring in outline.split("z")[:-1]:
        start, _, rest = ring.partition("l")
        x, y = (int(number) for number in start[1:].split())
        steps = [int(number) for number in re.findall(r"-?\d+", rest)]
        found.append((x, y))
        for along, down in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + along, y + down
            found.append((x, y))
    return found


def test_all_prefectures_are_drawn_inside_the_map_with_their_names(drawn: dict[str, Any]) -> None:
    known = {each.slug: (each.code, each.name_en, each.name_ja) for each in prefectures()}
    assert {e["slug"]: (e["code"], e["en"], e["ja"]) for e in drawn["prefectures"]} == known
    for each in drawn["prefectures"]:
        for x, y in [*points(each["outline"]), each["at"]]:
            assert -1 <= x <= drawn["width"] + 1
            assert -1 <= y <= drawn["height"] + 1


def test_every_municipality_but_ogasawara_is_a_dot(drawn: dict[str, Any]) -> None:
    dots = sum(each["towns"].count("h0") for each in drawn["prefectures"])
    assert dots == len(municipalities()) - 1


def test_a_dot_lies_where_the_projection_puts_its_municipality(drawn: dict[str, Any]) -> None:
    sendai = next(each for each in municipalities() if each.name_ja == "仙台市")
    x, y = MAIN.place(sendai.longitude, sendai.latitude)
    miyagi = next(each for each in drawn["prefectures"] if each["slug"] == "miyagi")
    assert f"M{x} {y}h0" in miyagi["towns"]
    corners = points(miyagi["outline"])
    assert min(corner[0] for corner in corners) < x < max(corner[0] for corner in corners)
    assert min(corner[1] for corner in corners) < y < max(corner[1] for corner in corners)


def test_okinawa_stands_in_the_box_and_nobody_else_does(drawn: dict[str, Any]) -> None:
    left, top, width, height = drawn["inset"]
    inside = {
        each["slug"]
        for each in drawn["prefectures"]
        if left <= each["at"][0] <= left + width and top <= each["at"][1] <= top + height
    }
    assert inside == {"okinawa"}
    for x, y in points(next(e["outline"] for e in drawn["prefectures"] if e["slug"] == "okinawa")):
        assert left <= x <= left + width
        assert top <= y <= top + height


def test_north_is_up_and_east_is_right() -> None:
    for window in (MAIN, SOUTH):
        west = window.place(window.west, window.north)
        east = window.place(window.east, window.south)
        assert west == (window.x, window.y)
        assert east == (window.x + window.size[0], window.y + window.size[1])


def test_it_is_made_from_the_tables_and_small(drawn: dict[str, Any]) -> None:
    assert len(map_json()) < 100_000
    largest = max(outlines()["miyagi"], key=len)
    miyagi = next(each for each in drawn["prefectures"] if each["slug"] == "miyagi")
    corners = set(points(miyagi["outline"]))
    assert all(MAIN.place(*at) in corners for at in largest)
