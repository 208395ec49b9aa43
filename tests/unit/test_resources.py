from pathlib import Path

import pytest

from simulator import resources
from simulator.errors import InputError, InternalError


def _layout(root: Path) -> Path:
    (root / "scenarios").mkdir(parents=True)
    (root / "config").mkdir()
    return root


def test_the_checkout_is_found_beside_the_package(tmp_path: Path) -> None:
    _layout(tmp_path)
    assert resources.data_root(tmp_path / "simulator") == tmp_path


def test_the_wheel_is_found_inside_the_package_and_wins(tmp_path: Path) -> None:
    # site-packages may hold a folder named scenarios of somebody else's.
    _layout(tmp_path)
    shipped = _layout(tmp_path / "simulator" / "_shipped")
    assert resources.data_root(tmp_path / "simulator") == shipped


def test_a_folder_alone_is_not_the_data(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    with pytest.raises(InternalError, match="missing"):
        resources.data_root(tmp_path / "simulator")


def test_the_shipped_scenarios_are_listed_by_name() -> None:
    names = resources.scenario_names()
    assert {"drill-minimal", "tohoku-2022-11-03", "tohoku-2022-11-03-modelled"} <= set(names)
    assert list(names) == sorted(names)
    assert all(resources.scenario_path(name).is_file() for name in names)


def test_chain_profiles_are_listed_and_found() -> None:
    assert "j-alert-2022" in resources.chain_names()
    assert resources.chain_path("j-alert-2022").is_file()


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        resources.scenario_path("drill-minimum")
    assert caught.value.remedy == "did you mean drill-minimal?"


def test_part_of_a_name_suggests_all_that_have_it() -> None:
    with pytest.raises(InputError) as caught:
        resources.scenario_path("tohoku")
    named = [name for name in resources.scenario_names() if name.startswith("tohoku-")]
    assert len(named) > 2
    assert caught.value.remedy == f"did you mean {', '.join(named)}?"


def test_a_hopeless_name_lists_what_there_is() -> None:
    with pytest.raises(InputError) as caught:
        resources.chain_path("§")
    assert "j-alert-2022" in caught.value.remedy


@pytest.mark.parametrize("name", ["../pyproject", "/etc/passwd", "chains/../prefectures"])
def test_a_name_is_not_a_path(name: str) -> None:
    with pytest.raises(InputError):
        resources.scenario_path(name)


def test_tables_are_read_as_text() -> None:
    assert resources.config_text("prefectures.csv").startswith("code,slug,")


def test_a_table_that_is_not_shipped_is_our_defect() -> None:
    with pytest.raises(InternalError, match=r"nothing\.csv"):
        resources.config_text("nothing.csv")
