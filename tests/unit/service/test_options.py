"""How the service is set up: tokens, addresses."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from simulator.errors import ConfigurationError
from simulator.service.options import ServiceOptions, check_token, read_token

LONG = "0123456789abcdef"


def test_a_token_comes_from_a_file_or_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{LONG}-file\nsecond line\n")
    assert read_token(None, None) is None
    assert read_token(None, "") is None
    from_file, from_variable = read_token(file, LONG), read_token(None, LONG)
    assert from_file is not None
    assert from_variable is not None
    assert from_file.get_secret_value() == f"{LONG}-file"
    assert from_variable.get_secret_value() == LONG
    assert LONG not in repr(ServiceOptions(token=from_variable))


@pytest.mark.parametrize("text", ["short", "x" * 600, "twenty characters with space", "é" * 20])
def test_a_token_that_is_none_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match="--token-file") as caught:
        read_token(file, None)
    assert text not in str(caught.value)
    with pytest.raises(ConfigurationError, match="ALERTSIM_SERVICE_TOKEN"):
        read_token(None, text)


def test_a_token_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        read_token(tmp_path / "nowhere", None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104
def test_other_hosts_need_a_token(host: str) -> None:
    with pytest.raises(ConfigurationError, match="no token"):
        check_token(ServiceOptions(host=host))
    check_token(ServiceOptions(host=host, token=SecretStr(LONG)))


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("localhost", "localhost")]
)
def test_this_host_needs_none(host: str, url: str) -> None:
    assert check_token(ServiceOptions(host=host)).shown_host == url
