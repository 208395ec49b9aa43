"""Clusters: the same chunks on the workers of a Dask scheduler (extra ``alertsim[dask]``).

Rule of the module: the only one that imports Dask, and only when a cluster is asked for. The plan
travels to each worker once; a lost worker's chunks are played again by others, by Dask itself; a
scheduler that goes away ends the experiment in order, with everything finished kept.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any, Final, Self
from urllib.parse import urlsplit

from simulator.errors import AbortedError, ConfigurationError
from simulator.experiment.plan import Chunk, Plan
from simulator.experiment.replications import Columns, Player

_SCHEMES: Final = ("tcp", "tls")
_CONNECT_S: Final = 10
_CLOSE_S: Final = 1  # of a client that never connected
_AHEAD: Final = 2
_RETRIES: Final = 3
_PATIENCE_S: Final = 60


class ClusterLostError(AbortedError):
    """The scheduler or all of its workers went away."""


def scheduler_place(address: str) -> tuple[str, int]:
    """Host and port of a scheduler, from its address; nothing is asked for there.

    Args:
        address: ``tcp://`` or ``tls://``, host and port; ``tcp://`` may be left out.

    Raises:
        ConfigurationError: if it is no such address.
    """
    whole = address if "//" in address else f"tcp://{address}"
    try:
        parts = urlsplit(whole)
        host, port = parts.hostname, parts.port
    except ValueError:  # a bracket left open, or a port that is none
        host, port = None, None
    else:
        rest = whole.removeprefix(f"{parts.scheme}://{parts.netloc}")
        if parts.scheme not in _SCHEMES or "@" in parts.netloc or rest.strip("/"):
            host = None
    if not host or not port or any(character.isspace() for character in whole):
        raise ConfigurationError(
            "is no address of a Dask scheduler",
            field="--cluster",
            value=address,
            remedy="write tcp://HOST:PORT or tls://HOST:PORT, as `dask scheduler` prints it",
        )
    return host, port


def connect(address: str) -> Any:  # noqa: ANN401  # Dask carries no types
    """A client of the scheduler at an address.

    Args:
        address: of the scheduler, for example ``tcp://10.0.0.5:8786``.

    Raises:
        ConfigurationError: if it is no address, Dask is not installed, or nothing answers there.
    """
    scheduler_place(address)
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise ConfigurationError(
            "Dask is not installed",
            field="--cluster",
            value=address,
            remedy="pip install 'alertsim[dask]', here and on the workers",
        ) from None
    # What its log has to say at a loss is said by our error, once.
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in {"asyncio", "distributed", "tornado"}:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return _opened(distributed.Client, address)
    except (OSError, TimeoutError, TypeError, ValueError) as error:  # TypeError: TLS without files
        raise ConfigurationError(
            f"no Dask scheduler answers: {error}",
            field="--cluster",
            value=address,
            remedy="start one with `dask scheduler` and give the address that it prints",
        ) from None


def _opened(kind: Any, address: str) -> Any:  # noqa: ANN401
    """A client; one that cannot connect is closed, or its finalizer would wait for it, and fail."""
    client = kind.__new__(kind)
    try:
        kind.__init__(client, address, timeout=_CONNECT_S, set_as_default=False)
    except BaseException:
        with suppress(OSError, TimeoutError, AttributeError):
            client.close(timeout=_CLOSE_S)
        client.status = "closed"
        raise
    return client


class ClusterExecutor:
    """The workers of a Dask scheduler.

    Args:
        address: of the scheduler, for example ``tcp://10.0.0.5:8786``.

    Raises:
        ConfigurationError: if Dask is not installed, or nothing answers at the address.
    """

    def __init__(self, address: str) -> None:
        self._client: Any = connect(address)
        self._address = address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the cluster; what is not begun there is dropped."""
        self._client.close(timeout=_CONNECT_S)

    def play(self, plan: Plan, chunks: Iterator[Chunk]) -> Iterator[Columns]:
        """Keep every worker busy with a chunk and one waiting."""
        distributed: Any = import_module("distributed")
        workers = self._workers()
        try:
            # A task and not scattered data: should every worker that has it die, it is made again.
            sent = self._client.submit(_as_it_is, plan, pure=False)
            running = distributed.as_completed(
                loop=self._client.loop, with_results=True, raise_errors=True
            )
            for _ in range(workers * _AHEAD):
                self._submit(running, sent, chunks)
            for _, columns in running:
                self._submit(running, sent, chunks)
                yield _checked(columns)
        except Exception as error:
            if _is_loss(error):
                raise ClusterLostError(
                    f"the cluster at {self._address} went away, or lost all its workers; finished "
                    "replications are kept in --out, and the same command goes on from there, with "
                    "or without --cluster"
                ) from error
            raise

    def _workers(self) -> int:
        """Threads of all workers; waits for the first one."""
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE_S)
        except TimeoutError:
            raise ConfigurationError(
                "the Dask scheduler has no workers",
                field="--cluster",
                value=self._address,
                remedy="start some with `dask worker ADDRESS`",
            ) from None
        return int(sum(self._client.nthreads().values()))

    def _submit(self, running: Any, sent: Any, chunks: Iterator[Chunk]) -> None:  # noqa: ANN401
        chunk = next(chunks, None)
        if chunk is not None:
            running.add(
                self._client.submit(play_on_cluster, sent, chunk, pure=False, retries=_RETRIES)
            )


def _checked(columns: Columns | BaseException) -> Columns:
    """Dask hands back a cancelled future's error as its result."""
    if isinstance(columns, BaseException):
        raise columns
    return columns


def _as_it_is(plan: Plan) -> Plan:
    return plan


_players: dict[str, Player] = {}


def play_on_cluster(plan: Plan, chunk: Chunk) -> Columns:
    """Play a chunk on a worker, which keeps what it needs for the plan.

    Args:
        plan: the experiment, sent to each worker once.
        chunk: what to play.
    """
    digest = plan.digest
    player = _players.get(digest)
    if player is None:
        _players.clear()
        player = _players[digest] = Player(plan)
    return player.play_chunk(chunk)


def _is_loss(error: Exception) -> bool:
    """Whether the cluster is gone, as against a chunk that failed on it."""
    client = import_module("distributed.client")
    scheduler = import_module("distributed.scheduler")
    lost = (client.FutureCancelledError, scheduler.KilledWorker, OSError, TimeoutError)
    return isinstance(error, lost)
