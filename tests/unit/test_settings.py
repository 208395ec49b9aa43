"""Run settings: what wins, what is refused, what is said about it."""

from decimal import Decimal
from pathlib import Path

import pytest

from simulator.cli.play import unspoken
from simulator.errors import ConfigurationError
from simulator.settings import RunSettings, load_settings


def test_option_wins_over_environment_over_file_over_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('subscribers = 5\nqos = 2\ndrain = "3s"\n')
    monkeypatch.setenv("ALERTSIM_SUBSCRIBERS", "6")
    monkeypatch.setenv("ALERTSIM_QOS", "0")
    settings = load_settings({"subscribers": 7, "seed": None}, file)
    assert settings.subscribers == 7
    assert settings.qos == 0
    assert settings.drain == 3_000_000_000
    assert settings.seed == RunSettings.model_fields["seed"].default


def test_hosts_are_separated_by_commas_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTSIM_ALLOW_HOSTS", "one.example, two.example,")
    assert load_settings({}).allow_hosts == ("one.example", "two.example")


def test_speed_stays_exact() -> None:
    assert load_settings({"speed": "0.1"}).speed == Decimal("0.1")


@pytest.mark.parametrize(
    ("options", "field", "said"),
    [
        ({"speed": "0"}, "--speed", "0.001"),
        ({"speed": "inf"}, "--speed", "0.001"),
        ({"speed": "fast"}, "--speed", "600"),
        ({"late_after": 10}, "--late-after", "unit"),
        ({"late_after": True}, "--late-after", "unit"),
        ({"late_after": "-1s"}, "--late-after", "--late-after: must be at least 0s"),
        ({"ramp": "abc"}, "--ramp", "--ramp: write a whole number of connections per second"),
        ({"ramp": "500/min"}, "--ramp", "--ramp: write a whole number of connections per second"),
        ({"ramp": "0/s"}, "--ramp", "--ramp: must be at least 1 (got"),
        ({"repeat": 10**6}, "--repeat", "--repeat: may be at most 100000"),
        ({"repeat": "often"}, "--repeat", "--repeat: write a whole number"),
        ({"state": "perhaps"}, "ALERTSIM_STATE", "ALERTSIM_STATE: write true or false"),
        ({"subscribers": -1}, "--subscribers", "must be at least 0"),
        ({"status": "Actual"}, "ALERTSIM_STATUS", "ALERTSIM_STATUS=Exercise"),
        ({"payload_format": "xml"}, "--format", "--format json"),
        ({"payload_format": "xml"}, "--format", "--format: must be 'json' or 'cap-xml'"),
        ({"nonsense": 1}, "--nonsense", "--nonsense: no such setting"),
        ({"nonsense": 1}, "--nonsense", "known settings"),
        ({"qos": 0, "session": "persistent"}, "", "persistent"),
    ],
)
def test_what_cannot_be_is_refused_with_its_remedy(
    options: dict[str, object], field: str, said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(options)
    assert caught.value.field == field
    assert said in str(caught.value)


def test_file_that_cannot_be_read_or_parsed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings({}, tmp_path / "nowhere.toml")
    for content in (b"speed =", b"\xff\xfe"):
        (tmp_path / "bad.toml").write_bytes(content)
        with pytest.raises(ConfigurationError, match="TOML"):
            load_settings({}, tmp_path / "bad.toml")


def test_no_setting_can_leave_the_exercise() -> None:
    status = RunSettings.model_json_schema()["properties"]["status"]
    assert status["anyOf"][0]["enum"] == ["Exercise", "Test"]


def test_what_the_command_line_does_not_say_is_said_as_environment() -> None:
    options = {"speed": "600", "subscribers": None}
    settings = load_settings({"speed": "600", "subscribers": 7, "drain": "3s", "state": False})
    assert unspoken(settings, options) == {
        "ALERTSIM_SUBSCRIBERS": "7",
        "ALERTSIM_DRAIN": "3s",
        "ALERTSIM_STATE": "false",
    }
    hosts = load_settings({"allow_hosts": ("a.example", "b.example")})
    assert unspoken(hosts, {}) == {"ALERTSIM_ALLOW_HOSTS": "a.example,b.example"}
    # With groups of subscribers in a scenario, 300 said is more than nothing said.
    assert unspoken(load_settings({"subscribers": 300}), {}) == {"ALERTSIM_SUBSCRIBERS": "300"}
