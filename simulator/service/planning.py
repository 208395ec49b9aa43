"""From an order to a run that can be played: what would be refused later is refused here.

Rule of the module: nothing is left behind by an order that is refused.
"""

from collections.abc import Collection
from itertools import chain, count
from typing import Final

from simulator.clock import Clock
from simulator.errors import InputError, OutputError
from simulator.run.provenance import new_run_id
from simulator.service.broker import BrokerKeeper
from simulator.service.options import ServiceOptions
from simulator.service.orders import DEFAULT_ROOT, RunOrder, arguments, check_order
from simulator.service.problems import ProblemError
from simulator.service.process import CommandProcess
from simulator.service.records import RunRecord
from simulator.service.scenarios import check_text, scenario_of, shipped_scenario
from simulator.service.store import Store
from simulator.units import wall_datetime

_LEAST_FREE_BYTES: Final = 64 * 1024 * 1024
_ELSEWHERE: Final = "kept in a file"


def planned(order: RunOrder, options: ServiceOptions, store: Store, clock: Clock) -> RunRecord:
    """The record of an order that can be played; its scenario is kept. Blocks.

    Raises:
        InputError: if it cannot be played as ordered.
        OutputError: if the store is gone.
        ProblemError: if the disk is nearly full.
    """
    check_order(order, options.max_subscribers)
    if not store.path.is_dir():
        raise OutputError("is gone", where=str(store.path))
    if store.free_bytes() < _LEAST_FREE_BYTES:
        raise ProblemError(
            507,
            "disk-full",
            "less than 64 MiB are free on the disk that holds the store",
            remedy="free some space, or delete runs",
        )
    wall_ns = clock.wall_ns()
    run = _unused_id(store, wall_ns)
    if order.scenario_yaml is None:
        scenario = shipped_scenario(order.scenario or "")
    else:
        check_text(order.scenario_yaml)
        path = store.keep_scenario(run, order.scenario_yaml)
        try:
            scenario = scenario_of(path)
        except InputError:
            path.unlink(missing_ok=True)
            raise
    return RunRecord(
        run=run,
        order=_brief(order),
        scenario=scenario.id,
        title=scenario.title,
        root=order.root,
        created=wall_datetime(wall_ns),
    )


def free_root(used: Collection[str]) -> str:
    """The first of ``alertsim``, ``alertsim-2``, … that no other run uses."""
    names = chain([DEFAULT_ROOT], (f"{DEFAULT_ROOT}-{number}" for number in count(2)))
    return next(name for name in names if name not in used)


def process_of(record: RunRecord, store: Store, broker: BrokerKeeper) -> CommandProcess:
    """The process that plays a run; not started yet."""
    kept = store.own("scenarios", f"{record.run}.yaml").resolve()
    said = arguments(
        record.order,
        run=record.run,
        scenario=record.order.scenario or str(kept),
        root=record.root or DEFAULT_ROOT,
        broker=broker.for_runs,
        out=str(store.path),
    )
    return CommandProcess(said, broker.environment)


def _unused_id(store: Store, wall_ns: int) -> str:
    while store.is_known(run := new_run_id(wall_ns)):
        pass  # two in one second, by one chance in 65,536
    return run


def _brief(order: RunOrder) -> RunOrder:
    """An order without its scenario's text, which stands in a file of its own."""
    if order.scenario_yaml is None:
        return order
    return order.model_copy(update={"scenario_yaml": _ELSEWHERE})
