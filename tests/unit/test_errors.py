import pickle

import pytest

from simulator import errors
from simulator.errors import ExitCode


def _all(root: type[errors.AlertsimError]) -> list[type[errors.AlertsimError]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in _all(child))]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.ScenarioError, ExitCode.BAD_INPUT),
        (errors.ConfigurationError, ExitCode.BAD_INPUT),
        (errors.ThresholdError, ExitCode.BAD_INPUT),
        (errors.OutputError, ExitCode.BAD_INPUT),
        (errors.BrokerUnreachableError, ExitCode.BROKER),
        (errors.BrokerLostError, ExitCode.BROKER),
        (errors.AbortedError, ExitCode.ABORTED),
        (errors.InternalError, ExitCode.INTERNAL),
        (errors.UnbalancedLedgerError, ExitCode.INTERNAL),
    ],
)
def test_every_error_ends_with_its_code(kind: type[errors.AlertsimError], code: ExitCode) -> None:
    assert kind.exit_code is code


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    document = errors.__doc__ or ""
    drawn = {word for line in document.splitlines() for word in line.split() if "Error" in word}
    # Other rooms may refine an error for themselves; the tree is what callers can rely on.
    defined = [kind for kind in _all(errors.AlertsimError) if kind.__module__ == errors.__name__]
    assert {kind.__name__ for kind in defined} == {word for word in drawn if word.isidentifier()}


def test_an_input_error_names_place_field_value_and_remedy() -> None:
    error = errors.ScenarioError(
        "unknown prefecture", where="x.yaml:3", field="launches.0", value="miyagy", remedy="miyagi"
    )
    assert str(error) == "x.yaml:3: launches.0: unknown prefecture (got miyagy)\n  remedy: miyagi"


def test_an_option_is_named_once() -> None:
    error = errors.ConfigurationError("unknown", where="--swarm-workers", field="swarm_workers")
    assert str(error) == "--swarm-workers: unknown"


def test_an_input_error_leaves_out_what_it_does_not_know() -> None:
    assert str(errors.ConfigurationError("no subscribers")) == "no subscribers"


@pytest.mark.parametrize("kind", _all(errors.InputError))
def test_input_errors_survive_being_rebuilt(kind: type[errors.InputError]) -> None:
    # SimPy rebuilds exceptions as type(v)(*v.args); processes send them pickled.
    error = kind("wrong", "x.yaml:3", "field", "value", "remedy")
    for copy in (type(error)(*error.args), pickle.loads(pickle.dumps(error))):  # noqa: S301
        assert str(copy) == str(error)
        assert (copy.where, copy.field, copy.value) == ("x.yaml:3", "field", "value")
