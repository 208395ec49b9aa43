from pathlib import Path
from typing import Protocol

import pytest

from simulator.errors import ConfigurationError
from simulator.reach.loading import PROFILES, load_profile, shipped_profile
from simulator.resources import config_text


class Write(Protocol):
    def __call__(self, text: str, name: str = "mine.yaml") -> Path: ...


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(text: str, name: str = "mine.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return put


def _variant(change: str) -> str:
    return f'schema: "1.0"\nextends: j-alert-2022\nid: mine\n{change}'


def _error(path: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load_profile(path)
    return caught.value


@pytest.mark.parametrize("name", PROFILES)
def test_shipped_profiles_load_by_name(name: str) -> None:
    assert load_profile(name).id == name
    assert load_profile(name) is shipped_profile(name)


def test_a_file_can_extend_a_shipped_profile(write: Write) -> None:
    path = write(_variant("phones:\n  held: {share: 0.9, assumption: true, range: [0.8, 1]}\n"))
    profile = load_profile(path)
    assert profile.phones.held.share == 0.9
    assert profile.phones.capable == shipped_profile("j-alert-2022").phones.capable
    assert load_profile(str(path)) == profile


def test_a_file_can_extend_a_file(write: Write, tmp_path: Path) -> None:
    write(_variant(""), name="base.yaml")
    (tmp_path / "mine.yaml").write_text("extends: ./base.yaml\nid: other\n", encoding="utf-8")
    assert load_profile(tmp_path / "mine.yaml").id == "other"


def test_a_channel_can_be_taken_away(write: Write) -> None:
    assert load_profile(write(_variant("channels:\n  app:\n"))).channels.app is None


def test_an_unknown_profile_suggests_the_nearest() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_profile("j-alert-2021")
    assert "did you mean j-alert-20" in caught.value.remedy
    with pytest.raises(ConfigurationError, match="one of j-alert-2012"):
        load_profile("x")


def test_an_unknown_base_names_its_line(write: Write) -> None:
    error = _error(write('schema: "1.0"\nextends: nothing\n'))
    assert error.where.endswith("mine.yaml:2")
    assert error.field == "extends"


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    assert "cannot be read" in _error(tmp_path / "nowhere.yaml").message


def test_files_that_extend_each_other_are_refused(write: Write) -> None:
    error = _error(write("extends: ./mine.yaml\n"))
    assert "circle" in error.message


@pytest.mark.parametrize(
    ("change", "field", "value", "words"),
    [
        (
            "phones:\n  held: {share: 1.3}\n",
            "phones.held.share",
            "1.3",
            ("less than or equal to 1", "0.05 for 5 %"),
        ),
        (
            "channels:\n  app:\n    owners: {share: -0.1}\n",
            "channels.app.owners.share",
            "-0.1",
            ("greater than or equal to 0", "0.05 for 5 %"),
        ),
        (
            "channels:\n  cell-brodcast: {hears: {}}\n",
            "channels.cell-brodcast",
            None,
            ("unknown channel", "did you mean cell-broadcast?"),
        ),
        (
            "channels:\n  xyz: {hears: {}}\n",
            "channels.xyz",
            None,
            ("unknown channel", "one of cell-broadcast"),
        ),
        ("phonse: {}\n", "phonse", None, ("unknown field", "spelling")),
        (
            "municipal:\n  mixed:\n    delay: {law: uniform, low: -5s, high: 90s}\n",
            "municipal.mixed.delay.low",
            "-5s",
            ("cannot be negative", "without the minus sign"),
        ),
        (
            "municipal:\n  mixed:\n    delay: {law: normal, mean: 5s}\n",
            "municipal.mixed.delay.law",
            "normal",
            ("does not match any of the expected tags", "lognormal"),
        ),
        (
            "notices:\n  - {id: slow, delay: {median: 5s}}\n",
            "notices.3.delay.law",
            None,
            ("unable to extract tag", "add law"),
        ),
        ("phones:\n  held: {share: many}\n", "phones.held.share", "many", ("number", "write a")),
        (
            (
                "municipal:\n  old: {share: {share: 0.5, assumption: true}, delay: {law: constant, "
                "value: 18s, sources: [Suwa]}}\n"
            ),
            "municipal.old.share",
            None,
            ("an assumption needs a range", "least, most"),
        ),
    ],
)
def test_what_is_wrong_names_file_field_value_and_remedy(
    write: Write, change: str, field: str, value: str | None, words: tuple[str, str]
) -> None:
    message, remedy = words
    error = _error(write(_variant(change)))
    assert error.field == field
    assert error.value == value
    assert message in error.message
    assert remedy in error.remedy
    assert "mine.yaml:" in error.where


def test_a_misspelt_field_goes_before_the_one_that_is_missing(write: Write) -> None:
    base = config_text("channels/j-alert-2022.yaml").replace("\nnotices:", "\nnotice:")
    error = _error(write(base))
    assert error.field == "notice"
    assert "and 1 more" in error.message


def test_a_missing_field_is_named(write: Write) -> None:
    base = config_text("channels/j-alert-2022.yaml").replace("title: J-ALERT", "titel: J-ALERT")
    base = base.replace("titel:", "# title:")
    error = _error(write(base))
    assert (error.field, error.remedy) == ("title", "add it")
