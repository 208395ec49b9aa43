"""What the fixture ``alertsim`` gives to a test: an address to connect to, and plays.

Rule of the module: a play is ``alertsim publish`` (or ``run``) in a process of its own, against the
test's own broker. It ends by itself, at its deadline, or with the test; nothing outlives the test.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from simulator.api import read_run
from simulator.clock import Clock, SystemClock
from simulator.delivery.brokers import Broker
from simulator.settings import RunSettings, as_environment, load_settings
from simulator.testing.played import Played
from simulator.testing.said import Said, SentAlert
from simulator.testing.stand_in import StandIn
from simulator.units import NS_PER_MS, NS_PER_S, format_duration, parse_duration

DEFAULT_TIMEOUT: Final = "60s"
DEFAULT_SPEED: Final = 600
_POLL_NS: Final = 20 * NS_PER_MS
_GRACE_S: Final = 10.0  # for an orderly end after the deadline: the account is still written
_JUDGED: Final = frozenset({0, 98, 99})


class PlayError(AssertionError):
    """A play did not come to its end: the text says why, and what to do."""


class Playing:
    """A play that goes on; a context manager that waits for its end.

    Args:
        command: what to start.
        environment: settings as environment variables.
        out: empty directory for its output and its run directory.
        timeout_ns: how long it may take, wall ns.
        clock: where time comes from.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        out: Path,
        timeout_ns: int,
        clock: Clock,
    ) -> None:
        out.mkdir(parents=True)
        self._runs = out / "runs"
        self._timeout_ns = timeout_ns
        self._clock = clock
        self._deadline_ns = clock.monotonic_ns() + timeout_ns
        self._said = Said(out / "said.jsonl")
        self._played: Played | None = None
        with self._said.path.open("w") as said:
            self._process = subprocess.Popen(  # noqa: S603  # our own arguments
                [*command, "--out", str(self._runs), "--log-format", "json", "--quiet"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=os.environ | environment,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.stop()

    def wait_until_sent(self, event: str, prefecture: str | None = None) -> SentAlert:
        """Wait until an alert was sent; returns the first that fits.

        Args:
            event: ``launch``, ``passage``, ``correction`` …
            prefecture: slug; any if not given.

        Raises:
            PlayError: if the play ends or its deadline comes first.
        """
        __tracebackhide__ = True
        while True:
            over = self._process.poll() is not None
            for alert in self._said.sent():
                if alert.event == event and prefecture in {None, alert.prefecture}:
                    return alert
            if over or self._clock.monotonic_ns() > self._deadline_ns:
                where = f" to {prefecture}" if prefecture else ""
                when = "ended" if over else f"did not send it within {self._span()}"
                raise PlayError(
                    f"no {event}{where}: the play {when}; sent were "
                    f"{', '.join(map(str, self._said.sent())) or 'none'}{self._said.complaint()}"
                )
            self._clock.sleep_ns(_POLL_NS)

    def finish(self) -> Played:
        """Wait for the end and read what came of it.

        Raises:
            PlayError: if it was not over in time, or ended with an error (exit code 104 to 107).
        """
        __tracebackhide__ = True
        if self._played is not None:
            return self._played
        left_ns = max(0, self._deadline_ns - self._clock.monotonic_ns())
        try:
            code = self._process.wait(left_ns / NS_PER_S)
        except subprocess.TimeoutExpired:
            phase = self._said.phase()
            self.stop()
            raise PlayError(
                f"the play was not over within {self._span()}; it was at: {phase}. Give it a "
                "higher speed, or more time with within="
            ) from None
        if code not in _JUDGED:
            raise PlayError(f"the play ended with exit code {code}{self._said.complaint()}")
        (directory,) = self._runs.iterdir()
        self._played = Played(run=read_run(directory), alerts=self._said.sent())
        return self._played

    def stop(self) -> None:
        """End it, in order if it can: at once is too late for nobody."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _span(self) -> str:
        return format_duration(self._timeout_ns)


class AlertSim:
    """A broker that runs, and scenarios played over it; what the fixture ``alertsim`` is.

    Args:
        broker: started.
        root: topic root.
        folder: for run directories; must exist.
        url: address of the broker, as given; made from its ports if not given.
        timeout: how long a play may take unless it says otherwise, ``60s``.
        clock: where time comes from.

    Attributes:
        root: topic root: receivers subscribe to ``{root}/v1/alerts/{prefecture}/+``.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        root: str,
        folder: Path,
        url: str | None = None,
        timeout: str = DEFAULT_TIMEOUT,
        clock: Clock | None = None,
    ) -> None:
        self.root = root
        self._broker = broker
        self._folder = folder
        self._url = url
        self._timeout = timeout
        self._clock = clock or SystemClock()
        self._plays: list[Playing] = []
        self._stand_ins: list[StandIn] = []

    @property
    def host(self) -> str:
        """Where a receiver connects."""
        return self._broker.endpoint(self._broker.protocols[0]).host

    @property
    def port(self) -> int:
        """The port for MQTT 3.1.1, which every client speaks."""
        return self._broker.endpoint(self._broker.protocols[0]).port

    @property
    def port_v5(self) -> int:
        """The port for MQTT 5; on the embedded broker another one."""
        return self._broker.endpoint(self._broker.protocols[-1]).port

    def play(
        self,
        scenario: str,
        *,
        speed: float = DEFAULT_SPEED,
        clients: int | None = None,
        within: str | None = None,
        thresholds: Mapping[str, Sequence[str]] | None = None,
        **settings: object,
    ) -> Played:
        """Play a scenario from beginning to end; receivers run in threads or processes.

        Args:
            scenario: name of a shipped scenario, or path of a file.
            speed: scenario seconds per wall second; scales only the waiting between alerts.
            clients: wait for so many receivers to be online by their retained status; the number
                of stand-ins if not given.
            within: how long it may take, wall, ``60s``; the fixture's if not given.
            thresholds: expressions by metric, on top of the scenario's.
            settings: further run settings by name: ``repeat=3, payload_format="cap-xml"``;
                ``subscribers=50`` adds a swarm beside the receivers under test.

        Raises:
            PlayError: if it did not come to its end.
            TypeError: in a running event loop, which this would block.
        """
        __tracebackhide__ = True
        with suppress(RuntimeError):
            asyncio.get_running_loop()
            raise TypeError("play() would block the event loop: await play_async() instead")
        return self.start(
            scenario,
            speed=speed,
            clients=clients,
            within=within,
            thresholds=thresholds,
            **settings,
        ).finish()

    async def play_async(
        self,
        scenario: str,
        *,
        speed: float = DEFAULT_SPEED,
        clients: int | None = None,
        within: str | None = None,
        thresholds: Mapping[str, Sequence[str]] | None = None,
        **settings: object,
    ) -> Played:
        """The same for a test whose receiver runs in its event loop; see :meth:`play`."""
        __tracebackhide__ = True
        playing = self.start(
            scenario,
            speed=speed,
            clients=clients,
            within=within,
            thresholds=thresholds,
            **settings,
        )
        return await asyncio.to_thread(playing.finish)

    def start(
        self,
        scenario: str,
        *,
        speed: float = DEFAULT_SPEED,
        clients: int | None = None,
        within: str | None = None,
        thresholds: Mapping[str, Sequence[str]] | None = None,
        **settings: object,
    ) -> Playing:
        """Begin a play and return at once, for a test that acts meanwhile; see :meth:`play`.

        ::

            with alertsim.start("tohoku-2022-11-03", speed=60) as playing:
                playing.wait_until_sent("launch", "miyagi")
                siren.cut_power()
            played = playing.finish()
        """
        limit = within or self._timeout
        wanted = len(self._stand_ins) if clients is None else clients
        limit_ns = parse_duration(limit)
        # The program gives up first: it knows better what it waited for.
        asked = {"wait_timeout": f"{limit_ns * 3 // 4 // NS_PER_MS}ms"} | settings
        asked |= {"speed": speed, "wait_for_clients": wanted, "root": self.root}
        asked["broker"] = self._url or self._own_url()
        playing = Playing(
            self._command(scenario, thresholds or {}, swarm="subscribers" in settings),
            _environment(asked),
            out=self._folder / f"play-{len(self._plays)}",
            timeout_ns=limit_ns,
            clock=self._clock,
        )
        self._plays.append(playing)
        return playing

    def wait_until(self, done: Callable[[], bool], what: str, *, within: str = "10s") -> None:
        """Wait for something in the receiver under test.

        Args:
            done: asked every 20 ms.
            what: what is waited for, for the message: ``the siren sounds``.
            within: wall time.

        Raises:
            AssertionError: if it did not happen in time.
        """
        __tracebackhide__ = True
        deadline_ns = self._clock.monotonic_ns() + parse_duration(within)
        while not done():
            if self._clock.monotonic_ns() > deadline_ns:
                raise AssertionError(f"{what}: not within {within}")
            self._clock.sleep_ns(_POLL_NS)

    def stand_in(self, client: str, *prefectures: str, qos: int = 1) -> StandIn:
        """Speak for a receiver that does not report receipts itself.

        Call it when the receiver is subscribed: from then on alerts are owed to it. Call the
        stand-in's ``received`` with the payload wherever the receiver gets a message.

        Args:
            client: what the receiver is called in the ledger.
            prefectures: slugs it is subscribed to.
            qos: QoS of its subscriptions.
        """
        endpoint = self._broker.endpoint(self._broker.protocols[0])
        stand_in = StandIn(client, prefectures, endpoint=endpoint, root=self.root, qos=qos)
        self._stand_ins.append(stand_in)
        return stand_in

    def close(self) -> None:
        """End whatever still goes on."""
        for stand_in in self._stand_ins:
            stand_in.close()
        for playing in self._plays:
            playing.stop()

    def _command(
        self, scenario: str, thresholds: Mapping[str, Sequence[str]], *, swarm: bool
    ) -> list[str]:
        command = [sys.executable, "-m", "simulator", "run" if swarm else "publish", scenario]
        for metric, expressions in thresholds.items():
            for expression in expressions:
                command += ["--threshold", f"{metric}: {expression}"]
        if swarm and "protocol=" in (self._url or self._own_url()):
            command += ["--protocol", self._broker.protocols[0]]
        return command

    def _own_url(self) -> str:
        """One listener for each version: the program is sent to the first."""
        version = "" if self.port == self.port_v5 else f"?protocol={self._broker.protocols[0]}"
        return f"mqtt://{self.host}:{self.port}{version}"


def _environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Settings as environment variables, checked here so that an error names the argument."""
    checked = load_settings(settings)
    return {
        f"ALERTSIM_{name.upper()}": as_environment(name, getattr(checked, name))
        for name in RunSettings.model_fields
        if settings.get(name) is not None
    }
