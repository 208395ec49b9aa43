import pytest

from simulator.errors import ConfigurationError
from simulator.experiment.paths import find_place, known_paths
from simulator.experiment.variants import Base


def _document(base: Base) -> dict[str, object]:
    return base.scenario().resolved()


def test_known_paths_are_places(base: Base) -> None:
    document = _document(base)
    known = known_paths(document)
    assert {
        "chain.decision",
        "chain.decision.median",
        "chain.teams.count",
        "launches.one.threat",
        "launches.one.belief.arrival.time",
    } <= set(known)
    assert not {"id", "title", "chain.decision.sources", "chain.decision.law"} & set(known)
    for path in known:
        assert find_place(path, document).steps == tuple(path.split("."))


def test_what_stands_at_a_place(base: Base) -> None:
    document = _document(base)
    law = find_place("chain.decision", document)
    assert (law.is_law, law.key, law.figure, law.spans) == (True, "value", 2, True)
    inner = find_place("chain.decision.median", document)
    assert (inner.is_law, inner.key, inner.figure) == (False, None, 2)
    teams = find_place("chain.teams", document)
    assert (teams.is_law, teams.key) == (False, "count")
    moment = find_place("launches.one.belief.arrival", document)
    assert (moment.key, moment.figure) == ("time", 4)
    assert find_place("launches.0.threat", document).figure is None


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("chain.desision", "did you mean chain.decision"),
        ("chain.decision.mean", "chain.decision.median"),
        ("launches.two.threat", "launches.one.threat"),
        ("title", "--paths"),
        ("zzzzzz", "lists them all"),
        ("chain", "go on with one of: profile, teams"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused_with_the_nearest(
    base: Base, path: str, said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        find_place(path, _document(base))
    assert caught.value.field == "--vary"
    assert caught.value.value == path
    assert said in caught.value.remedy
