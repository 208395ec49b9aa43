import pytest

from simulator.errors import InputError
from simulator.world import geography


def test_there_are_47_prefectures_and_1741_municipalities() -> None:
    assert len(geography.prefectures()) == 47
    assert len(geography.municipalities()) == 1741
    assert sum(entry.municipalities for entry in geography.prefectures()) == 1741


def test_people_add_up_to_the_published_national_total() -> None:
    assert sum(entry.population for entry in geography.prefectures()) == 126_226_568
    assert sum(entry.population for entry in geography.municipalities()) == 126_226_568


def test_the_prefecture_table_is_the_sum_of_its_municipalities() -> None:
    for prefecture in geography.prefectures():
        own = [town for town in geography.municipalities() if town.prefecture == prefecture.slug]
        people = sum(town.population for town in own)
        assert (len(own), people) == (prefecture.municipalities, prefecture.population)
        north = sum(town.latitude * town.population for town in own) / people
        east = sum(town.longitude * town.population for town in own) / people
        assert north == pytest.approx(prefecture.latitude, abs=1e-4)
        assert east == pytest.approx(prefecture.longitude, abs=1e-4)


def test_codes_are_the_numbers_from_north_to_south() -> None:
    codes = [entry.code for entry in geography.prefectures()]
    assert codes == [f"{number:02d}" for number in range(1, 48)]


@pytest.mark.parametrize("name", ["miyagi", "04"])
def test_a_prefecture_is_found_by_slug_or_code(name: str) -> None:
    found = geography.prefecture(name)
    assert (found.slug, found.code, found.name_ja, found.name_en) == (
        "miyagi",
        "04",
        "宮城県",
        "Miyagi",
    )


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("miyagy", "did you mean miyagi?"), ("Nigata", "did you mean niigata?"), ("48", "miyagi")],
)
def test_an_unknown_prefecture_suggests_the_nearest(name: str, remedy: str) -> None:
    with pytest.raises(InputError, match="unknown prefecture") as caught:
        geography.prefecture(name)
    assert remedy in caught.value.remedy
    assert name in str(caught.value)


def test_outlines_enclose_the_centres_box_of_every_prefecture() -> None:
    outlines = geography.outlines()
    assert list(outlines) == [entry.slug for entry in geography.prefectures()]
    for prefecture in geography.prefectures():
        points = [point for ring in outlines[prefecture.slug] for point in ring]
        easts, norths = [east for east, _ in points], [north for _, north in points]
        assert min(easts) < prefecture.longitude < max(easts)
        assert min(norths) < prefecture.latitude < max(norths)


def test_tables_are_read_once() -> None:
    assert geography.prefectures() is geography.prefectures()
    assert geography.outlines() is geography.outlines()
