"""Which methods a path has, by the description of the service."""

from simulator.service.problems import described_methods

_PATHS: dict[str, dict[str, dict[str, object]]] = {
    "paths": {"/runs/{run}": {"get": {}, "delete": {}}, "/runs/check": {"post": {}}}
}


def test_a_path_that_is_described_as_it_stands_comes_before_one_with_parameters() -> None:
    assert described_methods(_PATHS, "/runs/check") == ("POST",)
    assert described_methods(_PATHS, "/runs/other") == ("DELETE", "GET")
    assert described_methods(_PATHS, "/runs/other/more") == ()
